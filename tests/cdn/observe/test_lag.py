"""The event loop's lag: what a timer that runs late says, and that it is set again."""

from dataclasses import dataclass, field

from cdn.observe.lag import EVERY_S, LoopLag
from tests.support.clocks import FakeClock


@dataclass
class BusyClock(FakeClock):
    """A clock on which every timer runs late by what the test says."""

    late_s: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now + (self.late_s[0] if self.late_s else 0.0)


def test_a_loop_that_is_in_time_has_no_lag() -> None:
    clock, seen = FakeClock(), list[float]()
    LoopLag(clock, seen.append).start()
    clock.advance(EVERY_S * 3)
    assert len(seen) == 3
    assert max(seen) < 1e-9


def test_what_is_observed_is_by_how_much_the_timer_was_missed() -> None:
    clock, seen = BusyClock(), list[float]()
    LoopLag(clock, seen.append).start()
    clock.late_s = [0.25]
    clock.advance(EVERY_S)
    assert [round(each, 6) for each in seen] == [0.25]


def test_a_lag_that_is_no_longer_measured_leaves_no_timer() -> None:
    clock, seen = FakeClock(), list[float]()
    lag = LoopLag(clock, seen.append)
    lag.start()
    clock.advance(EVERY_S)
    lag.stop()
    lag.stop()
    assert clock.pending == 0
    clock.advance(1.0)
    assert len(seen) == 1
