"""``python -m origin`` is the same as the command ``tidecast``."""

from origin.cli import main

main()
