"""At the start of a process: all that another one has kept goes into the registry.

What is found and cannot be used is said in the log, a line each, and stays where it is: whoever
runs this machine may want to know what it was. What is found and is of no use any more is removed.
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from origin.hls.rules import Rules
from origin.store.folder import KeptStream, load
from origin.streams.clock import Clock
from origin.streams.kept.form import FormError
from origin.streams.kept.keeper import Keeper
from origin.streams.kept.revival import Present, Remembered, remember
from origin.streams.registry import Registry

log = structlog.get_logger()


class Restorer:
    """Puts what is kept into a registry."""

    def __init__(
        self, keeper: Keeper, *, rules: Rules, clock: Clock, new_epoch: Callable[[], str]
    ) -> None:
        self._keeper = keeper
        self._rules = rules
        self._clock = clock
        self._new_epoch = new_epoch

    def restore(self, root: Path, registry: Registry) -> None:
        """Read all below ``root``; afterwards the streams are as they were, without publishers."""
        streams, complaints = load(root)
        for complaint in complaints:
            log.warning("kept file", path=str(complaint.path), reason=complaint.reason)
        for stream in streams:
            try:
                self._take(remember(stream, self._present(stream)), registry)
            except FormError as error:
                log.warning("kept file", path=str(stream.folder.note), reason=str(error))
            except Exception:
                # Our own mistake; but what lies on a disk must not keep the process from starting
                # again and again.
                log.exception("the window is lost", stream=stream.folder.stream)

    def _present(self, stream: KeptStream) -> Present:
        return Present(
            rules=self._rules,
            boot=self._keeper.boot,
            epoch=self._new_epoch(),
            now=self._clock.wall(),
            shown=self._keeper.marks.shown(stream.folder.stream),
        )

    def _take(self, remembered: Remembered, registry: Registry) -> None:
        name = remembered.kept.stream
        if remembered.reason is not None:
            log.warning("the window is lost", stream=name, reason=remembered.reason)
        if remembered.is_outdated:
            self._keeper.drop_stream(name)
            return
        if remembered.revived is None and remembered.kept.session:
            # Its numbers stood in its segments alone, which go now.
            kept = remembered.kept
            self._keeper.forget(kept, remembered.following, kept.last_live)
        for session in remembered.leftovers:
            self._keeper.drop(name, session)
        if not registry.recall(remembered):
            log.warning("what was kept may not be published here any more", stream=name)
        elif remembered.revived is not None:
            segments = len(remembered.revived.presentation.main.listed)
            log.info("stream restored", stream=name, segments=segments)
