"""Faults in a session's messages, and their way onto the wire.

::

    a recorded session's messages -> faults -> chunks of any size and format -> more faults
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from struct import pack

from origin.rtmp.messages import Type
from tests.fuzz.amf import mutated_amf, wild_amf
from tests.fuzz.damage import AWKWARD, awkward, damaged
from tests.fuzz.seeds import MEDIA, sessions, short_sessions
from tests.fuzz.tags import mutated_tag
from tests.support.chunks import ChunkSender, Sent, control
from tests.support.encoders import ECHO, HELLO

Messages = list[Sent]
COMMANDS_AND_DATA = (Type.AMF0_COMMAND, Type.AMF0_DATA, Type.AMF3_COMMAND, Type.AMF3_DATA)
TINY_CHUNKS_AT_MOST = 3000


def mutated_session(chance: Random) -> bytes:
    """The bytes that a client sends in one session with some faults, handshake included."""
    messages = some_messages(chance)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        messages = chance.choice(FAULTS)(chance, messages)
    hello = HELLO + ECHO
    if chance.random() < 0.02:
        hello = damaged(chance, hello, near=8)
    data = on_the_wire(chance, messages)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 3))):
        data = damaged(chance, data, near=chance.choice((400, None)))
    return hello + data


def some_messages(chance: Random) -> Messages:
    """The beginning of some recorded session, its frames mostly cut short."""
    stock = sessions() if chance.random() < 0.15 else short_sessions()
    return list(chance.choice(stock)[: chance.choice((8, 12, 20, 40, 40, 120))])


def on_the_wire(chance: Random, messages: Messages) -> bytes:
    """The messages as chunks; a size of the sender's liking, announced or not."""
    sender = ChunkSender(repeats_extended=chance.random() < 0.8)
    sizes = [128, 4096, 60_000, 65_536, 0xFFFFFF]
    total = sum(len(message.payload) for message in messages)
    if total < TINY_CHUNKS_AT_MOST:
        sizes += [1, 7, 64]
    size = chance.choice(sizes)
    out = b"" if size == 128 else control(1, size)
    sender.chunk_size = size if chance.random() < 0.95 else 128
    pieces: list[bytes] = []
    prefers_short = chance.random() < 0.7
    for message in messages:
        formats = sender.allowed_formats(message)
        fmt = formats[-1] if prefers_short else chance.choice(formats)
        pieces += sender.chunks(message, fmt)
    if chance.random() < 0.05:
        at = chance.randrange(len(pieces)) if pieces else 0
        window = pieces[at : at + 5]
        chance.shuffle(window)
        pieces[at : at + 5] = window
    return out + b"".join(pieces)


def _drop(chance: Random, messages: Messages) -> Messages:
    if messages:
        del messages[chance.randrange(len(messages))]
    return messages


def _repeat(chance: Random, messages: Messages) -> Messages:
    if messages:
        at = chance.randrange(len(messages))
        messages[at:at] = [messages[at]] * chance.choice((1, 1, 5, 20))
    return messages


def _move(chance: Random, messages: Messages) -> Messages:
    if messages:
        message = messages.pop(chance.randrange(len(messages)))
        messages.insert(chance.randrange(len(messages) + 1), message)
    return messages


def _splice(chance: Random, messages: Messages) -> Messages:
    other = some_messages(chance)
    return messages[: chance.randrange(len(messages) + 1)] + other[chance.randrange(len(other)) :]


def _changed(
    chance: Random, messages: Messages, types: Sequence[int], change: Callable[[Sent], Sent]
) -> Messages:
    places = [at for at, message in enumerate(messages) if not types or message.type_id in types]
    if places:
        at = chance.choice(places)
        messages[at] = change(messages[at])
    return messages


def _type(chance: Random, messages: Messages) -> Messages:
    type_id = chance.choice((*range(24), 99, 255))
    return _changed(chance, messages, (), lambda m: replace(m, type_id=type_id))


