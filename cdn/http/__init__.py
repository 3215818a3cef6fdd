"""HTTP as an edge needs it: keys, heads, lifetimes and loops, decided from what is given."""
