"""AMF0 (Action Message Format, 2007): the values that commands and metadata are made of.

A marker byte, then the value (section 2.1)::

    00 number      f64            0A strict array  count, values
    01 boolean     1 byte         0B date          f64 ms, s16 zone (reserved, 0)
    02 string      u16, UTF-8     0C long string   u32, UTF-8
    03 object      pairs, end     0D unsupported
    05 null                       0F XML document  as a long string
    06 undefined                  10 typed object  class name, pairs, end
    07 reference   u16            11 switch to AMF3, which nothing that publishes needs
    08 ECMA array  count, pairs, end        pairs: u16 key, value; end: 00 00 09

Lengths count bytes, not characters. The count of an ECMA array is a hint that encoders get wrong
(a count of 0 before 20 pairs is common), so only the end marker ends one. Text that is not UTF-8
is kept with replacement characters: some encoders put a camera's name into the metadata in a
code page of their own, and no stream should be lost to that.

The input is hostile until a key has been checked: every length is compared with what is there,
and bytes, values and depth are bounded by ``AmfBounds``. ``ProtocolError`` is all that comes out.

A reference costs as much as what it points to. A few hundred bytes could stand for terabytes
otherwise, to be met by whoever walks through the values or encodes them again.

Numbers in a strict array are taken all at once, at the speed of C, and are counted accordingly:
the index of a file's keyframes has thousands, and nothing else that is sent comes near it.
"""

from collections.abc import Mapping
from enum import Enum
from struct import Struct
from typing import NamedTuple, TypeAlias, Union

from origin.errors import ProtocolError
from origin.rtmp.limits import AmfBounds


class Undefined(Enum):
    """ActionScript's undefined, which is not its null."""

    UNDEFINED = "undefined"


UNDEFINED = Undefined.UNDEFINED


class Date(NamedTuple):
    """Milliseconds since 1970 in UTC; may be any float, so it is not a datetime."""

    unix_ms: float


class TypedObject(NamedTuple):
    """An object with a class name."""

    name: str
    values: "dict[str, AmfValue]"


class EcmaArray(dict[str, "AmfValue"]):
    """An object that says that it is an associative array: ``onMetaData``'s form."""


AmfValue: TypeAlias = Union[
    float, bool, str, Undefined, Date, TypedObject, "list[AmfValue]", "dict[str, AmfValue]", None
]


class _Marker:
    """Plain numbers, as ``messages.Type`` has them.

    There may be a thousand in a message, and each is compared with several.
    """

    NUMBER = 0x00
    BOOLEAN = 0x01
    STRING = 0x02
    OBJECT = 0x03
    NULL = 0x05
    UNDEFINED = 0x06
    REFERENCE = 0x07
    ECMA_ARRAY = 0x08
    OBJECT_END = 0x09
    STRICT_ARRAY = 0x0A
    DATE = 0x0B
    LONG_STRING = 0x0C
    UNSUPPORTED = 0x0D
    XML_DOCUMENT = 0x0F
    TYPED_OBJECT = 0x10


_END = bytes((0, 0, _Marker.OBJECT_END))
_LONGEST_SHORT_STRING = 0xFFFF

_number = Struct(">d")
_u16 = Struct(">H")
_u32 = Struct(">I")
_date = Struct(">dh")
_marked_number = Struct(">xd")

NUMBERS_PER_VALUE = 64
"""So many numbers of an array cost no more than one value of any other kind."""


class _Complex(NamedTuple):
    """What a reference may point to, and what it costs with all that it refers to itself."""

    value: AmfValue
    values: int
    size: int


