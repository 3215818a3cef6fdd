"""How a stream is cut: the lengths that the segmenter and the playlists agree on.

EXT-X-TARGETDURATION must never change for the life of a playlist's URL (RFC 8216, 6.2.1), and no
segment may be longer once rounded (4.3.3.1). So it is fixed once, when the first segment of a
session is complete, and from then on segments that would outgrow it are cut by force.
"""

import math
from dataclasses import dataclass

ROUNDING_GRACE_S = 0.1
"""Two seconds at 29.97 frames per second are 2.002 s: that is a target duration of 2, not 3."""

KEYFRAME_TOLERANCE_S = 0.01
"""By so much a keyframe may come too early and still end a segment; about half a frame."""

FORCED_CUT_MARGIN_S = 0.49
"""A segment may exceed the target duration by less than half a second: it is rounded first."""


SHORTEST_PART = 0.85
"""Of PART-TARGET; shorter parts are allowed at a segment's end only
(draft-pantos-hls-rfc8216bis, 4.4.3.7)."""

SLOW_FRAME_MARGIN = 1.02
"""Frames that are further apart than PART-TARGET do not come to the millisecond either."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The lengths of parts, segments and the window."""

    segment_s: float = 2.0
    """A segment ends at the first keyframe at or past this."""
    part_s: float = 0.5
    """PART-TARGET: no part is longer, and only a segment's last one is much shorter."""
    window: int = 12
    """Complete segments listed, at least. Delta updates leave out what is more than six target
    durations old, so half of these; players may go back by all of them, and memory holds each
    for about twice as long as it is listed."""
    low_latency: bool = True
    """List parts in the fMP4 playlist, and let clients wait for them."""
    longest_segment_s: int = 10
    """The target duration is never larger, however far apart the keyframes are."""
    stall_s: float = 3.0
    """When the track that leads falls this far behind a sound, that one cuts parts."""
    late_s: float = 0.25
    """When the picture that leads falls this far behind another, beyond the part under way, the
    other one leads: encoders send their pictures side by side. Nothing is lost by it if the first
    one is merely late. Together with a part it stays well below the time for which a playlist is
    held."""
    longest_part_bytes: int = 32 * 1024 * 1024
    """A part that outgrows this ends the publish: its time stamps stand still."""

    @property
    def part_length_s(self) -> float:
        """How long parts are: no longer than segments."""
        return min(self.part_s, self.segment_s)


def target_duration(rules: Rules, first_segment_s: float, *, has_video: bool = True) -> int:
    """Choose EXT-X-TARGETDURATION for a session whose first segment is this long.

    That one may be a short GOP; later ones are as many of these as it takes to be long enough.
    """
    longest_s = max(rules.segment_s, first_segment_s)
    if has_video and first_segment_s > 0:
        gops = math.ceil((rules.segment_s - KEYFRAME_TOLERANCE_S) / first_segment_s)
        longest_s = max(longest_s, gops * first_segment_s)
    needed = math.ceil(longest_s - ROUNDING_GRACE_S)
    return max(1, min(needed, rules.longest_segment_s))


def part_target_s(rules: Rules, longest_part_s: float) -> float:
    """Choose PART-TARGET for a session whose first segment has parts as long as this.

    It is what is configured, in whole milliseconds. Only where pictures come alone, and further
    apart than that, is it longer: no part can be shorter than a frame.
    """
    configured_s = math.ceil(rules.part_length_s * 1000) / 1000
    if longest_part_s <= configured_s:
        return configured_s
    return math.ceil(longest_part_s * SLOW_FRAME_MARGIN * 10) / 10


def longest_allowed_s(target: int) -> float:
    """Return the duration at which a segment is cut with or without a keyframe."""
    return target + FORCED_CUT_MARGIN_S
