import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.errors import ProtocolError
from origin.rtmp.chunk import ChunkReader, Message
from origin.rtmp.chunk_writer import ChunkWriter
from origin.rtmp.limits import MIB, Limits
from tests.support.chunks import ChunkSender, Sent, basic_header, control
from tests.support.cuts import Cutter, every_way, whole

SET_CHUNK_SIZE = 1
ABORT = 2


def reader(limits: Limits | None = None, *, longest: int = 8 * MIB) -> ChunkReader:
    limits = limits or Limits()
    made = ChunkReader(limits)
    made.longest_message = longest
    made.most_unfinished = limits.unfinished_bytes
    return made


def read(made: ChunkReader, data: bytes, cut: Cutter = whole) -> list[tuple[int, int, int, bytes]]:
    """All messages in ``data``, as (type, stream, time, payload)."""
    found = []
    for piece in cut(data):
        made.receive(piece, 0.0)
        made.chunks_left = 1_000_000
        while (message := made.next_message()) is not None:
            stamp = message.type_id, message.stream_id, message.timestamp
            found.append((*stamp, bytes(message.payload)))
    return found


def header(fmt: int, stream: int, field: int, length: int = 0, type_id: int = 0) -> bytes:
    """A chunk header of format 0 to 2, on message stream 1."""
    made = basic_header(fmt, stream) + field.to_bytes(3)
    if fmt < 2:
        made += length.to_bytes(3) + bytes([type_id])
    return made + (b"\x01\x00\x00\x00" if fmt == 0 else b"")


FMT_3 = bytes([0xC0 | 4])


@every_way
def test_a_long_message_is_put_together_from_its_chunks(cut: Cutter) -> None:
    sent = Sent(4, 9, 1, 40, bytes(range(256)) * 5)
    data = b"".join(ChunkSender().chunks(sent, 0))
    assert read(reader(), data, cut) == [sent.delivered]


@pytest.mark.parametrize("size", [1024, 4096])
@pytest.mark.parametrize("length", [4095, 4096, 4097, 8192, 20_000])
def test_a_whole_message_is_put_together_in_the_buffer_it_came_in(size: int, length: int) -> None:
    sent = Sent(4, 9, 1, 40, bytes(i % 251 for i in range(length)))
    sender = ChunkSender()
    sender.chunk_size = size
    data = bytearray(b"".join(sender.chunks(sent, 0)))
    made = reader()
    read(made, control(SET_CHUNK_SIZE, size))
    made.receive(memoryview(data), 0.0)
    message = made.next_message()
    assert message is not None
    assert bytes(message.payload) == sent.payload
    assert isinstance(message.payload, memoryview)
    assert message.payload.obj is data


@every_way
def test_audio_between_the_long_chunks_of_a_message_does_not_end_it(cut: Cutter) -> None:
    sender = ChunkSender()
    sender.chunk_size = 1024
    video, audio = Sent(4, 9, 1, 40, bytes(range(256)) * 12), Sent(5, 8, 1, 40, b"a" * 300)
    first, *rest = sender.chunks(video, 0)
    data = first + b"".join(sender.chunks(audio, 0)) + b"".join(rest)
    made = reader()
    read(made, control(SET_CHUNK_SIZE, 1024))
    assert read(made, data * 2, cut) == [audio.delivered, video.delivered] * 2


@every_way
def test_a_message_that_starts_with_format_3_adds_the_last_delta(cut: Cutter) -> None:
    data = (
        header(0, 4, 1000, 1, 8)
        + b"a"
        + header(1, 4, 23, 1, 8)
        + b"b"
        + FMT_3
        + b"c"
        + FMT_3
        + b"d"
    )
    assert [at for _, _, at, _ in read(reader(), data, cut)] == [1000, 1023, 1046, 1069]


def test_format_3_after_format_0_adds_the_timestamp_itself() -> None:
    data = header(0, 4, 20, 1, 8) + b"a" + FMT_3 + b"b"
    assert [at for _, _, at, _ in read(reader(), data)] == [20, 40]


