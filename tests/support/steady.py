"""A healthy publisher beside whatever else a test does: small frames, 25 a second, in real time.

It runs in the test's own event loop, and tells the truth about that loop: ``own_lag_s`` is by how
much the test was late itself. What a server is blamed for has to be more than that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from origin.observe.durations import Durations
from origin.observe.lag import LoopLag
from origin.streams.clock import LoopClock
from tests.support.broadcasts import AAC_RECORD, AVC_RECORD
from tests.support.rtmp_client import RtmpClient, rtmp_client

FRAME_S = 0.04
KEYFRAME_EVERY = 25
STARTED = "NetStream.Publish.Start"
_AVC_HEADER = b"\x17\x00\x00\x00\x00" + AVC_RECORD
_AAC_HEADER = b"\xaf\x00" + AAC_RECORD
_HEADS = {True: b"\x17\x01\x00\x00\x00", False: b"\x27\x01\x00\x00\x00"}


class SteadyPublisher:
    """Publishes for as long as its block lasts."""

    def __init__(self, client: RtmpClient) -> None:
        self.frames = 0
        self._client = client
        self._lag = Durations()
        self._watch = LoopLag(LoopClock(), self._lag.add)

    @property
    def own_lag_s(self) -> float:
        """The longest that the test's own loop was held up in the last minute."""
        return self._lag.longest_s(asyncio.get_running_loop().time())

    def is_connected(self) -> bool:
        return not self._client.writer.is_closing() and not self._client.reader.at_eof()

    async def publish(self) -> None:
        """Go on until cancelled."""
        loop, encoder, writer = (
            asyncio.get_running_loop(),
            self._client.encoder,
            self._client.writer,
        )
        self._watch.start()
        began = loop.time()
        writer.write(encoder.video(0, _AVC_HEADER) + encoder.audio(0, _AAC_HEADER))
        try:
            while True:
                while self.frames * FRAME_S <= loop.time() - began:
                    self._send_frame()
                await writer.drain()
                await asyncio.sleep(FRAME_S)  # the pace is what a healthy publisher is
        finally:
            self._watch.stop()

    def _send_frame(self) -> None:
        at, is_keyframe = round(self.frames * FRAME_S * 1000), self.frames % KEYFRAME_EVERY == 0
        picture = _HEADS[is_keyframe] + b"\x00\x00\x00\x05\x65" + self.frames.to_bytes(4)
        encoder = self._client.encoder
        sound = b"\xaf\x01\x21" + self.frames.to_bytes(4)
        self._client.writer.write(encoder.video(at, picture) + encoder.audio(at, sound))
        self.frames += 1


@asynccontextmanager
async def steady_publisher(port: int, name: str = "steady") -> AsyncIterator[SteadyPublisher]:
    """On the air from the first line of the block to its last."""
    async with rtmp_client(port) as client:
        await client.begin(name)
        await client.hear(STARTED)
        publisher = SteadyPublisher(client)
        task = asyncio.create_task(publisher.publish())
        try:
            yield publisher
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
