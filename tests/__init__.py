"""The tests mirror the tree; this file makes them win over an installed package of their name."""
