"""Tracks that wait for the next domain keep a moment of themselves, and never much memory."""

from origin.media.coded import Codec, CodedFrame, MediaKind, TrackId
from origin.media.timebase import Millis
from origin.streams.comers import EARLY, MOST_BYTES, Comers

SECOND, THIRD = TrackId(MediaKind.VIDEO, 1), TrackId(MediaKind.VIDEO, 2)


def frame(track: TrackId = SECOND, *, is_keyframe: bool = False, size: int = 10) -> CodedFrame:
    return CodedFrame(track, Codec.AVC, Millis(0), is_keyframe, bytes(size))


def test_what_came_shortly_before_goes_along_from_its_keyframe_on() -> None:
    comers, key, other = Comers(), frame(is_keyframe=True), frame()
    comers.push(900, other)
    comers.push(1000, key)
    comers.push(1033, other)
    assert comers.take(1000 + EARLY) == [(1000, key), (1033, other)]
    assert not comers
    assert comers.take(1000 + EARLY) == []


def test_what_came_long_before_stays_behind_and_still_waits() -> None:
    comers = Comers()
    comers.push(1000, frame(is_keyframe=True))
    comers.push(1001 + EARLY, frame())
    assert comers
    assert comers.take(1001 + EARLY) == []


def test_time_stamps_that_stand_still_keep_no_more_than_the_bound() -> None:
    comers, large = Comers(), frame(size=MOST_BYTES // 4)
    for track in (SECOND, THIRD):
        comers.push(1000, frame(track, is_keyframe=True))
    for _ in range(20):
        comers.push(1000, large)
        comers.push(1000, large._replace(track=THIRD))
    assert comers  # a domain is still to begin
    kept = sum(len(each.payload) for _, each in comers.take(1000))
    assert kept <= MOST_BYTES


def test_a_track_that_outgrew_the_bound_begins_again_with_a_keyframe() -> None:
    comers, key = Comers(), frame(is_keyframe=True)
    comers.push(1000, frame(is_keyframe=True, size=MOST_BYTES + 1))
    comers.push(1000, frame())
    comers.push(1000, key)
    assert comers.take(1000) == [(1000, key)]