def test_format_2_keeps_length_and_type() -> None:
    data = header(0, 4, 0, 2, 8) + b"ab" + header(2, 4, 5) + b"cd"
    assert read(reader(), data) == [(8, 1, 0, b"ab"), (8, 1, 5, b"cd")]


def test_a_fresh_chunk_stream_may_begin_with_format_1() -> None:
    assert read(reader(), header(1, 4, 7, 1, 8) + b"a") == [(8, 0, 7, b"a")]


@pytest.mark.parametrize("fmt", [2, 3])
def test_a_fresh_chunk_stream_cannot_begin_without_a_length(fmt: int) -> None:
    with pytest.raises(ProtocolError, match="chunk stream 9 begins"):
        read(reader(), basic_header(fmt, 9) + bytes(20))


def test_timestamps_wrap_at_32_bits() -> None:
    first = header(0, 4, 0xFFFFFF, 1, 8) + b"\xff\xff\xff\xf0" + b"a"
    data = first + header(1, 4, 0x20, 1, 8) + b"b"
    assert [at for _, _, at, _ in read(reader(), data)] == [0xFFFFFFF0, 0x10]


@every_way
@pytest.mark.parametrize("repeats", [True, False])
def test_extended_timestamps_may_be_repeated_or_left_out(cut: Cutter, repeats: bool) -> None:
    sender = ChunkSender(repeats_extended=repeats)
    sent = Sent(4, 9, 1, 0x01234567, b"0123456789" * 30)
    data = b"".join(sender.chunks(sent, 0))
    assert read(reader(), data, cut) == [sent.delivered]


def test_a_message_that_ends_where_an_extended_timestamp_may_stand_is_not_held_back() -> None:
    sender = ChunkSender(repeats_extended=False)
    sent = Sent(4, 9, 1, 0x01234567, bytes(128) + b"xy")
    assert read(reader(), b"".join(sender.chunks(sent, 0))) == [sent.delivered]


def test_an_extended_timestamp_is_not_expected_after_a_header_without_one() -> None:
    past = header(0, 4, 0xFFFFFF, 1, 9) + b"\x01\x00\x00\x00" + b"a"
    body = bytes(128) + b"\x01\x00\x00\x00"  # which looks like it
    data = past + header(1, 4, 5, 132, 9) + body[:128] + FMT_3 + body[128:]
    assert read(reader(), data)[1:] == [(9, 1, 0x01000005, body)]


def test_chunk_streams_whose_ids_share_a_byte_are_different() -> None:
    numbers = [64, 65, 320, 576]
    data = b"".join(header(0, number, number, 130, 9) + bytes(128) for number in numbers)
    data += b"".join(basic_header(3, number) + b"xy" for number in numbers)
    assert [at for _, _, at, _ in read(reader(), data)] == numbers


@pytest.mark.parametrize("stream", [2, 63, 64, 319, 320, 65599])
@every_way
def test_chunk_stream_ids_of_one_two_and_three_bytes(cut: Cutter, stream: int) -> None:
    sender = ChunkSender()
    first, second = Sent(stream, 9, 1, 5, bytes(300)), Sent(stream, 9, 1, 10, bytes(300))
    data = b"".join([*sender.chunks(first, 0), *sender.chunks(second, 3)])
    assert read(reader(), data, cut) == [first.delivered, second.delivered]


@every_way
def test_messages_of_no_length_are_messages(cut: Cutter) -> None:
    data = header(0, 4, 3, 0, 8) + FMT_3 + header(2, 4, 1)
    assert read(reader(), data, cut) == [(8, 1, 3, b""), (8, 1, 6, b""), (8, 1, 7, b"")]


@every_way
def test_the_chunk_size_may_change_in_the_middle_of_a_message(cut: Cutter) -> None:
    sender = ChunkSender()
    sent = Sent(4, 9, 1, 0, bytes(range(256)) * 4)
    chunks = sender.chunks(sent, 0)
    data = next(chunks) + control(SET_CHUNK_SIZE, 500)
    sender.chunk_size = 500
    assert read(reader(), data + b"".join(chunks), cut) == [sent.delivered]


