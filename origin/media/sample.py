"""A sample: one frame at its place on a track's clean timeline."""

from typing import NamedTuple

from origin.media.timebase import Ticks


class Sample(NamedTuple):
    """A coded frame, timed in ticks of its track's timescale.

    ``dts`` never steps back within a track, and ``dts + duration`` is the next sample's ``dts``
    unless a discontinuity lies between them. A named tuple for the same reason as in
    ``origin.media.coded``: one is made for every frame of every stream.
    """

    dts: Ticks
    composition_offset: Ticks
    """``pts - dts``; may be negative."""
    duration: Ticks
    is_sync: bool
    """Decoding can begin here (ISO/IEC 14496-12, 8.6.2); True for all audio."""
    payload: bytes
