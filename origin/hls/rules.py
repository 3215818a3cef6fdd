"""How a stream is cut: the lengths that the segmenter and the playlists agree on.

EXT-X-TARGETDURATION must never change for the life of a playlist's URL (RFC 8216, 6.2.1), and no
segment may be longer once rounded (4.3.3.1). So it is fixed once, when the first segment of a
session is complete, and from then on segments that would outgrow it are cut by force.
"""

import math
from dataclasses import dataclass

ROUNDING_GRACE_S = 0.1
"""Two seconds at 29.97 frames per second are 2.002 s: that is a target duration of 2, not 3."""

FORCED_CUT_MARGIN_S = 0.49
"""A segment may exceed the target duration by less than half a second: it is rounded first."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The lengths of parts, segments and the window."""

    segment_s: float = 2.0
    """A segment ends at the first keyframe at or past this."""
    part_s: float = 0.5
    """No part is longer; it ends before the frame that would overshoot."""
    window: int = 6
    """Complete segments listed, at least."""
    longest_segment_s: int = 10
    """The target duration is never larger, however far apart the keyframes are."""
    stall_s: float = 3.0
    """When the track that leads falls this far behind another, the other one cuts parts."""
    longest_part_bytes: int = 32 * 1024 * 1024
    """A part that outgrows this ends the publish: its time stamps stand still."""


def target_duration(rules: Rules, first_segment_s: float) -> int:
    """Choose EXT-X-TARGETDURATION for a session whose first segment is this long."""
    needed = math.ceil(max(rules.segment_s, first_segment_s) - ROUNDING_GRACE_S)
    return max(1, min(needed, rules.longest_segment_s))


def longest_allowed_s(target: int) -> float:
    """Return the duration at which a segment is cut with or without a keyframe."""
    return target + FORCED_CUT_MARGIN_S
