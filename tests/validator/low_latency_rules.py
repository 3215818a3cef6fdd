"""P11 to P14 and P19: what low-latency playlists have to look like.

The sections are those of draft-pantos-hls-rfc8216bis: EXT-X-SERVER-CONTROL 4.4.3.8,
EXT-X-PART-INF 4.4.3.7, EXT-X-PART 4.4.4.9, EXT-X-GAP 4.4.4.7.
"""

from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urljoin, urlsplit

from tests.validator.media import Kind, leading
from tests.validator.parts import Part
from tests.validator.playlist import MediaPlaylist, as_seconds
from tests.validator.playlist_rules import INDEPENDENT, where
from tests.validator.reading import OK, Recording, Rendition, Version
from tests.validator.session import Probe
from tests.validator.violation import Finding

CONTROL, PART_INF = "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF"
LEAST_OF_TARGET = Decimal("0.85")
PARTS_WITHIN_TARGETS = 3
LEAST_CONTROL = {"HOLD-BACK": 3, "CAN-SKIP-UNTIL": 6}
"""In target durations."""
LEAST_PART_HOLD_BACK = 3
"""In part targets: the draft's SHOULD; its MUST is two."""


def low_latency(recording: Recording) -> list[Rendition]:
    return [each for each in recording.renditions if each.is_low_latency]


def every_version(rendition: Rendition) -> list[Version]:
    return [*rendition.all_versions, *rendition.deltas]


def server_control(recording: Recording) -> Iterator[Finding]:
    """P11: it can block and skip, its distances are far enough, and all of it is constant."""
    for rendition in low_latency(recording):
        first: str | None = None
        for version in every_version(rendition):
            said = [tag.value for tag in version.playlist.all(CONTROL)][:1]
            if not said:
                continue  # P1
            first = said[0] if first is None else first
            if said[0] != first:
                yield Finding(where(rendition, version), f"was {first}, now {said[0]}")
            for message in _control_faults(version.playlist):
                yield Finding(where(rendition, version), message)


def _control_faults(playlist: MediaPlaylist) -> Iterator[str]:
    attributes = playlist.all(CONTROL)[0].attributes
    if attributes.get("CAN-BLOCK-RELOAD") != "YES":
        yield f"CAN-BLOCK-RELOAD {attributes.get('CAN-BLOCK-RELOAD')}"
    for name, targets in LEAST_CONTROL.items():
        seconds = as_seconds(attributes.get(name))
        if seconds is None or seconds < targets * playlist.target_duration:
            yield f"{name} {attributes.get(name)} of {targets} target durations"
    hold_back = as_seconds(attributes.get("PART-HOLD-BACK"))
    target = playlist.seconds(PART_INF, "PART-TARGET")
    if hold_back is None or (target and hold_back < LEAST_PART_HOLD_BACK * target):
        yield f"PART-HOLD-BACK {hold_back} with parts of {target}"


def part_lengths(recording: Recording) -> Iterator[Finding]:
    """P12: PART-TARGET is constant; no part is longer, and none but the last much shorter."""
    for rendition in low_latency(recording):
        first: Decimal | None = None
        for version in every_version(rendition):
            target = version.playlist.seconds(PART_INF, "PART-TARGET")
            first = target if first is None else first
            if target is None or target != first:
                yield Finding(where(rendition, version), f"PART-TARGET {target}, was {first}")
        last = {part.msn: part.index for part in rendition.parts}
        for part in rendition.parts:
            message = _length_fault(part, first, is_last=last[part.msn] == part.index)
            if message:
                yield Finding(part.name, message)


def _length_fault(part: Part, target: Decimal | None, *, is_last: bool) -> str | None:
    if part.duration is None:
        return f"DURATION {part.tag.attributes.get('DURATION')}"
    if target is None:
        return None
    if part.duration > target:
        return f"DURATION {part.duration} over PART-TARGET {target}"
    may_be_short = is_last or part.is_said_independent or part.is_gap
    if part.duration < LEAST_OF_TARGET * target and not may_be_short:
        return f"DURATION {part.duration} far below PART-TARGET {target}"
    return None


