"""AMF0 as nobody should send it: deep, huge, lying about its lengths, or with the wrong words."""

from random import Random
from struct import pack

from origin.errors import ProtocolError
from origin.rtmp.amf0 import UNDEFINED, Amf0Reader, AmfValue, Date, EcmaArray, TypedObject, encode
from origin.rtmp.limits import Limits
from tests.fuzz.damage import awkward, damaged

WORDS = (
    "connect", "createStream", "releaseStream", "FCPublish", "FCUnpublish", "publish", "play",
    "play2", "deleteStream", "closeStream", "getStreamLength", "pause", "seek", "receiveAudio",
    "receiveVideo", "_result", "_error", "onStatus", "_checkbw", "call", "close", "@setDataFrame",
    "onMetaData", "|RtmpSampleAccess", "", "x" * 300, "\x00", "../../etc/passwd", "main\r\nx: y",
)  # fmt: skip
KEYS = (
    "app", "tcUrl", "flashVer", "fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx",
    "objectEncoding", "width", "height", "framerate", "videocodecid", "audiocodecid",
    "videodatarate", "audiodatarate", "audioTrackIdInfoMap", "videoTrackIdInfoMap", "language", "",
)  # fmt: skip
_MARKERS = bytes(range(0x12)) + b"\x7f\xff"


def mutated_amf(chance: Random, payload: bytes) -> bytes:
    """Commands or metadata with a fault in their values, or in the bytes."""
    pick = chance.random()
    if pick < 0.25:
        return damaged(chance, payload)
    if pick < 0.4:
        return payload + wild_amf(chance)
    try:
        values = Amf0Reader(payload, Limits().metadata).read_rest()
    except ProtocolError:
        return wild_amf(chance)
    if not values:
        return wild_amf(chance)
    at = chance.randrange(len(values))
    values[at] = _changed(chance, values[at])
    if chance.random() < 0.2:
        chance.shuffle(values)
    return encode(*values)


def odd_value(chance: Random, depth: int = 3) -> AmfValue:
    """Some value that nobody expects here."""
    simple: tuple[AmfValue, ...] = (
        None, UNDEFINED, True, float("nan"), float("inf"), -1.0, 1e300, 4294967296.0, "", "\ufffd",
        chance.choice(WORDS), "y" * 70_000, Date(float("nan")),
    )  # fmt: skip
    if depth == 0 or chance.random() < 0.6:
        return chance.choice(simple)
    inner = {chance.choice(KEYS): odd_value(chance, depth - 1) for _ in range(chance.randrange(5))}
    match chance.randrange(4):
        case 0:
            return inner
        case 1:
            return EcmaArray(inner)
        case 2:
            return TypedObject(chance.choice(WORDS), inner)
        case _:
            return [odd_value(chance, depth - 1) for _ in range(chance.randrange(5))]


def wild_amf(chance: Random) -> bytes:
    """Bytes that look like AMF0 for as long as they can."""
    match chance.randrange(7):
        case 0:  # arrays in arrays
            return b"\x0a\x00\x00\x00\x01" * chance.choice((31, 33, 33, 100, 13_000))
        case 1:  # objects in objects
            return b"\x03\x00\x01a" * chance.choice((31, 33, 33, 100, 16_000))
        case 2:  # more values than are allowed, each of one byte
            count = chance.choice((3, 300, 9_990, 60_000))
            return b"\x0a" + pack(">I", count) + b"\x05" * count
        case 3:  # references to one another, and to themselves
            return b"\x0a\x00\x00\x00\x03" + b"\x07\x00\x00" * 3 + b"\x07" + awkward(chance, 2)
        case 4:  # a length past the end
            return chance.choice((b"\x02", b"\x0c", b"\x0a", b"\x08", b"\x10")) + awkward(chance, 4)
        case 5:  # many keys, or one key many times
            key = awkward(chance, 2)[1:] or b"k"
            return b"\x03" + (b"\x00\x01" + key + b"\x05") * chance.choice((10, 10, 100, 5000))
        case _:
            markers = [bytes((chance.choice(_MARKERS),)) for _ in range(chance.randrange(1, 60))]
            return b"".join(marker + chance.randbytes(chance.randrange(9)) for marker in markers)


def _changed(chance: Random, value: AmfValue) -> AmfValue:
    if isinstance(value, str) and chance.random() < 0.5:
        return chance.choice(WORDS)
    if isinstance(value, dict) and value and chance.random() < 0.8:
        changed = value.copy()
        key = chance.choice((*value, *KEYS))
        changed[key] = odd_value(chance)
        return changed
    return odd_value(chance)
