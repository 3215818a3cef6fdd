"""A recorded publish, sent again in real time: over and over, and without what a test leaves out.

::

    async with replaying(port, "main", "ffmpeg9_multitrack_2v2a") as sender:
        sender.without.add(TrackId(MediaKind.VIDEO, 1))      # that track stalls
        ...
        await sender.leave()

The media is the recording's, message by message; commands and chunks are made anew, and what
onMetaData says is the test's. Its times go on from one time to the next, as if the encoder had
never stopped.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count

from origin.media.coded import Coded, CodedFrame, MediaKind, TrackId
from origin.rtmp.amf0 import AmfValue
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.messages import Media
from tests.support.captures import captures
from tests.support.encoders import ECHO, HELLO, Encoder
from tests.support.sessions import Rehearsal

FRAME_MS = 40
NOTHING: dict[str, AmfValue] = {}


def recorded(name: str) -> list[Media]:
    (capture,) = [each for each in captures() if each.name == name]
    rehearsal = Rehearsal()
    rehearsal.feed(capture.read())
    return [
        event._replace(body=bytes(event.body))
        for event in rehearsal.events
        if isinstance(event, Media)
    ]


def for_ever(media: list[Media]) -> Iterator[tuple[int, Media, list[CodedFrame]]]:
    """Each message with its time in milliseconds and the frames in it; headers only once."""
    read = [(message, frames_of(message)) for message in media]
    length = max(message.at for message, frames in read if frames) + FRAME_MS
    for turn in count():
        for message, frames in read:
            if frames or not turn:
                yield message.at + turn * length, message, frames


def frames_of(message: Media) -> list[CodedFrame]:
    read = read_video if message.kind is MediaKind.VIDEO else read_audio
    units: tuple[Coded, ...] = read(message.body)
    return [unit for unit in units if isinstance(unit, CodedFrame)]


class Sender:
    """One connection that publishes."""

    def __init__(
        self, port: int, stream: str, media: list[Media], metadata: Mapping[str, AmfValue]
    ) -> None:
        self.without: set[TrackId] = set()
        """Tracks of which nothing is sent for now."""
        self._metadata = metadata
        self._leaves = asyncio.Event()
        self._sending = asyncio.create_task(self._send(port, stream, media))

    async def leave(self) -> None:
        """Say goodbye."""
        self._leaves.set()
        await self._sending

    async def vanish(self) -> None:
        self._sending.cancel()
        with suppress(asyncio.CancelledError):
            await self._sending

    async def _send(self, port: int, stream: str, media: list[Media]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        listening = asyncio.create_task(_ignore(reader))
        encoder = Encoder()
        clock = asyncio.get_running_loop().time
        try:
            for piece in (HELLO, ECHO, encoder.connect(), encoder.publish(stream)):
                writer.write(piece)
            if self._metadata:
                writer.write(encoder.metadata(self._metadata))
            began = clock()
            for at, message, frames in for_ever(media):
                await asyncio.sleep(max(0.0, began + at / 1000 - clock()))
                if self._leaves.is_set():
                    break
                if not {frame.track for frame in frames} & self.without:
                    put = encoder.video if message.kind is MediaKind.VIDEO else encoder.audio
                    writer.write(put(at, bytes(message.body)))
                    await writer.drain()
            writer.write(encoder.goodbye())
            await writer.drain()
        finally:
            listening.cancel()
            writer.close()


@asynccontextmanager
async def replaying(
    port: int, stream: str, name: str, metadata: Mapping[str, AmfValue] = NOTHING
) -> AsyncGenerator[Sender]:
    """A publisher for as long as the block lasts."""
    sender = Sender(port, stream, recorded(name), metadata)
    try:
        yield sender
    finally:
        await sender.vanish()


async def _ignore(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass
