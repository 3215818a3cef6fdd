"""Units of media time, and the continuation of RTMP's 32-bit timestamps.

RTMP counts milliseconds modulo 2**32 (RTMP 1.0, section 5.1); fMP4 and TS count ticks of a
timescale that each track chooses. The two are different types so that they cannot be mixed.
"""

from typing import NewType

Millis = NewType("Millis", int)
"""Milliseconds, as RTMP counts them; unwrapped where a function says so."""

Ticks = NewType("Ticks", int)
"""Units of a track's own timescale (see ``Track.timescale``)."""

VIDEO_TIMESCALE = 90_000
"""Ticks per second of every video track: MPEG-TS's clock (ISO/IEC 13818-1, 2.4.2.2)."""

MILLIS_WRAP = 2**32


def unwrap(at: int, previous: Millis) -> Millis:
    """Continue the timeline of ``previous`` with the 32-bit timestamp ``at``.

    Of all times that look like ``at`` modulo 2**32, the nearest to ``previous`` is taken: a
    small step backwards stays one, and so does a step over the wrap.
    """
    half = MILLIS_WRAP // 2
    return Millis(previous + (at - previous + half) % MILLIS_WRAP - half)
