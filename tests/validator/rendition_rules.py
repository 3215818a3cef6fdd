"""V2: what all renditions of a stream have to agree in, so that a player may change between them.

draft-pantos-hls-rfc8216bis, 6.2.4: matching content at matching times, the same target duration
(and the same discontinuity numbers: P5). That the same *number* is the same segment is not asked
for there, but every low-latency player starts from it: a rendition report is nothing else.
"""

from collections.abc import Iterator, Mapping

from tests.validator.playlist_rules import where
from tests.validator.reading import Recording, Rendition
from tests.validator.violation import Finding


def agreement(recording: Recording) -> Iterator[Finding]:
    """V2: each rendition is compared with the first."""
    for other in recording.renditions[1:]:
        first = recording.renditions[0]
        yield from _targets(first, other)
        for what, ours, theirs in (
            ("segment", _segments(first), _segments(other)),
            ("part", _parts(first), _parts(other)),
        ):
            for number in sorted(ours.keys() & theirs.keys()):
                if ours[number] != theirs[number]:
                    message = f"{theirs[number]}, but {ours[number]} in {first.url}"
                    yield Finding(f"{other.url}, {what} {number}", message)


def _targets(first: Rendition, other: Rendition) -> Iterator[Finding]:
    for name in ("EXT-X-TARGETDURATION", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL"):
        said = [
            {tag.value for version in each.versions for tag in version.playlist.all(name)}
            for each in (first, other)
        ]
        if said[0] != said[1]:
            at = where(other, other.versions[0])
            yield Finding(at, f"{name} {said[1]}, but {said[0]} in {first.url}")


def _segments(rendition: Rendition) -> Mapping[tuple[int, int], object]:
    """Duration and date of each, by its sequence number; its discontinuity number is P5's."""
    return {
        (each.msn, 0): (each.listed.duration, each.listed.program_date_time)
        for each in rendition.segments
    }


def _parts(rendition: Rendition) -> Mapping[tuple[int, int], object]:
    """The duration of each part, by its segment's number and its own."""
    return {(part.msn, part.index): part.duration for part in rendition.parts}
