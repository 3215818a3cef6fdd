"""The journal: how what must outlive the process is written, one record after the other.

::

    file    = "TIDEKEPT"  version (2)  record*
    record  = kind (1)  length of fields (4)  length of body (4)  CRC-32 (4)  fields  body

Numbers are big-endian. A process can be killed between any two bytes, so a file is read for as
long as its records are whole, and what follows is as if it had never been written. The checksum
covers what says how the rest is to be read: lengths, kind and fields. Checking the body as well,
which is media, would cost more than writing it does.

What the fields mean is not known here. This module only turns records into bytes and back. It
opens nothing.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

Pieces: TypeAlias = tuple[bytes, ...]

MAGIC = b"TIDEKEPT"
VERSION = 1
FILE_HEAD = MAGIC + VERSION.to_bytes(2, "big")
_HEAD = struct.Struct(">BIII")


class Kind(Enum):
    """What a record tells of."""

    BEGIN = 1
    """A segment begins; all that has to be known before it."""
    PART = 2
    END = 3
    """The segment is complete."""
    NOTE = 4
    """Where the stream is: the only record of its file."""


class ForeignFileError(Exception):
    """The file is not ours, or of another version; the text says which."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read."""

    kind: Kind
    fields: bytes
    body: memoryview
    """A view of the file's bytes, which stay in memory for as long as it does."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds."""

    records: tuple[Record, ...]
    whole_bytes: int
    """Up to here the file is good; what follows was never finished."""
    fault: str | None
    """Why the rest was not read; None if there is none."""


def record(kind: Kind, fields: bytes, body: Pieces = ()) -> Pieces:
    """Write a record; its body is passed on as it is, not copied."""
    length = sum(map(len, body))
    checksum = _checksum(kind.value, fields, length)
    return (_HEAD.pack(kind.value, len(fields), length, checksum) + fields, *body)


def read(content: bytes) -> Contents:
    """Read a file.

    Raises:
        ForeignFileError: it does not begin as ours do.
    """
    if content[: len(MAGIC)] != MAGIC[: len(content)]:
        raise ForeignFileError("not a file of ours")
    head = content[: len(FILE_HEAD)]
    if len(head) < len(FILE_HEAD):
        return Contents((), 0, "its head is not whole")
    if head != FILE_HEAD:
        version = int.from_bytes(head[len(MAGIC) :], "big")
        raise ForeignFileError(f"version {version} of the journal, and this is {VERSION}")
    return _read_records(content)


def _read_records(content: bytes) -> Contents:
    records: list[Record] = []
    at = len(FILE_HEAD)
    try:
        for each, end in _records(memoryview(content), at):
            records.append(each)
            at = end
    except _BrokenRecordError as broken:
        return Contents(tuple(records), at, str(broken))
    return Contents(tuple(records), at, None)


class _BrokenRecordError(Exception):
    """A record that is not whole."""


def _records(content: memoryview, at: int) -> Iterator[tuple[Record, int]]:
    """Yield each record and where it ends."""
    while at < len(content):
        if len(content) - at < _HEAD.size:
            raise _BrokenRecordError(f"the record at byte {at} is not whole")
        number, fields_bytes, body_bytes, checksum = _HEAD.unpack_from(content, at)
        begin = at + _HEAD.size
        end = begin + fields_bytes + body_bytes
        if end > len(content):
            raise _BrokenRecordError(f"the record at byte {at} is not whole")
        fields = bytes(content[begin : begin + fields_bytes])
        if _checksum(number, fields, body_bytes) != checksum:
            raise _BrokenRecordError(f"the record at byte {at} is damaged")
        try:
            kind = Kind(number)
        except ValueError:
            raise _BrokenRecordError(f"the record at byte {at} is of kind {number}") from None
        yield Record(kind, fields, content[begin + fields_bytes : end]), end
        at = end


def _checksum(kind: int, fields: bytes, length: int) -> int:
    return zlib.crc32(fields, zlib.crc32(_HEAD.pack(kind, len(fields), length, 0)))
