"""What is served is called: the names of renditions, segments and parts.

A name never stands for other bytes. It is made of the session's epoch, which no other session
ever has, and of a media sequence number, which only grows; so whatever stands between the origin
and a viewer may keep what it got under a name for ever. A name also tells where in the stream
its bytes are, or will be: that is how a request for a part that does not exist yet is told from
one for something that never will.
"""

import re
from typing import NamedTuple

RENDITION = "v0"
"""What nearly all sessions have, and nothing else (``hls.lineup``): its playlist and segments lie
in this folder."""

_MEDIA = re.compile(r"(?P<epoch>[^-]+)-(?P<msn>\d{1,20})(?:\.(?P<part>\d{1,9}))?\.m4s")


class Place(NamedTuple):
    """Where a name's bytes are in their session."""

    msn: int
    part: int | None
    """None for a whole segment."""


def stem_of(epoch: str, msn: int) -> str:
    """Name a segment, without an extension."""
    return f"{epoch}-{msn}"


def part_name(stem: str, number: int) -> str:
    """Name the part of a segment that has ``number`` others before it."""
    return f"{stem}.{number}.m4s"


def place_of(name: str, epoch: str) -> Place | None:
    """Tell where in a session the bytes of this name are; None if it is no such name."""
    read = _MEDIA.fullmatch(name)
    if read is None or read["epoch"] != epoch:
        return None
    place = Place(int(read["msn"]), None if read["part"] is None else int(read["part"]))
    stem = stem_of(epoch, place.msn)
    spelt = f"{stem}.m4s" if place.part is None else part_name(stem, place.part)
    return place if spelt == name else None  # one spelling each: 07 is not 7
