"""The request reader of the fast path: it knows one kind of request, and doubts everything else.

What it reads is a whole, plain GET, byte for byte as browsers and players write it: origin-form,
HTTP/1.1, one Host, fields as ``Name: value`` with one space and CRLF (RFC 9112, 3 and 5), no body
and nothing behind it. For anything else it says ``ODD``, and a full parser gets the same bytes
(see ``handover``). So nothing here repairs, guesses or refuses: two parsers that understand one
request differently are how requests are smuggled.

::

    bytes ──> UNFINISHED   the beginning of such a request, so far
         ──> ODD           something else, or something that this reader need not understand
         ──> Request       the key, and the little else that the answer depends on

A head is read in two halves, each remembered: the first line tells the key, and the fields, which
one player sends alike with every request, tell the rest. No socket and no clock.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from cdn.errors import RequestRefused
from cdn.front.memo import Memo
from cdn.http.keys import Key, accepts_gzip, key_of

MOST_HEAD_BYTES = 16 * 1024
"""The longest head that is read here. Browsers send a tenth of it; servers take 8 to 64 KiB."""

REMEMBERED = 2048
"""How many first lines and how many sets of fields are remembered, twice over (see ``memo``)."""

LONGEST_REMEMBERED_BYTES = 2048
"""Longer halves are read anew each time: the memory is for what many send alike."""

LOCAL_PATHS = frozenset([b"/healthz", b"/readyz"])
"""Not answered from the cache."""

_METHOD = b"GET "
_VERSION = b" HTTP/1.1\r\n"
_TARGET = rb"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@/%?-]*"
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")  # RFC 3986, 3.2.2, and a port
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_VALUE = rb"[!-~](?:[ -~]*[!-~])?"
_LINE = re.compile(_METHOD + rb"(" + _TARGET + rb")" + re.escape(_VERSION))
_FIELD = re.compile(rb"(" + _TOKEN + rb"): (" + _VALUE + rb")\r\n")
_FIELDS = re.compile(rb"(?:" + _TOKEN + rb": " + _VALUE + rb"\r\n)+\r\n")

_BEGUN_TARGET = re.compile(_METHOD + _TARGET)
_BEGUN_FIELD = re.compile(rb"\r?|" + _TOKEN + rb"(?::(?: (?:[!-~][ -~]*\r?)?)?)?")

_ODD_NAMES = frozenset(
    [
        b"cdn-loop",
        b"content-length",
        b"expect",
        b"http2-settings",
        b"if-match",
        b"if-modified-since",
        b"if-range",
        b"if-unmodified-since",
        b"proxy-connection",
        b"range",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ]
)
_SINGLE_NAMES = frozenset([b"host", b"accept-encoding", b"connection", b"if-none-match"])
"""What is understood here, and therefore must not come twice with two meanings."""


class Reading(Enum):
    """What the bytes are, where they are no request that is answered here."""

    UNFINISHED = auto()
    ODD = auto()


@dataclass(frozen=True, slots=True)
class Fields:
    """What a request's fields say beside its address."""

    gzip: bool
    closes: bool
    if_none_match: bytes | None


@dataclass(frozen=True, slots=True)
class Request:
    """A plain GET; ``closes`` says that the viewer wants no more on this connection."""

    key: Key
    closes: bool = False
    if_none_match: bytes | None = None


class RequestReader:
    """Reads requests, and remembers what it has read."""

    def __init__(self) -> None:
        self._fields: Memo[bytes, Fields] = Memo(REMEMBERED)
        self._plain: Memo[bytes, Request] = Memo(REMEMBERED)
        self._gzip: Memo[bytes, Request] = Memo(REMEMBERED)

    def read(self, data: bytes) -> Request | Reading:
        """Read what came on an idle connection."""
        end = data.find(b"\n") + 1
        rest = data[end:]
        fields = self._fields.get(rest)
        if fields is None:
            found = self._read_fields(data, rest) if end else _unfinished(data)
            if isinstance(found, Reading):
                return found
            fields = found
        line = data[:end]
        memo = self._gzip if fields.gzip else self._plain
        request = memo.get(line)
        if request is None:
            request = _read_line(line, gzip=fields.gzip)
            if request is None:
                return Reading.ODD
            if len(line) <= LONGEST_REMEMBERED_BYTES:
                memo.put(line, request)
        if fields.closes or fields.if_none_match is not None:
            return Request(request.key, fields.closes, fields.if_none_match)
        return request

    def _read_fields(self, data: bytes, rest: bytes) -> Fields | Reading:
        if len(data) > MOST_HEAD_BYTES:
            return Reading.ODD
        if not _FIELDS.fullmatch(rest):
            return _unfinished(data)
        fields = _understood(_FIELD.findall(rest))
        if fields is None:
            return Reading.ODD
        if len(rest) <= LONGEST_REMEMBERED_BYTES:
            self._fields.put(rest, fields)
        return fields


def _read_line(line: bytes, *, gzip: bool) -> Request | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    path, _, query = found[1].partition(b"?")
    if path in LOCAL_PATHS:
        return None
    try:
        return Request(key_of(path, query, b"gzip" if gzip else b""))
    except RequestRefused:
        return None  # the full path says so, and why


def _understood(fields: list[tuple[bytes, bytes]]) -> Fields | None:
    """Return what the fields mean; None where they mean something that is not for here."""
    single: dict[bytes, bytes] = {}
    for name, value in fields:
        name = name.lower()
        if name in _ODD_NAMES or name in single:
            return None
        if name in _SINGLE_NAMES:
            single[name] = value
    connection = single.get(b"connection", b"keep-alive").lower()
    if not is_host(single.get(b"host")) or connection not in (b"keep-alive", b"close"):
        return None
    return Fields(
        gzip=accepts_gzip(single.get(b"accept-encoding", b"")),
        closes=connection == b"close",
        if_none_match=single.get(b"if-none-match"),
    )


def is_host(value: bytes | None) -> bool:
    """Say whether this is what a Host field may say (RFC 9112, 3.2); no field is none."""
    return value is not None and _HOST.fullmatch(value) is not None


def _unfinished(data: bytes) -> Reading:
    """Say whether this is the beginning of a plain request, byte for byte.

    Where it is not, the full parser may have an answer already; it must not be kept waiting for
    an end that never comes.
    """
    if len(data) > MOST_HEAD_BYTES:
        return Reading.ODD
    line, newline, rest = data.partition(b"\n")
    if not newline:
        return _begun(_is_begun_line(line))
    if not _LINE.fullmatch(line + newline):
        return Reading.ODD
    whole, _, last = rest.rpartition(b"\n")
    fields = whole + b"\n" if whole else b""
    if fields and (not _FIELDS.fullmatch(fields + b"\r\n") or _has_odd_name(fields)):
        return Reading.ODD
    name, colon, _ = last.partition(b":")
    is_odd = bool(colon) and name.lower() in _ODD_NAMES
    return _begun(bool(_BEGUN_FIELD.fullmatch(last)) and not is_odd)


def _is_begun_line(line: bytes) -> bool:
    target = _BEGUN_TARGET.match(line)
    if target is None:
        return (_METHOD + b"/").startswith(line)
    return _VERSION.startswith(line[target.end() :])


def _has_odd_name(fields: bytes) -> bool:
    return any(name.lower() in _ODD_NAMES for name, _ in _FIELD.findall(fields))


def _begun(is_begun: bool) -> Reading:
    return Reading.UNFINISHED if is_begun else Reading.ODD
