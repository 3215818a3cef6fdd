"""``python -m cdn``: the edge as a process of its own."""

from cdn.cli import main

main()
