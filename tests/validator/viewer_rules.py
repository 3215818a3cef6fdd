"""W1 to W4: what a viewer relies on, whatever the specification numbers it under.

- W1: what is listed is there, and its bytes and all that is said of it stay as they are.
- W2: media has no gap and no overlap of more than a frame without a DISCONTINUITY.
- W3: while media comes in, the playlist is never older than 1.5 target durations.
- W4: there is a stream at all; and a playlist, once it is there, is always there.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from tests.validator.media import Kind, Run
from tests.validator.parts import placed
from tests.validator.playlist import Listed
from tests.validator.playlist_rules import where
from tests.validator.reading import OK, Recording, Rendition, Segment, Version
from tests.validator.session import Exchange, Probe, Purpose, Silence
from tests.validator.violation import Finding

MEDIA = (Purpose.INIT, Purpose.SEGMENT, Purpose.PART)
WHOLE = (Probe.PLAIN, Probe.AGAIN, Probe.AFTER_REMOVAL, Probe.AFTER_END, Probe.HINT)
PASSING_TAGS = ("EXT-X-MAP", "EXT-X-PART", "EXT-X-DATERANGE", "EXT-X-BITRATE")
"""They may stand before a segment in one version and not in the next; the map that is in force
is compared instead."""

MAX_AGE_TARGETS = 1.5
TOGETHER_S = 1.0
"""Tracks that have been going on begin a segment together, or a player has to wait for one."""
AGE_SLACK_S = 0.25
"""For a busy machine."""
LONGEST_STEP_S = 1.0
"""A step of the timeline that is longer is a jump, and a jump is a discontinuity."""


def kept(recording: Recording) -> Iterator[Finding]:
    """W1."""
    bodies: dict[str, bytes] = {}
    gaps = recording.gaps()
    for exchange in recording.session.exchanges:
        request = exchange.request
        if request.purpose not in MEDIA or request.probe not in WHOLE:
            continue
        at = urlsplit(request.url).path
        if exchange.status == OK:
            if bodies.setdefault(request.url, exchange.body) != exchange.body:
                yield Finding(at, f"other bytes when asked for {request.probe.value}")
        elif request.probe in (Probe.PLAIN, Probe.AGAIN) and request.url not in gaps:
            yield Finding(at, f"listed, and answered by {exchange.error or exchange.status}")
    for rendition in recording.renditions:
        yield from _relisted(rendition)


def _relisted(rendition: Rendition) -> Iterator[Finding]:
    first: dict[str, list[tuple[str, str]]] = {}
    parts: dict[tuple[int, int], str] = {}
    places: dict[str, tuple[int, int]] = {}
    for version in rendition.all_versions:
        for msn, index, tag, _ in placed(version.playlist):
            place, uri = (msn, index), tag.attributes.get("URI", "")
            known, at = parts.setdefault(place, tag.value), places.setdefault(uri, place)
            if known != tag.value or at != place:
                message = f"part {place} was {known}; now {tag.value}, which was part {at}"
                yield Finding(where(rendition, version), message)
        for segment in version.playlist.segments:
            entry = _entry(segment)
            said = first.setdefault(segment.uri, entry)
            if said != entry:
                message = f"was listed as {said}, now as {entry}"
                yield Finding(f"{where(rendition, version)}, segment {segment.msn}", message)


def _entry(segment: Listed) -> list[tuple[str, str]]:
    said = [(tag.name, tag.value) for tag in segment.tags if tag.name not in PASSING_TAGS]
    return [*sorted(said), ("map in force", segment.map_uri or "none")]


def continuity(recording: Recording) -> Iterator[Finding]:
    """W2."""
    for rendition in recording.renditions:
        for segment in rendition.segments:
            for run in segment.runs:
                yield from _inside(segment, run)
        for domain in rendition.domains():
            yield from _along(domain)


def _along(domain: list[Segment]) -> Iterator[Finding]:
    """Each track from where it was last heard of, and the tracks beside one another."""
    last: dict[Kind, Run] = {}
    for segment in domain:
        for run in segment.runs:
            if run.kind in last:
                yield from _across(last[run.kind], run, segment)
        apart_s = _apart_s(segment)
        if apart_s > TOGETHER_S and last.keys() == {run.kind for run in segment.runs}:
            yield Finding(segment.name, f"its tracks begin {apart_s:.3f} s apart")
        is_gap = segment.listed.has("EXT-X-GAP")
        if is_gap or (segment.body and not segment.runs):
            last.clear()  # it is missing, as was said, or could not be read, which is reported
        last |= {run.kind: run for run in segment.runs}


def _apart_s(segment: Segment) -> float:
    starts = [run.start for run in segment.runs]
    return float(max(starts) - min(starts)) if starts else 0.0


def _inside(segment: Segment, run: Run) -> Iterator[Finding]:
    for before, after in pairwise(run.frames):
        step_s = (after.dts - before.dts) / run.timescale
        if not 0 < step_s <= LONGEST_STEP_S:
            yield Finding(segment.name, f"{run.kind.value} steps by {step_s:.6f} s")


def _across(before: Run, after: Run, segment: Segment) -> Iterator[Finding]:
    """A frame is as long as the longest step around the border."""
    last = before.frames[-1]
    frame = max(before.longest_step, after.longest_step, last.duration or 0)
    length = last.duration if last.duration is not None else frame
    off = after.frames[0].dts - last.dts - length
    if abs(off) > frame:
        off_s = off / before.timescale
        kind = "gap" if off > 0 else "overlap"
        yield Finding(
            segment.name, f"{kind} of {abs(off_s):.6f} s in {before.kind.value} before it"
        )


def freshness(recording: Recording) -> Iterator[Finding]:
    """W3. The age that a poll shows is at least the time since the version was first seen."""
    for rendition in recording.renditions:
        first = rendition.versions[0]
        reported: Version | None = None
        for version in rendition.versions:
            if version.exchange.body != first.exchange.body:
                first = version
            if (
                version.playlist.is_ended
                or first is reported
                or not version.playlist.target_duration
            ):
                continue
            target_s = float(version.playlist.target_duration)
            silences = recording.session.silences
            age_s = _age_in_media_s(first.at_s, version.at_s, silences, target_s)
            if age_s > MAX_AGE_TARGETS * target_s + AGE_SLACK_S:
                reported = first  # once per version that stood still
                yield Finding(where(rendition, version), f"has not changed for {age_s:.3f} s")


def _age_in_media_s(
    from_s: float, to_s: float, silences: Sequence[Silence], target_s: float
) -> float:
    """The time between, less the silences; after each, a segment has to fill up first."""
    silent_s = sum(
        max(0.0, min(to_s, silence.to_s + target_s) - max(from_s, silence.from_s))
        for silence in silences
    )
    return to_s - from_s - silent_s


def presence(recording: Recording) -> Iterator[Finding]:
    """W4."""
    if not recording.multivariants or not recording.renditions:
        yield Finding(urlsplit(recording.session.url).path, "nothing was ever to be seen")
    polls: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in recording.session.exchanges:
        request = exchange.request
        is_playlist = request.purpose in (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
        if is_playlist and request.probe is Probe.PLAIN:
            polls[request.url].append(exchange)
    for url, exchanges in polls.items():
        was_there = False
        for exchange in exchanges:
            if was_there and exchange.status != OK:
                answer = exchange.error or exchange.status
                yield Finding(urlsplit(url).path, f"was there, and then {answer}")
            was_there = was_there or exchange.status == OK
