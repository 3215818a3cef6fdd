"""Bodies of media messages with faults where they hurt: heads, records, lengths, tracks."""

from random import Random

from tests.fuzz.damage import awkward, damaged

FOURCCS = (
    b"avc1", b"hvc1", b"av01", b"vp08", b"vp09", b"mp4a", b"Opus", b"fLaC", b"ac-3", b"ec-3",
    b".mp3", b"vvc1", b"\0\0\0\0",
)  # fmt: skip
_HEAD = 24
_RECORD = 200


def mutated_tag(chance: Random, body: bytes) -> bytes:
    """A media message's body with one fault."""
    match chance.randrange(10):
        case 0:
            return chance.randbytes(1) + body[1:]
        case 1:
            return damaged(chance, body, near=_HEAD)
        case 2 | 3:
            return damaged(chance, body, near=_RECORD)
        case 4:
            return damaged(chance, body)
        case 5:
            return body[: chance.randrange(min(len(body), _HEAD) + 1)]
        case 6:
            return _in_other_packaging(chance, body)
        case 7:
            return _in_tracks(chance, body)
        case 8:
            return body[:1] + chance.choice(FOURCCS) + body[5:]
        case _:
            return body[:5] + awkward(chance, 4) + body[9:]


def _in_other_packaging(chance: Random, body: bytes) -> bytes:
    """An old tag's data behind an enhanced head, or the other way round."""
    packet_type, fourcc = chance.randrange(16), chance.choice(FOURCCS)
    is_audio = bool(body) and body[0] >> 4 in (9, 10)
    if is_audio:
        return bytes((0x90 | packet_type,)) + fourcc + body[2:]
    frame_type = chance.choice((1, 1, 2, 5, 7)) << 4
    head = bytes((0x80 | frame_type | packet_type,)) + fourcc
    if chance.random() < 0.2:  # ModEx: sizes of 1 to 256, or 65,536 bytes, then a type
        size = chance.choice((0, 2, 3, 0xFE, 0xFF))
        head = bytes((head[0] & 0xF0 | 7, size)) + chance.randbytes(chance.randrange(6)) + fourcc
    return head + body[chance.choice((2, 5)) :]


def _in_tracks(chance: Random, body: bytes) -> bytes:
    """Multitrack: one, many, or many of many codecs, with sizes that need not be true."""
    is_audio = bool(body) and body[0] >> 4 in (9, 10)
    multitrack, packet_type = chance.randrange(4), chance.randrange(8)
    head = bytes((0x95,)) if is_audio else bytes((0x80 | chance.choice((1, 2)) << 4 | 6,))
    head += bytes((multitrack << 4 | packet_type,))
    fourcc, rest = chance.choice(FOURCCS), body[5:300]
    if multitrack != 2:
        head += fourcc
    for number in range(chance.choice((1, 2, 3, 40))):
        head += (chance.choice(FOURCCS) if multitrack == 2 else b"") + bytes((number & 0xFF,))
        size = len(rest) if chance.random() < 0.7 else int.from_bytes(awkward(chance, 3))
        head += size.to_bytes(3) + rest if multitrack else rest
    return head
