"""A streamer without an encoder: real media, in real time, and back as soon as it is lost.

::

    async with streaming(origin.rtmp_port) as streamer:
        await streamer.sent(3.0)         # of media, since it was last let in
        ...
    streamer.lives                       # how much it had sent each time before it was lost

A few seconds are encoded once and sent over and over. As with a real encoder what is filmed
while nobody takes it is gone, and it begins again with a keyframe.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from origin.media.sample import Sample
from tests.support.media import Clip, clip
from tests.support.rtmp_client import RtmpClient, rtmp_client

SECONDS = 6
GOP_FRAMES = 30
AGAIN_AFTER_S = 0.05


@dataclass(frozen=True, slots=True)
class Tag:
    """One FLV tag, and when it is due."""

    at_s: float
    is_video: bool
    is_keyframe: bool
    body: bytes


def tags_of(media: Clip) -> list[Tag]:
    """A clip as an encoder sends it, from 0 s on."""
    timescales = [track.timescale for track in media.tracks]
    first = min(sample.dts / timescales[index] for index, sample in media.samples)
    return [
        _tag(index == 0, sample, sample.dts / timescales[index] - first)
        for index, sample in media.samples
    ]


def _tag(is_video: bool, sample: Sample, at_s: float) -> Tag:
    if not is_video:
        return Tag(at_s, False, True, b"\xaf\x01" + sample.payload)
    head = b"\x17\x01" if sample.is_sync else b"\x27\x01"
    offset = (sample.composition_offset // 90).to_bytes(3, "big", signed=True)
    return Tag(at_s, True, sample.is_sync, head + offset + sample.payload)


@dataclass(slots=True)
class Streamer:
    """Publishes one stream for as long as it is let."""

    port: int
    name: str
    media: Clip
    lives: list[float] = field(default_factory=list)
    """Seconds of pictures sent each time, the present one included."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def sent(self, seconds: float, life: int = -1) -> None:
        """Wait until so much has been sent in the present life, or in one to come."""
        while len(self.lives) <= life or not self.lives or self.lives[life] < seconds:
            self._news.clear()
            await self._news.wait()

    async def run(self) -> None:
        """Publish, for ever."""
        while True:
            with suppress(OSError, AssertionError, asyncio.IncompleteReadError):
                async with rtmp_client(self.port) as client:
                    await client.begin(self.name)
                    await client.hear("NetStream.Publish.Start")
                    await self._stream(client)
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _stream(self, client: RtmpClient) -> None:
        self.lives.append(0.0)
        video, audio = (track.configuration.record for track in self.media.tracks)
        encoder, writer = client.encoder, client.writer
        writer.write(encoder.video(0, b"\x17\x00\x00\x00\x00" + video))
        writer.write(encoder.audio(0, b"\xaf\x00" + audio))
        loop = asyncio.get_running_loop()
        began = loop.time()
        for tag in self._from_a_keyframe():
            await asyncio.sleep(max(0.0, began + tag.at_s - loop.time()))
            send = encoder.video if tag.is_video else encoder.audio
            writer.write(send(round(tag.at_s * 1000), tag.body))
            await writer.drain()
            if client.reader.at_eof():
                raise ConnectionResetError
            if tag.is_video:
                self.lives[-1] = tag.at_s
                self._news.set()

    def _from_a_keyframe(self) -> Iterator[Tag]:
        tags, round_s = tags_of(self.media), 0.0
        while True:
            for tag in tags:
                yield Tag(round_s + tag.at_s, tag.is_video, tag.is_keyframe, tag.body)
            round_s += SECONDS


@asynccontextmanager
async def streaming(port: int, name: str = "main") -> AsyncIterator[Streamer]:
    """A streamer for as long as the block lasts; at the end it just vanishes."""
    streamer = Streamer(port, name, clip(SECONDS, keyframe_every=GOP_FRAMES))
    running = asyncio.create_task(streamer.run())
    try:
        yield streamer
    finally:
        running.cancel()
        await asyncio.wait([running])