class Amf0Reader:
    """Reads values one after another: a command's name first, the rest only if it is known."""

    def __init__(self, data: bytes | memoryview, bounds: AmfBounds) -> None:
        if len(data) > bounds.most_bytes:
            raise _too_much(bounds, f"{len(data)} bytes", "bytes", bounds.most_bytes)
        self._data = bytes(data)
        self._at = 0
        self._bounds = bounds
        self._values_left = bounds.most_values
        self._bytes_left = bounds.most_bytes - len(data)  # for what references stand for
        self._depth_left = bounds.depth
        self._complex: list[_Complex | None] = []  # in order (2.9); None: is still being read

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def read(self) -> AmfValue:
        """The next value."""
        self._values_left -= 1
        if self._values_left < 0:
            raise self._too_many()
        if self._at >= len(self._data):
            raise ProtocolError("AMF0 ends a value too early")
        marker = self._data[self._at]
        self._at += 1
        match marker:
            case _Marker.NUMBER:
                return self._number()
            case _Marker.BOOLEAN:
                return self._take(1) != b"\x00"
            case _Marker.STRING:
                return self._short_text()
            case _Marker.NULL:
                return None
            case _Marker.UNDEFINED | _Marker.UNSUPPORTED:
                return UNDEFINED
            case _Marker.LONG_STRING | _Marker.XML_DOCUMENT:
                return self._long_text()
            case _Marker.DATE:
                return Date(_date.unpack(self._take(_date.size))[0])
            case _:
                return self._read_complex(marker)

    def read_rest(self) -> list[AmfValue]:
        """All values up to the end."""
        values: list[AmfValue] = []
        while not self.at_end:
            values.append(self.read())
        return values

    def _read_complex(self, marker: int) -> AmfValue:
        if marker == _Marker.REFERENCE:
            return self._referred()
        self._depth_left -= 1
        if self._depth_left < 0:
            raise ProtocolError("AMF0 values nested too deeply")
        index, begin = len(self._complex), self._at
        values_left, bytes_left = self._values_left, self._bytes_left
        self._complex.append(None)
        value = self._read_by_marker(marker)
        size = self._at - begin + bytes_left - self._bytes_left
        self._complex[index] = _Complex(value, values_left - self._values_left, size)
        self._depth_left += 1
        return value

    def _read_by_marker(self, marker: int) -> AmfValue:
        match marker:
            case _Marker.OBJECT:
                return self._pairs({})
            case _Marker.ECMA_ARRAY:
                self._take(_u32.size)
                return self._pairs(EcmaArray())
            case _Marker.STRICT_ARRAY:
                return self._strict_array()
            case _Marker.TYPED_OBJECT:
                return TypedObject(self._short_text(), self._pairs({}))
            case _:
                raise ProtocolError(f"AMF0 marker {marker:#04x}")

    def _strict_array(self) -> list[AmfValue]:
        (count,) = _u32.unpack(self._take(_u32.size))
        if count > len(self._data) - self._at:  # a value is at least one byte
            raise ProtocolError(f"an AMF0 array of {count} values in {len(self._data)} bytes")
        end = self._at + count * _marked_number.size
        if count and self._data[self._at : end : _marked_number.size] == bytes(count):
            return self._numbers(count, end)
        if count > self._values_left:
            raise self._too_many()
        return [self.read() for _ in range(count)]

    def _numbers(self, count: int, end: int) -> "list[AmfValue]":
        """An array of nothing but numbers."""
        self._values_left -= count // NUMBERS_PER_VALUE
        if self._values_left < 0:
            raise self._too_many()
        if end > len(self._data):
            raise ProtocolError(f"AMF0 ends {end - len(self._data)} bytes too early")
        pairs, self._at = self._data[self._at : end], end
        return [number for (number,) in _marked_number.iter_unpack(pairs)]

    def _pairs(self, into: dict[str, AmfValue]) -> dict[str, AmfValue]:
        """Up to the end marker, or to the end of the message, where some encoders forget it."""
        data = self._data
        while not data.startswith(_END, self._at):
            if self._at >= len(data):
                return into
            key = self._short_text()
            into[key] = self.read()
        self._at += len(_END)
        return into

    def _referred(self) -> AmfValue:
        index: int = _u16.unpack(self._take(_u16.size))[0]
        found = self._complex[index] if index < len(self._complex) else None
        if found is None:
            raise ProtocolError(f"AMF0 reference {index} points to nothing that is complete")
        self._values_left -= found.values
        self._bytes_left -= found.size
        if self._values_left < 0 or self._bytes_left < 0:
            raise self._too_many()
        return found.value

    def _number(self) -> float:
        value: float = _number.unpack(self._take(_number.size))[0]
        return value

    def _short_text(self) -> str:
        """In one step: an object may have thousands of keys."""
        data, begin = self._data, self._at + _u16.size
        end = begin if begin > len(data) else begin + (data[begin - 2] << 8 | data[begin - 1])
        if end > len(data):
            raise ProtocolError(f"AMF0 ends {end - len(data)} bytes too early")
        self._at = end
        return data[begin:end].decode("utf-8", "replace")

    def _long_text(self) -> str:
        (size,) = _u32.unpack(self._take(_u32.size))
        return self._take(size).decode("utf-8", "replace")

    def _too_many(self) -> ProtocolError:
        return _too_much(self._bounds, "too many AMF0 values", "values", self._bounds.most_values)

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError(f"AMF0 ends {end - len(self._data)} bytes too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken


def _too_much(bounds: AmfBounds, found: str, unit: str, most: int) -> ProtocolError:
    """To whoever runs the server: where more has to be taken of an encoder, it says how."""
    what = f"{found} in one {bounds.what}: at most {most}"
    return ProtocolError(f"{what} (limits.{bounds.what}_{unit})" if bounds.are_settings else what)


def encode(*values: AmfValue) -> bytes:
    """The values one after another, as a command carries them."""
    return b"".join(map(_encode_value, values))


def _encode_value(value: AmfValue) -> bytes:
    match value:
        case bool():  # before numbers: a bool is an int
            return bytes((_Marker.BOOLEAN, value))
        case float() | int():
            return bytes((_Marker.NUMBER,)) + _number.pack(value)
        case str():
            return _encode_text(value)
        case None:
            return bytes((_Marker.NULL,))
        case Undefined():
            return bytes((_Marker.UNDEFINED,))
        case Date(unix_ms):
            return bytes((_Marker.DATE,)) + _date.pack(unix_ms, 0)
        case _:
            return _encode_complex(value)


def _encode_complex(value: "TypedObject | list[AmfValue] | dict[str, AmfValue]") -> bytes:
    match value:
        case TypedObject(name, values):
            return bytes((_Marker.TYPED_OBJECT,)) + _encode_key(name) + _encode_pairs(values)
        case list():
            return bytes((_Marker.STRICT_ARRAY,)) + _u32.pack(len(value)) + encode(*value)
        case EcmaArray():
            return bytes((_Marker.ECMA_ARRAY,)) + _u32.pack(len(value)) + _encode_pairs(value)
        case _:
            return bytes((_Marker.OBJECT,)) + _encode_pairs(value)


def _encode_text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > _LONGEST_SHORT_STRING:
        return bytes((_Marker.LONG_STRING,)) + _u32.pack(len(raw)) + raw
    return bytes((_Marker.STRING,)) + _u16.pack(len(raw)) + raw


def _encode_key(key: str) -> bytes:
    """A key that does not fit is cut: one that was no UTF-8 is three times as long as it came."""
    raw = key.encode()[:_LONGEST_SHORT_STRING]
    return _u16.pack(len(raw)) + raw


def _encode_pairs(values: "Mapping[str, AmfValue]") -> bytes:
    return b"".join(_encode_key(k) + _encode_value(v) for k, v in values.items()) + _END
