"""Fake doors: what a listener under test asks whether a publisher may come in.

They keep what they were given. Whatever a test needs to happen in between (a decision that takes
its time, a stream that turns a publisher away) is the test's to make happen.
"""

import asyncio
from collections.abc import Callable, Mapping

from origin.auth.gate import Gate
from origin.errors import Refused
from origin.media.coded import Coded, CodedFrame, MediaKind, SequenceHeader
from origin.streams.door import PublishRequest, asked_by


class RecordedPublication:
    """Keeps all that is pushed; ``over`` is set when it ends."""

    def __init__(self, request: PublishRequest, on_closed: Callable[[str], None]) -> None:
        self.request = request
        self.close = on_closed
        self.units: list[tuple[int, Coded]] = []
        self.metadata: list[dict[str, object]] = []
        self.ends: list[bool] = []
        self.over = asyncio.Event()
        self.pushed = asyncio.Event()
        self.bug: Exception | None = None
        """What ``push`` raises from now on."""

    def push(self, at: int, unit: Coded) -> None:
        assert not self.ends, "pushed after the end"
        if self.bug is not None:
            raise self.bug
        self.units.append((at, unit))
        self.pushed.set()

    def relay(
        self, kind: MediaKind, at: int, body: memoryview | bytes, held: tuple[Coded, ...]
    ) -> None:
        assert not self.ends, "relayed after the end"

    def describe(self, metadata: Mapping[str, object]) -> None:
        assert not self.ends, "described after the end"
        self.metadata.append(dict(metadata))

    def end(self, *, clean: bool) -> None:
        self.ends.append(clean)
        self.over.set()

    def frames(self, kind: MediaKind) -> list[CodedFrame]:
        return [
            unit
            for _, unit in self.units
            if isinstance(unit, CodedFrame) and unit.track.kind is kind
        ]

    def headers(self, kind: MediaKind) -> list[SequenceHeader]:
        return [
            unit
            for _, unit in self.units
            if isinstance(unit, SequenceHeader) and unit.track.kind is kind
        ]


class OpenDoor:
    """Lets everyone in, at once, and keeps what they push."""

    def __init__(self) -> None:
        self.publications: list[RecordedPublication] = []
        self.entered = asyncio.Event()

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> RecordedPublication:
        publication = RecordedPublication(request, on_closed)
        self.publications.append(publication)
        self.entered.set()
        return publication

    @property
    def publication(self) -> RecordedPublication:
        """The only one there was."""
        (publication,) = self.publications
        return publication


class ClosedDoor:
    """Lets nobody in."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.requests: list[PublishRequest] = []

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> RecordedPublication:
        self.requests.append(request)
        raise Refused(self.reason)


class SlowDoor(OpenDoor):
    """Opens when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.may_open = asyncio.Event()

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> RecordedPublication:
        self.asked.set()
        await self.may_open.wait()
        return await super().publish(request, on_closed)


class GatedDoor(OpenDoor):
    """Keeps what is pushed by those whom the gate lets in."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.gate = gate
        self.streams: list[str] = []

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> RecordedPublication:
        self.streams.append((await self.gate.admit(asked_by(request))).stream)
        return await super().publish(request, on_closed)


class BrokenDoor:
    """Has a bug."""

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> RecordedPublication:
        raise ZeroDivisionError("the hinge")
