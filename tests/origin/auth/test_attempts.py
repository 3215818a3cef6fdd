"""The log of attempts: bounded, newest first, and one line for an encoder that tries again."""

from datetime import UTC, datetime, timedelta

from origin.auth.attempts import Attempt, AttemptLog, Outcome

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attempt(
    second: int = 0, address: str = "192.0.2.7", asked: str = "live/mai…", reason: str = "no"
) -> Attempt:
    at = NOON + timedelta(seconds=second)
    return Attempt(at, address, asked, "OBS", Outcome.REFUSED, reason=reason)


def test_the_newest_comes_first() -> None:
    log = AttemptLog()
    for second, asked in enumerate(("a…", "b…", "c…")):
        log.note(attempt(second, asked=asked))
    assert [each.asked for each in log] == ["c…", "b…", "a…"]


def test_an_encoder_that_tries_again_is_counted_and_moves_to_the_top() -> None:
    log = AttemptLog()
    for second in range(5):
        log.note(attempt(second))
        log.note(attempt(second, address="198.51.100.1"))
    log.note(attempt(9))
    first, second_line = log
    assert (first.address, first.times) == ("192.0.2.7", 6)
    assert (first.at, first.last_at) == (NOON, NOON + timedelta(seconds=9))
    assert second_line.times == 5


def test_another_answer_is_another_line() -> None:
    log = AttemptLog()
    log.note(attempt())
    log.note(attempt(reason="expired"))
    assert len(log) == 2


def test_the_log_is_bounded_and_the_counts_go_on() -> None:
    log = AttemptLog(most=50)
    for number in range(80):
        log.note(attempt(asked=f"{number}…"))
    assert len(log) == 50
    assert next(iter(log)).asked == "79…"
    assert log.counts == {Outcome.ACCEPTED: 0, Outcome.REFUSED: 80}
