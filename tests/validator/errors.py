"""The one thing that can go wrong with reading: what there is cannot be read."""


class UnreadableError(Exception):
    """The bytes are not what they are said to be."""
