"""Whatever the bytes are, they are judged: a rule that raises would hide what the others find."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.validator.content import Broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.session import Exchange, Probe, Purpose, Session
from tests.validator.validate import validate

WHAT = [Purpose.INIT, Purpose.SEGMENT, Purpose.MEDIA_PLAYLIST, Purpose.MULTIVARIANT]
LONGEST = 1200
"""Where bytes are broken: headers and tables lie before, and most of the payload behind."""
SLOW = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True, slots=True)
class Good:
    """A good session that a failure does not print as a whole."""

    session: Session = field(repr=False)

    def with_exchanges(self, exchanges: Iterable[Exchange]) -> Session:
        return replace(self.session, exchanges=tuple(exchanges))


@pytest.fixture(scope="module", params=["fmp4 video", "ts audio", "parts video"])
def good(request: pytest.FixtureRequest, broadcasts: Mapping[str, Broadcast]) -> Good:
    return Good(record(FakeOrigin(broadcasts[request.param])))


@SLOW
@given(
    purpose=st.sampled_from(WHAT),
    at=st.integers(0, LONGEST),
    value=st.integers(0, 255),
    is_cut=st.booleans(),
)
def test_a_session_with_broken_bytes_is_judged_all_the_same(
    good: Good, purpose: Purpose, at: int, value: int, is_cut: bool
) -> None:
    def broken(exchange: Exchange) -> Exchange:
        request = exchange.request
        if request.purpose is not purpose or request.probe is not Probe.PLAIN:
            return exchange
        body = bytearray(exchange.body)
        if is_cut:
            del body[at:]
        elif at < len(body):
            body[at] = value
        return replace(exchange, body=bytes(body))

    validate(good.with_exchanges(broken(each) for each in good.session.exchanges))


@pytest.mark.parametrize("code", [0, 500], ids=["no answer", "an error"])
def test_not_one_answer_can_be_missing_without_being_missed(good: Good, code: int) -> None:
    exchanges = good.session.exchanges
    unmissed = [
        exchanges[index].request
        for index in range(1, len(exchanges))  # before the first, the stream may not be there
        if not validate(good.with_exchanges(failed_at(exchanges, index, code)))
    ]

    assert unmissed == []


def failed_at(exchanges: tuple[Exchange, ...], index: int, code: int) -> list[Exchange]:
    failed = replace(exchanges[index], status=code, body=b"", headers={})
    return [*exchanges[:index], failed, *exchanges[index + 1 :]]
