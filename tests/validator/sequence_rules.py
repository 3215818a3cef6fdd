"""P4, P5, P6, P20: what has to hold from one version of a playlist to the next.

No tool that reads one playlist at a time can see any of this, and it is what breaks players in
the field: a sequence that starts again after a reconnect, a name that comes to mean other bytes,
a discontinuity that is counted twice or never.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from urllib.parse import urlsplit

from tests.validator.playlist import MediaPlaylist, Tag
from tests.validator.playlist_rules import versions, where
from tests.validator.reading import OK, Recording, Rendition, Segment, Version
from tests.validator.session import Probe
from tests.validator.violation import Finding

DISCONTINUITY = "EXT-X-DISCONTINUITY"
ORDER = (DISCONTINUITY, "EXT-X-MAP", "EXT-X-PART")
"""Of the tags of one segment: what comes after a tag must not come before it (P6)."""
IN_TURN = (Probe.PLAIN, Probe.BLOCKING, Probe.WHOLE)
"""Readers of whom each asks again only when answered."""
SAME_CONTENT_S = 0.001


def media_sequence(recording: Recording) -> Iterator[Finding]:
    """P4: it counts removals, never goes back, and ties a URI to one number for ever."""
    for rendition in recording.renditions:
        for version in rendition.all_versions:
            number = version.playlist.integer("EXT-X-MEDIA-SEQUENCE")
            if number is None or number < 1:
                yield Finding(where(rendition, version), f"MEDIA-SEQUENCE {number}")
        for probe in IN_TURN:
            for before, after in pairwise(rendition.chain(probe)):
                for message in _sequence_faults(before, after):
                    yield Finding(where(rendition, after), message)
        yield from _renumbered(rendition)
    gaps = recording.gaps()
    for exchange in recording.exchanges([Probe.AFTER_REMOVAL]):
        if exchange.status != OK and exchange.request.url not in gaps:
            at = urlsplit(exchange.request.url).path
            yield Finding(at, f"{exchange.status} soon after its removal")


def _sequence_faults(earlier: Version, later: Version) -> Iterator[str]:
    before, after = earlier.playlist, later.playlist
    if after.media_sequence < before.media_sequence:
        yield f"MEDIA-SEQUENCE goes from {before.media_sequence} back to {after.media_sequence}"
    if before.segments and after.segments:
        last, now = before.segments[-1].msn, after.segments[-1].msn
        if now < last:
            yield f"the last segment was {last} and now is {now}"
        missed = after.segments[0].msn - last - 1
        is_soon = later.at_s - earlier.at_s < before.target_duration
        if missed > 0 and is_soon and not before.is_ended:
            yield f"{missed} numbers after {last} were never listed"


def _renumbered(rendition: Rendition) -> Iterator[Finding]:
    numbers: dict[str, int] = {}
    names: dict[int, str] = {}
    for version in rendition.all_versions:
        for segment in version.playlist.segments:
            number = numbers.setdefault(segment.uri, segment.msn)
            name = names.setdefault(segment.msn, segment.uri)
            if number != segment.msn or name != segment.uri:
                message = f"{segment.uri} is number {segment.msn}; was {number}, {name}"
                yield Finding(where(rendition, version), message)
                return  # every later one follows from the first


def discontinuity_sequence(recording: Recording) -> Iterator[Finding]:
    """P5: the discontinuity number of a segment never changes (that there is one: P1).

    That number is the playlist's EXT-X-DISCONTINUITY-SEQUENCE and the tags up to the segment,
    so it stays the same exactly if the sequence counts the tags that have left.
    """
    for rendition in recording.renditions:
        numbers: dict[str, int] = {}
        for version in rendition.all_versions:
            for segment in version.playlist.segments:
                known = numbers.setdefault(segment.uri, segment.discontinuity)
                if known != segment.discontinuity:
                    message = f"{segment.uri} was in {known}, is in {segment.discontinuity}"
                    yield Finding(where(rendition, version), message)
        yield from _uncounted(rendition)
    for one, other in pairwise(recording.renditions):
        yield from _different(one, other)


def _uncounted(rendition: Rendition) -> Iterator[Finding]:
    """Segments that no version lists together: the tag between them has to be counted as well."""
    for before, after in pairwise(rendition.segments):
        steps = after.listed.discontinuity - before.listed.discontinuity
        least = int(after.begins_domain)
        if steps < least or (after.msn == before.msn + 1 and steps > least):
            yield Finding(after.name, f"{steps} discontinuities after {before.name}, not {least}")


def _different(one: Rendition, other: Rendition) -> Iterator[Finding]:
    numbered = {segment.msn: segment.listed for segment in one.segments}
    for segment in other.segments:
        twin = numbered.get(segment.msn)
        if twin is None or not twin.program_date_time or not segment.listed.program_date_time:
            continue
        apart = twin.program_date_time - segment.listed.program_date_time
        is_same = abs(apart.total_seconds()) <= SAME_CONTENT_S
        if is_same and twin.discontinuity != segment.listed.discontinuity:
            numbers = f"{segment.listed.discontinuity}, {twin.discontinuity} in {one.url}"
            yield Finding(segment.name, f"discontinuity number {numbers}")


def discontinuity_tags(recording: Recording) -> Iterator[Finding]:
    """P6: one tag, before the map and the parts, wherever the configuration changes."""
    for rendition, version in versions(recording):
        playlist = version.playlist
        groups = [(f"segment {each.msn}", each.tags) for each in playlist.segments]
        for name, tags in [*groups, ("the segment under way", playlist.tail)]:
            for message in _tag_faults(tags):
                yield Finding(f"{where(rendition, version)}, {name}", message)
    for rendition in recording.renditions:
        for before, after in rendition.neighbours():
            change = _change(before, after)
            if change:
                yield Finding(after.name, f"{change} without DISCONTINUITY")


def _tag_faults(tags: tuple[Tag, ...]) -> Iterator[str]:
    names = [tag.name for tag in tags if tag.name in ORDER]
    if names.count(DISCONTINUITY) > 1:
        yield f"DISCONTINUITY {names.count(DISCONTINUITY)} times"
    if names != sorted(names, key=ORDER.index):
        yield f"tags in the order {names}"


def _change(before: Segment, after: Segment) -> str | None:
    """What the decoder would have to be made anew for."""
    if before.listed.map_uri != after.listed.map_uri:
        return f"EXT-X-MAP changes from {before.listed.map_uri} to {after.listed.map_uri}"
    if before.transport and after.transport:
        streams = before.transport.program.streams, after.transport.program.streams
        if streams[0] != streams[1]:
            return f"the streams change from {streams[0]} to {streams[1]}"
    for run in before.runs:
        other = after.run(run.kind)
        if other and other.format != run.format:
            return f"{run.format} becomes {other.format}"
    return None


def end(recording: Recording) -> Iterator[Finding]:
    """P20: it ends when the publisher is gone for good, changes no more, and remains."""
    for rendition in recording.renditions:
        if recording.session.must_end and not rendition.versions[-1].playlist.is_ended:
            yield Finding(urlsplit(rendition.url).path, "no ENDLIST at the end of the session")
        yield from _end_faults(rendition)
    gaps = recording.gaps()
    for exchange in recording.exchanges([Probe.AFTER_END]):
        if exchange.status != OK and exchange.request.url not in gaps:
            at = urlsplit(exchange.request.url).path
            yield Finding(at, f"{exchange.status} while the ended playlist lists it")


def _end_faults(rendition: Rendition) -> Iterator[Finding]:
    for version in rendition.versions:
        if version.playlist.is_ended:
            for message in _unfinished(version.playlist):
                yield Finding(where(rendition, version), message)
    for before, after in pairwise(rendition.versions):
        if before.playlist.is_ended and not _may_follow(before.playlist, after.playlist):
            yield Finding(where(rendition, after), "changes after ENDLIST")


def _unfinished(playlist: MediaPlaylist) -> Iterator[str]:
    if len(playlist.all("EXT-X-ENDLIST")) > 1:
        yield "more than one ENDLIST"
    tags = [tag for segment in playlist.segments for tag in segment.tags] + list(playlist.tail)
    left = {tag.name for tag in tags} & {"EXT-X-PART", "EXT-X-PRELOAD-HINT"}
    if left:
        yield f"{', '.join(sorted(left))} after the end"


def _may_follow(ended: MediaPlaylist, after: MediaPlaylist) -> bool:
    """The same again, or a new session under the name, which lists nothing of the old one."""
    if _without_lines(after) == _without_lines(ended):
        return True
    last = ended.segments[-1].msn if ended.segments else 0
    return bool(after.segments) and all(segment.msn > last for segment in after.segments)


def _without_lines(playlist: MediaPlaylist) -> object:
    def plain(tags: tuple[Tag, ...]) -> list[Tag]:
        return [replace(tag, line=0) for tag in tags]

    segments = [(each.msn, each.uri, plain(each.tags)) for each in playlist.segments]
    return plain(playlist.head), segments, plain(playlist.tail)
