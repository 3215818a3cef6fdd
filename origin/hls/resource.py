"""What is served: a body that never changes, with all that HTTP wants to know about it.

A body is a tuple of buffers, because a part's bytes are held once: the frames in it are the
very objects that came out of RTMP, and a segment is the buffers of its parts in a row. It can
be handed to ``transport.writelines`` as it is.
"""

import gzip
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

Pieces: TypeAlias = tuple[bytes, ...]

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
VIDEO_TYPE = "video/mp4"
AUDIO_TYPE = "audio/mp4"
TS_TYPE = "video/mp2t"

ETAG_BYTES = 12
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Resource:
    """An immutable representation; two with the same ``etag`` have the same bytes."""

    pieces: Pieces
    size: int
    content_type: str
    etag: str
    """A strong entity tag, quotes included (RFC 9110, 8.8.3), of the body as it is."""
    gzip: bytes | None = None
    """The body compressed, where that is worth it; it needs an entity tag of its own."""


def named(pieces: Pieces, content_type: str, name: str) -> Resource:
    """Make a resource whose name alone identifies its bytes: it is never used again."""
    return Resource(pieces, sum(map(len, pieces)), content_type, f'"{name}"')


def playlist(text: str) -> Resource:
    """Make a playlist: identified by its content, and compressed once for everyone."""
    body = text.encode()
    digest = blake2b(body, digest_size=ETAG_BYTES).hexdigest()
    compressed = gzip.compress(body, GZIP_LEVEL, mtime=0)
    return Resource((body,), len(body), PLAYLIST_TYPE, f'"{digest}"', compressed)
