"""Real sessions through the session alone: every way to cut them, and against pyrtmp's reader."""

import asyncio
import io
import random
from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrtmp import StreamClosedException
from pyrtmp.messages.handshake import C0, C1
from pyrtmp.session_manager import SessionManager

from origin.errors import ProtocolError
from origin.media.coded import Coded, CodedFrame, MediaKind, TrackId
from origin.rtmp.events import PublishEnded, PublishRequested
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media
from origin.rtmp.session import ServerSession
from tests.support.captures import Capture, captures
from tests.support.cuts import Cutter, every_way, whole
from tests.support.sessions import NONCE, Rehearsal

every_capture = pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)


def units_of(message: Media) -> tuple[Coded, ...]:
    read = read_video if message.kind is MediaKind.VIDEO else read_audio
    return read(message.body)


def frames_of(capture: Capture, track: TrackId) -> list[CodedFrame]:
    units = (unit for message in media_of(capture) for unit in units_of(message))
    return [unit for unit in units if isinstance(unit, CodedFrame) and unit.track == track]


def media_of(capture: Capture, cut: Cutter = whole) -> list[Media]:
    rehearsal = Rehearsal()
    rehearsal.feed(*cut(capture.read()))
    assert rehearsal.ends == [PublishEnded(clean=True)]
    return [
        event._replace(body=bytes(event.body))
        for event in rehearsal.events
        if isinstance(event, Media)
    ]


@every_way
@every_capture
def test_the_messages_of_a_session_are_those_of_its_notes(capture: Capture, cut: Cutter) -> None:
    media = media_of(capture, cut)
    audio = [message.at for message in media if message.kind is MediaKind.AUDIO]
    video = [message.at for message in media if message.kind is MediaKind.VIDEO]
    assert (len(audio), audio[0], audio[-1]) == (capture.audio_messages, 0, capture.last_audio_ms)
    assert (len(video), video[0], video[-1]) == (capture.video_messages, 0, capture.last_video_ms)
    assert audio == sorted(audio)
    assert video == sorted(video)


@every_capture
def test_every_picture_and_sound_of_a_session_is_a_coded_frame(capture: Capture) -> None:
    for number in range(capture.tracks):
        frames = frames_of(capture, TrackId(MediaKind.VIDEO, number))
        assert len(frames) == capture.frames
        assert frames[0].is_keyframe
        assert not frames[1].is_keyframe
        assert len(frames_of(capture, TrackId(MediaKind.AUDIO, number))) == capture.sounds


# pyrtmp as an independent reader. It is right where no message starts with a format 3 header (it
# forgets the delta there) and no chunk is torn from its message by another size: times are
# compared for OBS, whose headers are formats 0 to 2, and payloads for all.


class _Silence:
    """A writer for pyrtmp, which reads only here."""

    def write(self, data: bytes) -> None:
        """Drop what it says."""


async def _as_pyrtmp_reads(data: bytes) -> list[tuple[int, int, bytes]]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    manager = SessionManager(reader=reader, writer=cast(Any, _Silence()))
    await C0.from_stream(manager.fifo_reader)
    await C1.from_stream(manager.fifo_reader)
    await C1.from_stream(manager.fifo_reader)
    found = []
    with suppress(StreamClosedException):
        async for chunk in cast(Any, manager.read_chunks_from_stream()):
            if chunk.msg_type_id == 1:
                manager.reader_chunk_size = int.from_bytes(chunk.payload)
            if chunk.msg_type_id in (8, 9):
                found.append((chunk.msg_type_id, chunk.timestamp, chunk.payload))
    return found


@every_capture
async def test_pyrtmp_reads_the_same_messages(capture: Capture) -> None:
    theirs = await _as_pyrtmp_reads(capture.read())
    ours = [(9 if m.kind is MediaKind.VIDEO else 8, m.at, m.body) for m in media_of(capture)]
    assert [(kind, body) for kind, _, body in ours] == [(kind, body) for kind, _, body in theirs]
    if capture.name.startswith("obs"):
        assert [at for _, at, _ in ours] == [at for _, at, _ in theirs]


# Damage.


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(captures()), st.integers(0, 2**32), st.integers(1, 12))
def test_a_damaged_session_raises_nothing_but_protocol_errors(
    capture: Capture, seed: int, count: int
) -> None:
    data, chance = bytearray(capture.read()[:40_000]), random.Random(seed)
    for _ in range(count):
        data[chance.randrange(1, len(data))] = chance.randrange(256)
    session = ServerSession(nonce=NONCE, limits=Limits(), now=0.0)
    stream, accepted, ends = io.BytesIO(data), 0, 0
    try:
        while piece := stream.read(chance.randrange(1, 20_000)):
            session.receive(piece, 0.0)
            while (event := session.next_event()) is not None:
                ends += isinstance(event, PublishEnded)
                if isinstance(event, PublishRequested):
                    accepted += 1
                    session.accept(event.request_id, 0.0)
    except ProtocolError:
        pass
    session.abandon()
    ends += isinstance(session.next_event(), PublishEnded)
    assert session.next_event() is None
    assert ends == accepted