def test_an_aborted_message_is_forgotten_and_its_stream_goes_on() -> None:
    torn = header(0, 4, 10, 300, 9) + bytes(128)
    after = header(1, 4, 5, 1, 9) + b"x"
    assert read(reader(), torn + control(ABORT, 4) + after) == [(9, 1, 15, b"x")]


def test_abort_of_what_is_not_there_does_nothing() -> None:
    assert read(reader(), control(ABORT, 4) + control(ABORT, 9)) == []


def test_a_full_header_in_the_middle_of_a_message_repeats_the_first() -> None:
    data = header(0, 4, 9, 130, 9) + bytes(128) + header(0, 4, 9, 130, 9) + b"xy"
    assert read(reader(), data) == [(9, 1, 9, bytes(128) + b"xy")]


def test_a_new_message_in_the_middle_of_another_is_refused() -> None:
    with pytest.raises(ProtocolError, match="in the middle of another"):
        read(reader(), header(0, 4, 9, 130, 9) + bytes(128) + header(0, 4, 9, 7, 8))


@pytest.mark.parametrize("size", [0, 0x80000000])
def test_chunk_sizes_that_cannot_be_are_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match="chunk size"):
        read(reader(), control(SET_CHUNK_SIZE, size))


def test_a_control_message_too_short_for_its_number_is_refused() -> None:
    with pytest.raises(ProtocolError, match="control message of 3 bytes"):
        read(reader(), header(0, 2, 0, 3, SET_CHUNK_SIZE) + bytes(3))


# Bounds.


def test_a_message_is_refused_for_the_length_that_it_declares() -> None:
    with pytest.raises(ProtocolError, match="a message of 65537 bytes"):
        read(reader(longest=65536), header(0, 4, 0, 65537, 9))


def test_a_length_declared_earlier_is_checked_again_when_it_is_repeated() -> None:
    made = reader(longest=200)
    read(made, header(0, 4, 0, 100, 9) + bytes(100))
    made.longest_message = 50
    with pytest.raises(ProtocolError, match="a message of 100 bytes"):
        read(made, FMT_3)


def test_unfinished_bytes_are_bounded_over_all_chunk_streams() -> None:
    limits = Limits(unfinished_bytes=1000)
    pieces = [header(0, 4 + i, 0, 500, 9) + bytes(128) for i in range(8)]
    with pytest.raises(ProtocolError, match="1024 bytes in unfinished"):
        read(reader(limits), b"".join(pieces))


def test_finished_and_aborted_messages_no_longer_count_as_unfinished() -> None:
    made = reader(Limits(unfinished_bytes=300))
    sent = Sent(4, 9, 1, 0, bytes(290))
    for _ in range(5):
        read(made, header(0, 5, 0, 290, 9) + bytes(128) + control(ABORT, 5))
        assert len(read(made, b"".join(ChunkSender().chunks(sent, 0)))) == 1


def test_the_65th_chunk_stream_is_refused() -> None:
    made = reader()
    read(made, b"".join(header(0, 2 + i, 0, 1, 8) + b"a" for i in range(64)))
    with pytest.raises(ProtocolError, match="more than 64 chunk streams"):
        read(made, header(0, 100, 0, 1, 8) + b"a")


def test_reading_stops_when_its_chunks_are_used_up_and_goes_on_when_there_are_more() -> None:
    made = reader()
    made.receive((header(0, 4, 0, 0, 8) + FMT_3 * 99), 0.0)
    made.chunks_left = 30
    counts = []
    while True:
        counts.append(sum(1 for _ in iter(made.next_message, None)))
        if made.chunks_left > 0:
            break
        made.chunks_left = 30
    assert counts == [30, 30, 30, 10]


def test_two_megabytes_in_chunks_of_one_byte_do_not_hold_the_reader() -> None:
    sent = Sent(4, 9, 1, 0, bytes(2 * MIB))
    sender = ChunkSender()
    sender.chunk_size = 1
    data = control(SET_CHUNK_SIZE, 1) + b"".join(sender.chunks(sent, 0))
    made = reader()
    began = time.process_time()
    made.receive(data, 0.0)
    made.chunks_left = 10_000_000
    message = made.next_message()
    assert message is not None
    assert len(message.payload) == 2 * MIB
    assert time.process_time() - began < 2.0


