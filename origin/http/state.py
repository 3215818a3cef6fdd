"""What the routes ask of the origin, and how they get at it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from origin.auth.attempts import AttemptLog
from origin.auth.control_token import ControlToken
from origin.observe.metrics import MetricsPage
from origin.streams.bandwidth import BandwidthTests
from origin.streams.stream import Stream


class Streams(Protocol):
    """The streams by name; ``streams.registry.Registry`` is one."""

    def find(self, name: str) -> Stream | None:
        """The stream if it could be published here, live or not."""
        ...

    def __iter__(self) -> Iterator[Stream]:
        """Every stream that was ever published."""
        ...

    @property
    def bandwidth_tests(self) -> BandwidthTests:
        """The latest test of each stream."""
        ...


@dataclass(frozen=True, slots=True)
class OriginState:
    """Everything that the routes read; they change nothing."""

    streams: Streams
    metrics: MetricsPage
    is_draining: Callable[[], bool]
    attempts: AttemptLog = field(default_factory=AttemptLog)
    token: ControlToken | None = None
    """Makes an administrator; without one there is none."""
    shortage: Callable[[], str | None] = lambda: None
    """What the process has run out of, so that nobody new can come; None if of nothing."""
    notice: Callable[[], str | None] = lambda: None
    """What an operator should know though everybody may come; None if there is nothing."""


async def _streams(request: Request) -> Streams:
    return _state(request).streams


def _state(request: Request) -> OriginState:
    state = request.app.state.origin
    assert isinstance(state, OriginState)
    return state


StreamsDependency = Annotated[Streams, Depends(_streams)]
StateDependency = Annotated[OriginState, Depends(_state)]
