"""The loop's lag is what its timer is late by."""

from origin.observe.lag import EVERY_S, LoopLag
from tests.support.clocks import FakeClock


class LateClock(FakeClock):
    """Runs what is due late by as much as the test says."""

    late_s = 0.0

    def monotonic(self) -> float:
        return self.now + self.late_s


def test_what_is_observed_is_by_how_much_the_timer_was_missed() -> None:
    clock, seen = LateClock(), list[float]()
    lag = LoopLag(clock, lambda seconds, now: seen.append(round(seconds, 6)))
    lag.start()
    clock.advance(EVERY_S)
    clock.late_s = 0.3
    clock.advance(EVERY_S)
    assert seen == [0.0, 0.3]
    lag.stop()
    clock.advance(1.0)
    assert len(seen) == 2
    assert clock.pending == 0
