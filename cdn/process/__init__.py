"""Processes of the edge: how they start, hear signals, are replaced, and end."""
