"""A stream holds no more the longer it goes on.

The time passes on a clock that the test owns. The pieces of memory that Python has given out are
counted at two moments that are 900 segments apart, when window, health and calendar have all
gone round.
"""

import gc
import sys

from origin.media.coded import VIDEO_TRACK, Codec, CodedFrame
from origin.media.timebase import Millis
from origin.streams.door import Publication
from tests.support.broadcasts import AVC_HEADER
from tests.support.stations import Station

FRAME_MS, KEYFRAME_EVERY, WATCHED_EVERY = 500, 4, 32
HOUR_S = 3600
SEGMENTS_PER_HOUR = HOUR_S * 1000 // (FRAME_MS * KEYFRAME_EVERY)


class Show:
    """One publish that goes on, with a viewer who looks in now and then."""

    def __init__(self, station: Station, publication: Publication) -> None:
        self.station = station
        self.publication = publication
        self.frames = 0
        publication.push(0, AVC_HEADER)

    def go_on(self, hours: float) -> None:
        for _ in range(round(hours * HOUR_S * 1000 / FRAME_MS)):
            is_key = self.frames % KEYFRAME_EVERY == 0
            frame = CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(0), is_key, b"\0\0\0\5\x65\0\0\0\0")
            self.publication.push(self.frames * FRAME_MS, frame)
            self.frames += 1
            self.station.clock.advance(FRAME_MS / 1000)
            if self.frames % WATCHED_EVERY == 0:
                self.watch()

    def watch(self) -> None:
        (stream,) = self.station.registry
        assert stream.session is not None
        rendition = stream.session.presentation.main
        if rendition.playlist() is not None:
            newest = rendition.newest
            assert newest is not None
            assert rendition.ts_playlist() is not None
            assert rendition.find(newest.name) is not None

    @property
    def segments(self) -> int:
        (stream,) = self.station.registry
        assert stream.session is not None
        return stream.session.segments


def held() -> int:
    gc.collect()
    return sys.getallocatedblocks()


async def test_a_stream_holds_no_more_the_longer_it_goes_on() -> None:
    station = Station()
    show = Show(station, await station.publish())
    show.go_on(0.25)
    before, made = held(), show.segments
    show.go_on(0.5)
    grown, made = held() - before, show.segments - made
    assert made == SEGMENTS_PER_HOUR / 2
    assert grown < made / 10, f"{grown} pieces of memory more after {made} segments"
