"""No rule complains of a good session, and all of it is read."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.validator.content import Broadcast, Domain, Track, fmp4_broadcast
from tests.validator.fake_origin import Answer, FakeOrigin, Fault, record, with_headers
from tests.validator.http_rules import has_what_was_asked
from tests.validator.playlist import decode, read_media
from tests.validator.reading import read
from tests.validator.reload_rules import twins
from tests.validator.session import Probe, Purpose, Request
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


def test_low_latency_readers_are_all_answered_and_compared(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    """Rules of waiting and skipping judge nothing where nobody waited and nothing was skipped."""
    (rendition,) = read(record(FakeOrigin(broadcasts["parts"]))).renditions

    assert len(rendition.parts) == sum(len(piece.parts) for piece in broadcasts["parts"].pieces) - 1
    assert all(part.fragments and part.runs for part in rendition.parts)
    assert len(rendition.chain(Probe.BLOCKING)) > len(rendition.parts) - 8
    assert len(rendition.chain(Probe.WHOLE)) == len(rendition.segments) - 1
    assert {each.exchange.request.probe for each in rendition.deltas} == {
        Probe.DELTA,
        Probe.DELTA_NOW,
    }
    assert len(list(twins(rendition))) == len(rendition.deltas)


def test_a_hinted_part_may_never_come_when_its_segment_ended(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    session = record(FakeOrigin(broadcasts["parts"], end_known_s=0.04))

    assert validate(session) == []
    assert {each.status for each in session.exchanges if each.request.probe is Probe.HINT} == {
        200,
        404,
    }


def test_renditions_report_on_one_another(broadcasts: Mapping[str, Broadcast]) -> None:
    session = record(FakeOrigin(broadcasts["parts video"], renditions=("v0", "v1")))

    assert validate(session) == []
    assert any(b"#EXT-X-RENDITION-REPORT" in each.body for each in session.exchanges)


def test_what_is_missing_may_be_marked_as_a_gap(broadcasts: Mapping[str, Broadcast]) -> None:
    pieces = list(broadcasts["parts"].pieces)
    parts = tuple(replace(part, is_gap=True) for part in pieces[2].parts)
    pieces[2] = replace(pieces[2], parts=parts, is_gap=True)

    assert validate(record(FakeOrigin(replace(broadcasts["parts"], pieces=tuple(pieces))))) == []


def test_who_waited_in_vain_may_be_given_what_there_is(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    """While nobody publishes: the same playlist again, which nobody may keep."""

    def stand_in(request: Request, answer: Answer, _: float) -> Answer:
        is_playlist = request.purpose is Purpose.MEDIA_PLAYLIST and answer.status == 200
        if is_playlist and not request.headers and request.method == "GET":
            playlist = read_media(decode(answer.body))
            if not playlist.is_ended and not has_what_was_asked(request.url, playlist):
                return with_headers(answer, cache_control="no-store")
        return answer

    def patience(request: Request, asked_s: float, ready_s: float) -> float:
        is_patient = request.purpose is Purpose.PART or ready_s < asked_s + 2.1
        return ready_s if is_patient else asked_s + 1.2

    fault = Fault(hold=patience, blocks=False, answer=stand_in)
    session = record(FakeOrigin(broadcasts["parts"], fault))

    assert validate(session) == []
    controls = {each.headers.get("cache-control") for each in session.exchanges}
    assert "no-store" in controls
