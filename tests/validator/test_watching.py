"""What a recording asks for, by a clock of the test's own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.validator.content import Broadcast
from tests.validator.fake_live import TARGET
from tests.validator.fake_origin import (
    BASE,
    BEGIN_S,
    WINDOW,
    Answer,
    FakeOrigin,
    Fault,
    record,
)
from tests.validator.session import Exchange, Probe, Purpose, Request, Session
from tests.validator.watching import Pace

PACE = Pace()


def asked(session: Session, purpose: Purpose, probe: Probe) -> list[Exchange]:
    return [
        exchange
        for exchange in session.exchanges
        if exchange.request.purpose is purpose and exchange.request.probe is probe
    ]


@pytest.fixture(scope="module")
def session(broadcasts: Mapping[str, Broadcast]) -> Session:
    return record(FakeOrigin(broadcasts["fmp4"]), PACE)


def test_everything_that_is_listed_is_fetched_once_and_then_again(
    session: Session, broadcasts: Mapping[str, Broadcast]
) -> None:
    names = {BASE + "v0/" + piece.uri for piece in broadcasts["fmp4"].pieces}
    for probe in (Probe.PLAIN, Probe.AGAIN):
        counts = Counter(each.request.url for each in asked(session, Purpose.SEGMENT, probe))
        assert counts == Counter(names)


def test_a_removed_segment_is_asked_for_just_before_its_time_is_over(session: Session) -> None:
    removed = asked(session, Purpose.SEGMENT, Probe.AFTER_REMOVAL)
    first = removed[0]
    # The first leaves when the fifth is complete, and may go when a window and itself are over.
    gone_s = BEGIN_S + WINDOW * TARGET + WINDOW * TARGET + TARGET
    assert first.request.url.endswith("e1-7.m4s")
    assert gone_s - 2 * PACE.removal_margin_s < first.sent_s < gone_s


def test_every_segment_is_asked_for_after_its_removal_or_after_the_end(
    session: Session, broadcasts: Mapping[str, Broadcast]
) -> None:
    late = [
        *asked(session, Purpose.SEGMENT, Probe.AFTER_REMOVAL),
        *asked(session, Purpose.SEGMENT, Probe.AFTER_END),
    ]
    assert len({each.request.url for each in late}) == len(broadcasts["fmp4"].pieces)


@pytest.mark.parametrize("purpose", [Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST, Purpose.INIT])
@pytest.mark.parametrize(
    "probe", [Probe.HEAD, Probe.GZIP, Probe.SAME_TAG, Probe.OTHER_TAG, Probe.OPTIONS]
)
def test_every_kind_of_resource_is_probed(session: Session, purpose: Purpose, probe: Probe) -> None:
    assert len(asked(session, purpose, probe)) >= 1


def test_media_playlists_are_asked_for_compressed_again_and_again(session: Session) -> None:
    polls = asked(session, Purpose.MEDIA_PLAYLIST, Probe.PLAIN)
    compressed = asked(session, Purpose.MEDIA_PLAYLIST, Probe.GZIP)
    assert len(compressed) == 1 + len(polls) // PACE.gzip_every


@pytest.mark.parametrize("probe", [Probe.RANGE, Probe.RANGE_SUFFIX, Probe.RANGE_BEYOND])
def test_ranges_are_asked_of_a_segment(session: Session, probe: Probe) -> None:
    assert len(asked(session, Purpose.SEGMENT, probe)) == 1


def test_a_name_that_cannot_exist_is_asked_for(session: Session) -> None:
    assert [each.status for each in asked(session, Purpose.NOTHING, Probe.PLAIN)] == [404]


def test_an_ended_playlist_is_looked_at_a_few_times_more(session: Session) -> None:
    polls = asked(session, Purpose.MEDIA_PLAYLIST, Probe.PLAIN)
    assert sum(b"#EXT-X-ENDLIST" in poll.body for poll in polls) == PACE.polls_after_end + 1


def test_a_segment_that_fails_is_tried_again_and_then_left(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    def fail(request: Request, answer: Answer, _: float) -> Answer:
        is_broken = request.url.endswith("e1-8.m4s")
        return replace(answer, status=0, body=b"") if is_broken else answer

    session = record(FakeOrigin(broadcasts["fmp4"], Fault(answer=fail)), PACE)

    tries = [
        each
        for each in asked(session, Purpose.SEGMENT, Probe.PLAIN)
        if each.request.url.endswith("e1-8.m4s")
    ]
    assert len(tries) == 1 + PACE.retries


def test_a_stream_that_is_not_there_yet_is_waited_for(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    def late(_: Request, answer: Answer, age_s: float) -> Answer:
        return answer if age_s > 3 else replace(answer, status=404, body=b"")

    session = record(FakeOrigin(broadcasts["fmp4"], Fault(answer=late)), PACE)

    statuses = [each.status for each in asked(session, Purpose.MULTIVARIANT, Probe.PLAIN)]
    assert statuses[:4] == [404] * 4
    assert asked(session, Purpose.SEGMENT, Probe.PLAIN)


@pytest.fixture(scope="module")
def live(broadcasts: Mapping[str, Broadcast]) -> Session:
    return record(FakeOrigin(broadcasts["parts"]), PACE)


def queries(session: Session, probe: Probe) -> list[str]:
    exchanges = asked(session, Purpose.MEDIA_PLAYLIST, probe)
    return [each.request.url.partition("?")[2] for each in exchanges]


def test_one_reader_waits_for_every_part_and_one_for_every_segment(live: Session) -> None:
    assert queries(live, Probe.BLOCKING)[:5] == [
        "_HLS_msn=8&_HLS_part=0",
        "_HLS_msn=8&_HLS_part=1",
        "_HLS_msn=8&_HLS_part=2",
        "_HLS_msn=8&_HLS_part=3",
        "_HLS_msn=9&_HLS_part=0",
    ]
    assert queries(live, Probe.WHOLE) == [f"_HLS_msn={number}" for number in range(8, 19)]


def test_delta_updates_are_asked_for_beside_the_same_full_ones(live: Session) -> None:
    full = set(queries(live, Probe.BLOCKING))
    deltas = queries(live, Probe.DELTA)
    assert len(deltas) > len(full) / 3
    assert {query.removesuffix("&_HLS_skip=YES") for query in deltas} <= full


def test_every_hinted_part_is_asked_for_once_and_before_it_is_there(live: Session) -> None:
    hinted = asked(live, Purpose.PART, Probe.HINT)
    assert len({each.request.url for each in hinted}) == len(hinted)
    assert all(each.received_s > each.sent_s for each in hinted)


def test_a_bounded_number_of_requests_makes_no_sense(live: Session) -> None:
    assert len(queries(live, Probe.REFUSED)) == 3 * 7
    assert len(set(queries(live, Probe.LONG_AGO))) == 3 * 2


def test_who_is_never_let_wait_pauses(broadcasts: Mapping[str, Broadcast]) -> None:
    hurried = Fault(hold=lambda _, asked_s, __: asked_s, blocks=False)
    session = record(FakeOrigin(broadcasts["parts video"], hurried), PACE)
    assert len(queries(session, Probe.BLOCKING)) < 40


def test_nobody_waits_any_longer_for_a_playlist_that_has_ended(live: Session) -> None:
    ends = [each for each in live.exchanges if b"#EXT-X-ENDLIST" in each.body]
    waiting = {Probe.BLOCKING, Probe.WHOLE, Probe.HINT, Probe.DELTA}
    late = [each for each in live.exchanges if each.sent_s > ends[0].received_s]
    assert not [each for each in late if each.request.probe in waiting]
    assert len([each for each in late if "_HLS_msn" in each.request.url]) <= 1