def _stream(chance: Random, messages: Messages) -> Messages:
    number = chance.choice((2, 3, 5, 63, 64, 319, 320, 65_599))
    stream_id = chance.choice((0, 1, 2, 0xFFFFFFFF))
    return _changed(
        chance, messages, (), lambda m: replace(m, chunk_stream=number, stream_id=stream_id)
    )


def _many_streams(chance: Random, messages: Messages) -> Messages:
    count = chance.choice((30, 70, 130))
    more = [Sent(100 + number, 99, 0, 0, b"x") for number in range(count)]
    return messages + more


def _time(chance: Random, messages: Messages) -> Messages:
    at = chance.choice(AWKWARD)
    return _changed(chance, messages, (), lambda m: replace(m, timestamp=at))


def _times(chance: Random, messages: Messages) -> Messages:
    """The whole of the rest jumps, stands still, runs fast, or backwards."""
    begin = chance.randrange(len(messages) + 1)
    jump, factor = chance.choice(AWKWARD), chance.choice((0, 1, 1, 2, 100, -1))
    return messages[:begin] + [
        replace(m, timestamp=(m.timestamp * factor + jump) % 2**32) for m in messages[begin:]
    ]


def _bytes(chance: Random, messages: Messages) -> Messages:
    return _changed(chance, messages, (), lambda m: replace(m, payload=damaged(chance, m.payload)))


def _values(chance: Random, messages: Messages) -> Messages:
    return _changed(
        chance,
        messages,
        COMMANDS_AND_DATA,
        lambda m: replace(m, payload=mutated_amf(chance, m.payload)),
    )


def _tag(chance: Random, messages: Messages) -> Messages:
    return _changed(
        chance, messages, MEDIA, lambda m: replace(m, payload=mutated_tag(chance, m.payload))
    )


def _control(chance: Random, messages: Messages) -> Messages:
    """A control message where none was: chunk size, abort, windows, pings; or wild AMF0."""
    type_id = chance.choice((1, 2, 3, 4, 5, 6, Type.AMF0_DATA, Type.AMF3_COMMAND))
    payload = awkward(chance, chance.choice((0, 2, 4, 4, 4, 5)))
    if type_id == 4:
        payload = pack(">H", chance.randrange(9)) + payload
    if type_id in COMMANDS_AND_DATA:
        payload = wild_amf(chance)
    message = Sent(2, type_id, 0, 0, payload)
    messages.insert(chance.randrange(len(messages) + 1), message)
    return messages


def _aggregate(chance: Random, messages: Messages) -> Messages:
    """Some messages in one aggregate, whose sizes need not be true."""
    begin = chance.randrange(len(messages) + 1)
    inside = messages[begin : begin + chance.randrange(1, 12)]
    body = as_tags(inside)
    if chance.random() < 0.5:
        body = damaged(chance, body)
    message = Sent(5, Type.AGGREGATE, 1, inside[0].timestamp if inside else 0, body)
    return [*messages[:begin], message, *messages[begin + len(inside) :]]


def as_tags(messages: Sequence[Sent]) -> bytes:
    """Messages as an aggregate holds them (RTMP 1.0, 7.1.6): FLV tags with back pointers."""
    return b"".join(
        bytes((m.type_id & 0xFF,))
        + len(m.payload).to_bytes(3)
        + (m.timestamp & 0xFFFFFF).to_bytes(3)
        + (m.timestamp >> 24).to_bytes(1)
        + bytes(3)
        + m.payload
        + (11 + len(m.payload)).to_bytes(4)
        for m in messages
    )


FAULTS: tuple[Callable[[Random, Messages], Messages], ...] = (
    _drop, _repeat, _move, _splice, _type, _stream, _many_streams, _time, _times, _bytes, _values,
    _values, _tag, _tag, _tag, _control, _control, _aggregate,
)  # fmt: skip
"""Those with more to choose from stand here more than once."""
