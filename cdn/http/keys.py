"""What a request asks for: the cache key, and the kind of resource behind it.

The key decides who shares an answer, so it is strict on both sides. Two spellings of one resource
must meet in one key, or viewers pay for each spelling with a fetch of its own; two resources must
never meet, or one is served as the other. Therefore a path is brought to one spelling (RFC 3986,
section 6.2.2), and whatever no player sends (dot segments, empty segments, encoded slashes,
control characters) is refused rather than repaired.

Of the query only the delivery directives of a playlist remain (draft-pantos-hls-rfc8216bis,
section 6.2.5), in one order; tokens, CMCD and cache busters are dropped. The request that goes to
the origin is made from the key alone: nothing that tells one viewer from another can reach the
origin, and so no answer can be one viewer's own.

Nothing here touches a socket or a clock.
"""

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import parse_qsl

from cdn.errors import RequestRefused

LONGEST_PATH = 1024
"""Streams' names have at most 64 characters and nothing is nested deeply; more is an attack."""

MOST_QUERY_FIELDS = 64
LONGEST_QUERY = 8192

RESERVED = ("api", "metrics", "docs", "redoc", "openapi.json", "studio")
"""The origin's control side: first segments of paths that are never forwarded."""

DIRECTIVES = ("_HLS_msn", "_HLS_part", "_HLS_skip")
"""The delivery directives, in the order that the key has them (rfc8216bis, section 6.2.5)."""

_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"  # RFC 3986, 2.3
)
_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")
_PATH = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_RENDITION = re.compile(r"/[apv]\d+/[^/]*$")
_GZIP = re.compile(rb"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?(?:,|$)")

_CODED = frozenset(["m4s", "mp4", "m4v", "m4a", "cmfv", "cmfa", "ts", "aac", "mp3"])
_COMPRESSED = _CODED | {"jpg", "jpeg", "png", "webp", "avif", "gif", "woff2", "gz", "zip"}


class Kind(Enum):
    """What a path leads to; rules and metrics are kept by kind."""

    PLAYLIST = "playlist"
    MULTIVARIANT = "multivariant"
    MEDIA = "media"
    STATUS = "status"
    ASSET = "asset"
    PAGE = "page"


class Key(NamedTuple):
    """What the cache files an answer under.

    ``target`` is both the normalised address and what the origin is asked for; ``gzip`` is the
    one header by which answers differ (Vary: Accept-Encoding), brought down to yes or no.
    """

    target: str
    gzip: bool


def key_of(path: bytes, query: bytes = b"", accept_encoding: bytes = b"") -> Key:
    """Return the key of a request; raise ``RequestRefused`` for what is not served here."""
    plain = normalise(path)
    if is_reserved(plain):
        raise RequestRefused(404, "This address is not served by an edge.")
    target = plain
    extension = extension_of(plain)
    if query and extension == "m3u8" and (directives := keep_directives(query)):
        target = f"{plain}?{directives}"
    gzip = extension not in _COMPRESSED and accepts_gzip(accept_encoding)
    return Key(target, gzip)


def is_reserved(path: str) -> bool:
    """Say whether a path leads to the control side, or could be taken for one that does.

    No stream has such a name in any case, and none has a name that goes on with anything but a
    letter, a digit, a hyphen or an underscore. So what a lenient server might strip from a path
    (``;`` and what follows, a space at the end) does not make another path of it here.
    """
    name = _NAME.match(path, 1)
    return name is not None and name[0].lower() in RESERVED


def normalise(path: bytes) -> str:
    """Bring a path to its one spelling, or refuse it."""
    if len(path) > LONGEST_PATH:
        raise RequestRefused(414, f"A path has at most {LONGEST_PATH} bytes.")
    if not _PLAIN_PATH.fullmatch(path):
        path = _unusual(path)
    return path.decode("ascii")


def _unusual(path: bytes) -> bytes:
    if not path.startswith(b"/") or not _PATH.fullmatch(path):
        raise RequestRefused(400, "The path holds characters that no path may hold.")
    path = _ESCAPE.sub(_decode_unreserved, path)
    for segment in path.removesuffix(b"/").split(b"/")[1:]:
        if segment in (b"", b".", b".."):
            raise RequestRefused(400, "The path holds an empty segment or a dot segment.")
    return path


def _decode_unreserved(escape: re.Match[bytes]) -> bytes:
    # RFC 3986, 6.2.2.2: an escaped unreserved character means that character; any other stays
    # escaped. Separators and controls have no business in a path, in either spelling.
    code = int(escape[1], 16)
    if code in _UNRESERVED:
        return bytes([code])
    if code < 0x20 or code == 0x7F or code in b"/\\":
        raise RequestRefused(400, "The path holds an escaped separator or control character.")
    return escape[0].upper()


def keep_directives(query: bytes) -> str:
    """Return the delivery directives of a query, in the key's order; drop everything else."""
    if len(query) > LONGEST_QUERY:
        raise RequestRefused(414, f"A query has at most {LONGEST_QUERY} bytes.")
    try:
        fields = parse_qsl(
            query.decode("latin-1"),
            keep_blank_values=True,  # a directive without a value is one that makes no sense
            max_num_fields=MOST_QUERY_FIELDS,
        )
    except ValueError as error:
        raise RequestRefused(400, "The query has too many fields.") from error
    given: dict[str, str] = {}
    for name, value in fields:
        if name not in DIRECTIVES:
            continue
        if name in given:
            raise RequestRefused(400, f"{name} is given twice.")
        given[name] = _directive(name, value)
    return "&".join(f"{name}={given[name]}" for name in DIRECTIVES if name in given)


def _directive(name: str, value: str) -> str:
    if name == "_HLS_skip":
        if value not in ("YES", "v2"):
            raise RequestRefused(400, "_HLS_skip is YES or v2.")
        return value
    # A decimal-integer is at most 2**64 - 1 (RFC 8216, 4.2): 20 digits. One spelling each: 007
    # and 7 would otherwise be two keys.
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise RequestRefused(400, f"{name} is a decimal number.")
    return str(int(value))


def accepts_gzip(accept_encoding: bytes) -> bool:
    """Say whether a viewer takes gzip (RFC 9110, 12.5.3); all the rest of the header is noise."""
    found = _GZIP.search(accept_encoding.lower())
    return found is not None and (found[1] is None or float(found[1]) > 0)


def extension_of(path: str) -> str:
    """Return what follows the last dot of the last segment, or nothing."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[dot + 1 :] if dot > 0 else ""


def kind_of(target: str) -> Kind:
    """Tell the kind of a resource by its address, query or not."""
    path = target.partition("?")[0]
    extension = extension_of(path)
    if extension == "m3u8":
        return Kind.PLAYLIST if _RENDITION.search(path) else Kind.MULTIVARIANT
    if path.startswith("/assets/"):
        return Kind.ASSET
    if extension in _CODED or extension == "vtt":
        return Kind.MEDIA
    return Kind.STATUS if extension == "json" else Kind.PAGE
