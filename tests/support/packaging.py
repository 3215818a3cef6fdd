"""Samples packaged as a session, as streams do it, on a clock that goes with the media."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from origin.hls.playlist import EXTENSIONS, Container
from origin.hls.presentation import Presentation
from origin.hls.rendition import Rendition
from origin.hls.resource import Resource
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter
from origin.media.coded import TrackId
from origin.media.sample import Sample
from origin.media.track import Track

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EPOCH = "e1"
FIRST_MSN = 7


class Packaging:
    """A presentation, and the segmenters that feed it one after the other."""

    def __init__(
        self, rules: Rules | None = None, *, begins_with_discontinuity: bool = False
    ) -> None:
        self.rules = rules or Rules()
        self.presentation = Presentation(
            rules=self.rules,
            epoch=EPOCH,
            first_msn=FIRST_MSN,
            first_discontinuity_sequence=3,
            begins_with_discontinuity=begins_with_discontinuity,
        )
        self.now = NOON
        """The wall clock; it stands still unless a test moves it."""
        self._segmenter: Segmenter | None = None

    @property
    def rendition(self) -> Rendition:
        """The only rendition, or the first one."""
        return self.presentation.main

    def configure(self, *tracks: Track) -> None:
        """Go on with these tracks, on a new timeline if there was one."""
        self.flush()
        self.presentation.configure(numbered(tracks))
        self._segmenter = Segmenter(
            self.rules, tracks, self.presentation.target_duration, self.presentation.part_target_s
        )

    def push(self, samples: Iterable[tuple[int, Sample]]) -> None:
        assert self._segmenter is not None
        for index, sample in samples:
            for event in self._segmenter.push(index, sample):
                self.presentation.add(event, self.now)

    def push_video(self, samples: Iterable[Sample]) -> None:
        self.push((0, sample) for sample in samples)

    def flush(self) -> None:
        for event in self._segmenter.flush() if self._segmenter else ():
            self.presentation.add(event, self.now)

    def end(self) -> None:
        self.flush()
        self.presentation.end()

    def wait(self, seconds: float) -> None:
        """Move the wall clock."""
        self.now += timedelta(seconds=seconds)


def numbered(tracks: Iterable[Track]) -> dict[TrackId, Track]:
    """Number tracks as a publisher does: those of each kind from 0."""
    found: dict[TrackId, Track] = {}
    for track in tracks:
        number = sum(known.kind is track.kind for known in found)
        found[TrackId(track.kind, number)] = track
    return found


def present(
    tracks: tuple[Track, ...], samples: Iterable[tuple[int, Sample]], rules: Rules | None = None
) -> Presentation:
    """Package a whole session; the window is large enough to list all of it."""
    packaging = Packaging(rules or Rules(window=1000))
    packaging.configure(*tracks)
    packaging.push(samples)
    packaging.end()
    return packaging.presentation


def package(
    tracks: tuple[Track, ...], samples: Iterable[tuple[int, Sample]], rules: Rules | None = None
) -> Rendition:
    """Package a whole session of one rendition."""
    return present(tracks, samples, rules).main


def body(resource: Resource | None) -> bytes:
    """Return a resource's bytes, of which there must be as many as it says."""
    assert resource is not None
    joined = b"".join(resource.pieces)
    assert len(joined) == resource.size
    return joined


def text(resource: Resource | None) -> str:
    return body(resource).decode()


def segment_bodies(rendition: Rendition, container: Container) -> list[bytes]:
    """Fetch all segments that the playlist lists, by the names in it."""
    if container is Container.FMP4:
        playlist, find = rendition.playlist(), rendition.find
    else:
        playlist, find = rendition.ts_playlist(), rendition.find_ts
    names = [line for line in text(playlist).splitlines() if not line.startswith("#")]
    assert all(name.endswith(f".{EXTENSIONS[container]}") for name in names)
    return [body(find(name)) for name in names]


def initialization_of(rendition: Rendition) -> bytes:
    """Fetch the first initialization segment that the playlist names."""
    line = next(line for line in text(rendition.playlist()).splitlines() if "EXT-X-MAP" in line)
    return body(rendition.find(line.split('"')[1]))