def test_the_oldest_unfinished_message_is_known_by_its_beginning() -> None:
    made = reader()
    made.receive(header(0, 4, 0, 300, 9) + bytes(10), 100.0)
    assert made.next_message() is None
    made.receive(bytes(118) + header(0, 5, 0, 300, 9) + bytes(10), 101.0)
    assert made.next_message() is None
    assert made.unfinished_since == 100.0
    made.excuse(2.5)
    assert made.unfinished_since == 102.5


# Properties.

MESSAGES = st.lists(
    st.builds(
        Sent,
        chunk_stream=st.sampled_from([3, 4, 63, 64, 320, 65599]),
        type_id=st.sampled_from([8, 9, 18, 20]),
        stream_id=st.sampled_from([0, 1, 0x01020304]),
        timestamp=st.one_of(
            st.integers(0, 2**32 - 1),
            st.integers(0, 200),
            st.integers(0xFFFFF0, 0x100000F),
            st.integers(2**32 - 50, 2**32 - 1),
        ),
        payload=st.one_of(st.integers(0, 700), st.integers(2040, 4000)).map(
            lambda size: (b"\x55\xaa\x37" * 1400)[:size]
        ),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=150)
@given(MESSAGES, st.booleans(), st.data())
def test_any_interleaving_in_any_format_and_chunk_size_is_read(
    messages: list[Sent], repeats: bool, data: st.DataObject
) -> None:
    sender = ChunkSender(repeats_extended=repeats)
    waiting, wire, finished = list(messages), b"", []
    under_way: dict[int, tuple[Sent, Iterator[bytes]]] = {}
    left: dict[int, int] = {}  # bytes of each that have not been sent
    while waiting or under_way:
        if waiting and waiting[0].chunk_stream not in under_way:
            message = waiting.pop(0)
            fmt = data.draw(st.sampled_from(sender.allowed_formats(message)))
            under_way[message.chunk_stream] = message, sender.chunks(message, fmt)
            left[message.chunk_stream] = len(message.payload)
        if data.draw(st.integers(0, 3)) == 0:
            size = data.draw(st.one_of(st.integers(1, 300), st.integers(1000, 2050)))
            wire += control(SET_CHUNK_SIZE, size, chunk_size=sender.chunk_size)
            sender.chunk_size = size
        stream = data.draw(st.sampled_from(sorted(under_way)))
        message, chunks = under_way[stream]
        wire += next(chunks)
        left[stream] -= sender.chunk_size
        if left[stream] <= 0:
            finished.append(message.delivered)
            del under_way[stream]
    at = data.draw(st.integers(0, len(wire)))
    assert read(reader(), wire, lambda all_: iter([all_[:at], all_[at:]])) == finished


@given(st.binary(max_size=2000), st.integers(1, 2000))
def test_garbage_raises_nothing_but_protocol_errors(data: bytes, size: int) -> None:
    made = reader()
    with suppress(ProtocolError):
        read(made, control(SET_CHUNK_SIZE, size) + data)


# Our own messages.


@pytest.mark.parametrize("at", [0, 0xFFFFFE, 0xFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1000])
def test_what_we_write_is_read_back(at: int, size: int) -> None:
    message = Message(20, 1, at, bytes(range(200)) * 5)._replace(payload=bytes(size))
    data = ChunkWriter().write(3, message) + ChunkWriter().write(3, message)
    assert read(reader(), data) == [(20, 1, at, bytes(size))] * 2


def test_every_message_of_ours_begins_with_a_full_header() -> None:
    writer = ChunkWriter()
    first = writer.write(3, Message(20, 0, 0, b"one"))
    second = writer.write(3, Message(20, 0, 0, b"one"))
    assert first == second == b"\x03\0\0\0\0\0\x03\x14\0\0\0\0one"