def independent_parts(recording: Recording) -> Iterator[Finding]:
    """P13: INDEPENDENT=YES where decoding can begin, and nowhere else; and behind every gap."""
    for rendition in low_latency(recording):
        yield from _behind_gaps(rendition)
        for part in rendition.parts:
            said = part.tag.attributes.get("INDEPENDENT")
            truly = _can_begin(part)
            if said not in (None, "YES"):
                yield Finding(part.name, f"INDEPENDENT={said}")
            elif truly is not None and truly != part.is_said_independent:
                yield Finding(part.name, f"INDEPENDENT={said}, and it is {truly}")
        for version in every_version(rendition):
            tail = version.playlist.tail_parts
            promises = version.playlist.all(INDEPENDENT)
            if promises and tail and not {"INDEPENDENT", "GAP"} & tail[0].attributes.keys():
                at = where(rendition, version)
                yield Finding(at, "promises independent segments, and begins one that is not")


def _behind_gaps(rendition: Rendition) -> Iterator[Finding]:
    """Who has not got what a frame refers to can do nothing with it."""
    is_behind = False
    for part in rendition.parts:
        can_begin = None if part.is_gap else _can_begin(part)
        if is_behind and can_begin is False:
            yield Finding(part.name, "needs what is missing before it")
        is_behind = part.is_gap or (is_behind and can_begin is None)


def _can_begin(part: Part) -> bool | None:
    """None where its media is not known, or has nothing of the leading track."""
    lead = leading(part.runs)
    init = part.map.init if part.map else None
    if lead is None or init is None:
        return None
    has_video = any(track.kind is Kind.VIDEO for track in init.tracks.values())
    if has_video and lead.kind is not Kind.VIDEO:
        return None
    return any(frame.is_sync for frame in lead.frames)


def listed_parts(recording: Recording) -> Iterator[Finding]:
    """P14: parts near the end only, there without fail, all of a segment's or none."""
    for rendition in low_latency(recording):
        counts = _counts(rendition)
        for version in every_version(rendition):
            if not version.playlist.is_ended:  # then it has none: P20
                for message in _listing_faults(version.playlist, counts):
                    yield Finding(where(rendition, version), message)


def _counts(rendition: Rendition) -> dict[int, int]:
    """How many parts each segment has."""
    counts: dict[int, int] = {}
    for part in rendition.parts:
        counts[part.msn] = counts.get(part.msn, 0) + 1
    return counts


def _listing_faults(playlist: MediaPlaylist, counts: dict[int, int]) -> Iterator[str]:
    lengths = [as_seconds(tag.attributes.get("DURATION")) for tag in playlist.tail_parts]
    behind = sum((length for length in lengths if length), Decimal(0))
    for segment in reversed(playlist.segments):
        if segment.parts and behind >= PARTS_WITHIN_TARGETS * playlist.target_duration:
            yield f"parts of segment {segment.msn}, {behind} s before the end"
        if segment.parts and len(segment.parts) != counts[segment.msn]:
            yield f"{len(segment.parts)} of {counts[segment.msn]} parts of segment {segment.msn}"
        behind += segment.duration
    if playlist.segments and not playlist.segments[-1].parts:
        yield f"no parts of segment {playlist.segments[-1].msn}, the last"
    if any(tag.name == "EXTINF" for tag in playlist.tail):
        yield "EXTINF of a segment that is not complete"


def gaps(recording: Recording) -> Iterator[Finding]:
    """P19: what is said to be missing is missing, and so is the segment around it."""
    there = {
        exchange.request.url
        for exchange in recording.exchanges([Probe.PLAIN, Probe.AGAIN])
        if exchange.status == OK
    }
    for rendition in recording.renditions:
        for part in rendition.parts:
            if part.tag.attributes.get("GAP") not in (None, "YES"):
                yield Finding(part.name, f"GAP={part.tag.attributes['GAP']}")
        for uri in sorted(_missing(rendition)):
            if urljoin(rendition.url, uri) in there:
                yield Finding(urlsplit(rendition.url).path, f"{uri} is a gap, and is there")
        for segment in rendition.segments:
            of_it = [part for part in rendition.parts if part.msn == segment.msn]
            if any(part.is_gap for part in of_it) and not segment.listed.has("EXT-X-GAP"):
                yield Finding(segment.name, "a part of it is a gap, and it is none")


def _missing(rendition: Rendition) -> set[str]:
    return {uri for version in every_version(rendition) for uri in version.playlist.gaps}
