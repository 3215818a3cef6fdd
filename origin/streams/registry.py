"""All streams by name, and the door through which publishers come in.

The registry is the one place where a publish is decided: leave to publish a stream comes from the
gate (``origin.auth.gate``), and here it meets who is publishing it already. The same key takes over
at once, since it is the same encoder, whose old connection hangs. Another key of the same stream
is somebody else, and does not throw out a publisher who is sending; it takes over from one who
has sent nothing for a second.

It holds a stream for every name that
was ever published in this process: a few hundred bytes each once its session is forgotten, so
that sequence numbers never go back.
"""

import asyncio
from collections.abc import Callable, Iterator

from origin.auth.gate import Admission
from origin.auth.keyring import Grant
from origin.auth.keys import same_key
from origin.auth.names import is_stream_name
from origin.errors import Refused
from origin.hls.rules import Rules
from origin.streams.audience import Audience
from origin.streams.bandwidth import BandwidthTests, is_bandwidth_test
from origin.streams.clock import Clock
from origin.streams.door import Publication, PublishRequest, asked_by
from origin.streams.kept.keeper import Keeper
from origin.streams.kept.revival import Remembered
from origin.streams.stream import Patience, Stream

TAKEN_BACK = "its stream key has been taken back"

HANGS_AFTER_S = 1.0
"""A publisher that is live sends something many times a second; one that has not for so long is
not in anybody's way."""


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
        keeper: Keeper | None = None,
    ) -> None:
        self._admission = admission
        self._rules = rules
        self._patience = patience
        self._clock = clock
        self._new_epoch = new_epoch
        self._keeper = keeper
        self._streams: dict[str, Stream] = {}
        self.bandwidth_tests = BandwidthTests(clock)
        self._grants: dict[str, Grant] = {}  # the last one of each stream

    async def publish(
        self,
        request: PublishRequest,
        on_closed: Callable[[str], None],
    ) -> Publication:
        """Let ``request`` in on the stream that its key opens.

        Raises:
            Refused: no such key; the text is for the streamer.
        """
        grant = await self._admission.admit(asked_by(request))
        return await self.enter(grant, request, on_closed)

    async def enter(
        self,
        grant: Grant,
        request: PublishRequest,
        on_closed: Callable[[str], None],
    ) -> Publication:
        """Let ``request`` in with leave that it was given.

        Raises:
            Refused: somebody with another key of the stream is publishing it.
        """
        if is_bandwidth_test(request):
            return self.bandwidth_tests.begin(grant, request.peer, on_closed)
        stream = self._stream(grant.stream)
        if self._is_anothers(grant) and await self._is_sending(stream):
            raise Refused(
                f"{grant.stream} is being published with another key: "
                "end that publish first, or use the same key to take over",
            )
        self._grants[grant.stream] = grant
        return stream.attach(request.peer, on_closed)

    def recheck(self) -> None:
        """Send those away whose key has been taken back."""
        for name, grant in self._grants.items():
            if not self._admission.holds(grant):
                self._streams[name].dismiss(TAKEN_BACK)
        self.bandwidth_tests.dismiss(lambda grant: not self._admission.holds(grant), TAKEN_BACK)

    def audience_of(self, name: str) -> Audience | None:
        """Where to watch ``name`` over RTMP; None while nobody publishes it."""
        stream = self._streams.get(name)
        return None if stream is None or stream.publisher is None else stream.audience

    def find(self, name: str) -> Stream | None:
        """The stream ``name`` if it could be published here, live or not."""
        stream = self._streams.get(name)
        if stream is None and is_stream_name(name) and self._admission.knows(name):
            return self._new_stream(name)
        return stream

    def recall(self, remembered: Remembered) -> bool:
        """Go on with a stream that another process has kept; False if it may not be any more."""
        name = remembered.kept.stream
        if not self._admission.knows(name):
            return False
        self._stream(name).recall(remembered)
        return True

    def __iter__(self) -> Iterator[Stream]:
        """Every stream that was ever published, in the order of its name."""
        return iter([self._streams[name] for name in sorted(self._streams)])

    def close(self, reason: str) -> None:
        """Let every publisher go, and publish what they sent."""
        for stream in self._streams.values():
            stream.close(reason)
        self.bandwidth_tests.dismiss(lambda grant: True, reason)

    def _is_anothers(self, grant: Grant) -> bool:
        """Whether the stream was published last with another key than the one of ``grant``."""
        last = self._grants.get(grant.stream)
        if last is None or last.key is None or grant.key is None:
            return False
        return not same_key(last.key, grant.key)

    async def _is_sending(self, stream: Stream) -> bool:
        """Whether the publisher of ``stream`` sends; takes a moment to find out."""
        publisher = stream.publisher
        if publisher is None:
            return False
        before = publisher.units
        moment_is_over = asyncio.Event()
        self._clock.call_later(HANGS_AFTER_S, moment_is_over.set)
        await moment_is_over.wait()
        return stream.publisher is publisher and publisher.units > before

    def _stream(self, name: str) -> Stream:
        return self._streams.setdefault(name, self._new_stream(name))

    def _new_stream(self, name: str) -> Stream:
        return Stream(
            name,
            rules=self._rules,
            patience=self._patience,
            clock=self._clock,
            new_epoch=self._new_epoch,
            keeper=self._keeper,
        )
