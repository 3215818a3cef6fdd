"""An origin's streams with a data directory, whose process can be killed and started again.

::

    house = House(tmp_path)
    publication = await house.publish()
    broadcast(publication, 5.0)
    house.kill()                     # whatever had been written is all that is left
    house.start()
"""

import threading
from itertools import count
from pathlib import Path

from origin.auth.gate import OpenToAll
from origin.hls.presentation import Presentation
from origin.hls.resource import Resource
from origin.hls.rules import Rules
from origin.store.disk import Disk, RealDisk
from origin.store.folder import make_root
from origin.store.marks import Marks, shared_memory
from origin.store.writer import LIMIT_BYTES, Writer
from origin.streams.door import Publication, PublishRequest
from origin.streams.kept.keeper import Keeper
from origin.streams.kept.restoring import Restorer
from origin.streams.registry import Registry
from origin.streams.stream import Patience, Stream
from tests.support.clocks import FakeClock
from tests.support.disks import at_once

WITHIN_S = 60


class House:
    """One data directory, and one process after the other that uses it."""

    def __init__(self, folder: Path, rules: Rules | None = None) -> None:
        self.root = make_root(folder)
        self.clock = FakeClock()
        self.rules = rules or Rules()
        self.patience = Patience(grace_s=90, keep_ended_s=300)
        self.boot = "this one"
        self.shared = shared_memory()
        self._epochs = (f"epoch{number}" for number in count())
        self.start()

    def start(self, disk: Disk | None = None, limit_bytes: int = LIMIT_BYTES) -> None:
        """Start a process."""
        self.writer = Writer(disk or RealDisk(), at_once, limit_bytes)
        keeper = Keeper(
            self.writer, self.root, self.clock, marks=Marks(self.shared), boot=self.boot
        )
        self.registry = Registry(
            OpenToAll(),
            rules=self.rules,
            patience=self.patience,
            clock=self.clock,
            new_epoch=lambda: next(self._epochs),
            keeper=keeper,
        )
        restorer = Restorer(
            keeper, rules=self.rules, clock=self.clock, new_epoch=lambda: next(self._epochs)
        )
        restorer.restore(self.root, self.registry)

    def kill(self) -> None:
        """Kill it when all is written that has come so far."""
        self.settle()
        self.clock.forget()
        self.writer.close(WITHIN_S)

    def restart(self) -> None:
        self.kill()
        self.start()

    def settle(self) -> None:
        """Wait until all is written."""
        reached = threading.Event()
        self.writer.when_reached(reached.set)
        assert reached.wait(WITHIN_S)

    def wait(self, seconds: float) -> None:
        """Let time pass; the disk keeps up with it."""
        self.settle()
        self.clock.advance(seconds)

    async def publish(self, name: str = "main") -> Publication:
        request = PublishRequest("live", name, "", "192.0.2.7:50000", "OBS", "")
        return await self.registry.publish(request, lambda reason: None)

    @property
    def stream(self) -> Stream:
        stream = self.registry.find("main")
        assert stream is not None
        return stream

    @property
    def presentation(self) -> Presentation:
        assert self.stream.session is not None
        return self.stream.session.presentation

    def playlist(self, *, ts: bool = False) -> str:
        main = self.presentation.main
        return text_of(main.ts_playlist() if ts else main.playlist())

    def served(self) -> dict[str, bytes]:
        """All that the playlists name, by name."""
        main = self.presentation.main
        names = [name for name in named_in(self.playlist()) if main.find(name) is not None]
        found = {name: main.find(name) for name in names}
        found |= {name: main.find_ts(name) for name in named_in(self.playlist(ts=True))}
        found["index.m3u8"] = self.presentation.multivariant()
        return {name: text_of(resource).encode() for name, resource in found.items()}


def text_of(resource: Resource | None) -> str:
    assert resource is not None
    return b"".join(resource.pieces).decode("latin-1")


def named_in(playlist: str) -> list[str]:
    """Every address in a playlist, in order."""
    names: list[str] = []
    for line in playlist.splitlines():
        if 'URI="' in line:
            names.append(line.split('URI="')[1].split('"')[0])
        elif line and not line.startswith("#"):
            names.append(line)
    return names
