"""Low latency for every kind of publish: audio alone, video alone, one late, one that stalls.

Each play pushes a broadcast with something missing, and looks at the playlist after every frame
as a viewer with low latency does: parts keep their length, the hint comes true, nobody starves.
"""

import re
from collections.abc import Callable, Iterable

import pytest

from origin.hls.rendition import Rendition
from origin.media.coded import Coded, CodedFrame, MediaKind
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER, media
from tests.support.stations import Station

PART = re.compile(r'#EXT-X-PART:DURATION=([\d.]+),URI="(.*?)"(,INDEPENDENT=YES)?')
HINT = re.compile(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(.*?)"')
BOTH = (AVC_HEADER, AAC_HEADER)


class Watcher:
    """Looks at a rendition's playlist as it grows."""

    def __init__(self, rendition: Rendition) -> None:
        self.rendition = rendition
        self.parts: dict[str, float] = {}
        self.independent: set[str] = set()
        self.hints: list[str] = []
        self.changes_ms: list[int] = []

    def look(self, at_ms: int) -> None:
        playlist = self.rendition.playlist()
        if playlist is None:
            return
        text = b"".join(playlist.pieces).decode()
        found = PART.findall(text)
        fresh = [name for _, name, _ in found if name not in self.parts]
        for length, name, independent in found:
            assert self.parts.setdefault(name, float(length)) == float(length)
            if independent:
                self.independent.add(name)
        if not self.hints or fresh:
            if self.hints:
                assert fresh[0] == self.hints[-1], "the hint comes true"
                self.changes_ms.append(at_ms)
            (hint,) = HINT.findall(text)
            self.hints.append(hint)

    def check(self, *, longest_wait_s: float) -> None:
        """Every part's length is as the rule has it, and there was one often enough."""
        assert len(self.parts) >= 12
        for name, length in self.parts.items():
            assert length <= 0.5
            stem, number = name.rsplit(".", 2)[:2]
            if f"{stem}.{int(number) + 1}.m4s" in self.parts:
                assert length >= 0.425, f"{name} is not the last of its segment"
        pauses = [
            (after - before) / 1000
            for before, after in zip(self.changes_ms, self.changes_ms[1:], strict=False)
        ]
        assert max(pauses) <= longest_wait_s


async def watch(
    headers: Iterable[Coded], frames: Iterable[tuple[int, Coded]], announced: dict[str, object]
) -> Watcher:
    station = Station()
    publication = await station.publish()
    publication.describe(announced)
    for header in headers:
        publication.push(0, header)
    stream = station.registry.find("main")
    assert stream is not None
    assert stream.session is not None
    watcher = Watcher(stream.session.presentation.main)
    last = 0
    for at, frame in sorted(frames, key=lambda each: each[0]):
        station.clock.advance((at - last) / 1000)
        last = at
        publication.push(at, frame)
        watcher.look(at)
    return watcher


def broadcast_without(
    kind: MediaKind | None, when: Callable[[int], bool] = lambda at: True, seconds: float = 16
) -> list[tuple[int, CodedFrame]]:
    """A broadcast in which the frames of a kind are missing while ``when`` says so."""
    return [
        (at, frame) for at, frame in media(seconds) if frame.track.kind is not kind or not when(at)
    ]


async def test_audio_alone_has_parts_of_whole_frames_all_independent() -> None:
    frames = broadcast_without(MediaKind.VIDEO)
    watcher = await watch([AAC_HEADER], frames, {"audiocodecid": 10.0})
    watcher.check(longest_wait_s=0.55)
    assert watcher.independent == set(watcher.parts)
    assert set(watcher.parts.values()) == {0.487619}, "21 frames of 1024 samples at 44.1 kHz"
    assert watcher.rendition.target_duration == 2


async def test_video_alone_has_parts_of_whole_frames() -> None:
    frames = broadcast_without(MediaKind.AUDIO)
    watcher = await watch([AVC_HEADER], frames, {"videocodecid": 7.0})
    watcher.check(longest_wait_s=0.55)
    assert watcher.independent == {name for name in watcher.parts if ".0." in name}


@pytest.mark.parametrize(
    "announced",
    [
        pytest.param({"videocodecid": 7.0, "audiocodecid": 10.0}, id="announced"),
        pytest.param({}, id="unannounced"),
    ],
)
async def test_audio_long_before_video_is_low_latency_before_and_after(
    announced: dict[str, object],
) -> None:
    first = broadcast_without(MediaKind.VIDEO, lambda at: at < 6000)
    begin = next(at for at, frame in first if frame.track.kind is MediaKind.VIDEO)
    frames: list[tuple[int, Coded]] = [*first, (begin, AVC_HEADER)]
    frames.sort(key=lambda each: (each[0], isinstance(each[1], CodedFrame)))
    watcher = await watch([AAC_HEADER], frames, announced)
    watcher.check(longest_wait_s=0.6)
    assert any(segment.is_discontinuous for segment in watcher.rendition.listed)
    assert len(watcher.rendition.tracks) == 2


@pytest.mark.parametrize("kind", [MediaKind.AUDIO, MediaKind.VIDEO])
async def test_a_track_that_stalls_does_not_stop_the_other(kind: MediaKind) -> None:
    frames = broadcast_without(kind, lambda at: 5000 <= at < 11000, seconds=20)
    watcher = await watch(BOTH, frames, {"videocodecid": 7.0, "audiocodecid": 10.0})
    # Sound waits for the picture that leads it for three seconds, and then goes on without.
    watcher.check(longest_wait_s=0.6 if kind is MediaKind.AUDIO else 4.1)
    listed = watcher.rendition.listed
    assert all(segment.duration_s <= 2.49 for segment in listed)
