"""No rule complains of a good session, and all of it is read."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.validator.content import Broadcast, Domain, Track, fmp4_broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.reading import read
from tests.validator.validate import validate

KINDS = [
    "fmp4",
    "ts",
    "fmp4 audio",
    "ts audio",
    "fmp4 video",
    "parts",
    "parts audio",
    "parts video",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_session_passes(kind: str, broadcasts: Mapping[str, Broadcast]) -> None:
    assert validate(record(FakeOrigin(broadcasts[kind]))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_good_session_everything_was_read(
    kind: str, broadcasts: Mapping[str, Broadcast]
) -> None:
    """A rule has nothing to refuse in what could not be read."""
    recording = read(record(FakeOrigin(broadcasts[kind])))

    (rendition,) = recording.renditions
    assert len(rendition.segments) == len(broadcasts[kind].pieces)
    assert all(segment.problem is None for segment in rendition.segments)
    tracks = {len(segment.runs) for segment in rendition.segments}
    assert tracks == ({1} if " " in kind else {2})


def test_a_publisher_may_vanish_between_a_picture_and_those_that_it_is_shown_after(
    domains: Mapping[str, Domain],
) -> None:
    """Its last picture came, and the B-frames before it did not."""
    domain = domains["first"]
    video, audio = domain.tracks
    last = max(range(len(video.frames)), key=lambda index: video.frames[index].pts)
    frames = video.frames[: last + 1]
    end = frames[-1].dts + frames[-1].duration
    cut_off = replace(
        domain, tracks=(Track(video.spec, frames), audio), cuts=(*domain.cuts[:-1], end)
    )

    assert validate(record(FakeOrigin(fmp4_broadcast([cut_off, domains["second"]])))) == []
