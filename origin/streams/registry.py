"""All streams by name, and the door through which publishers come in.

The registry is the one place where a publish is decided. It holds a stream for every name that
was ever published in this process: a few hundred bytes each once its session is forgotten, so
that sequence numbers never go back.
"""

from collections.abc import Callable, Iterator

from origin.auth.keyring import Admission
from origin.auth.names import is_stream_name
from origin.hls.rules import Rules
from origin.streams.clock import Clock
from origin.streams.door import Publication, PublishRequest
from origin.streams.stream import Patience, Stream


class Registry:
    """Fulfils ``streams.door.Door`` for ingest, and answers by name for HTTP."""

    def __init__(
        self,
        admission: Admission,
        *,
        rules: Rules,
        patience: Patience,
        clock: Clock,
        new_epoch: Callable[[], str],
    ) -> None:
        self._admission = admission
        self._rules = rules
        self._patience = patience
        self._clock = clock
        self._new_epoch = new_epoch
        self._streams: dict[str, Stream] = {}

    async def publish(
        self,
        request: PublishRequest,
        on_closed: Callable[[str], None],
    ) -> Publication:
        """Let ``request`` in on the stream that its key opens.

        Raises:
            Refused: no such key; the text is for the streamer.
        """
        name = self._admission.stream_for(request.app, request.name)
        return self._stream(name).attach(request.peer, on_closed)

    def find(self, name: str) -> Stream | None:
        """The stream ``name`` if it could be published here, live or not."""
        stream = self._streams.get(name)
        if stream is None and is_stream_name(name) and self._admission.knows(name):
            return self._new_stream(name)
        return stream

    def __iter__(self) -> Iterator[Stream]:
        """Every stream that was ever published, in the order of its name."""
        return iter([self._streams[name] for name in sorted(self._streams)])

    def close(self, reason: str) -> None:
        """Let every publisher go, and publish what they sent."""
        for stream in self._streams.values():
            stream.close(reason)

    def _stream(self, name: str) -> Stream:
        return self._streams.setdefault(name, self._new_stream(name))

    def _new_stream(self, name: str) -> Stream:
        return Stream(
            name,
            rules=self._rules,
            patience=self._patience,
            clock=self._clock,
            new_epoch=self._new_epoch,
        )
