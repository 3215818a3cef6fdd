"""The edge's front: connections of viewers, what they ask, and what they are answered."""
