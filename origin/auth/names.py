"""Stream names: what a viewer sees in an address, and therefore what may stand in one.

A name is checked where it enters and never again; from there on it can be put into paths,
logs and metrics without escaping.
"""

import re

from origin.errors import Refused

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

# First path components that mean something else, on the origin or on an edge.
RESERVED = frozenset(
    {"api", "assets", "docs", "healthz", "metrics", "readyz", "redoc", "studio"},
)


def is_stream_name(text: str) -> bool:
    """Whether ``text`` can name a stream."""
    return _NAME.fullmatch(text) is not None and text.lower() not in RESERVED


def checked_name(text: str) -> str:
    """Return ``text`` if it can name a stream.

    Raises:
        Refused: with the rule that it breaks, in words for the streamer.
    """
    if text.lower() in RESERVED:
        raise Refused(f"the name {text!r} is used by Tidecast itself: choose another")
    if _NAME.fullmatch(text) is None:
        raise Refused("a stream name has 1 to 64 letters, digits, hyphens or underscores")
    return text
