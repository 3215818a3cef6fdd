"""Playlist age: for how long the media playlists of a stream have not changed at this edge.

It is the best single alarm of live video, because everything that can break (the encoder, the
origin, the way from there to here) ends in a playlist that stands still. The figure must be
high whenever viewers are served old news, and only then. Therefore:

- What counts is a change of what the origin answers: another ETag or, without one, other bytes. A
  playlist comes in several forms (compressed or not, as a whole or as an update), which differ
  for reasons of their own; each form is compared with itself only.
- Time runs while viewers ask. A viewer who asks for a playlist makes the edge ask the origin within
  the playlist's short lifetime, so the age is counted up to the last time that the origin was
  asked, and up to now while a request is under way or for ``LATELY_S`` after it. A playlist that
  nobody wants does not age; one whose origin is dead does, because the edge keeps asking.
- A stream that has ended (EXT-X-ENDLIST; RFC 8216, 4.3.3.4) does not change any more, and leaves
  the list, as does one that nobody has asked for in ``FORGET_S``.

A stream's age is that of its oldest playlist: a frozen sound is as bad as a frozen picture. Labels
come from addresses that were answered with 200 and a playlist, so nobody can invent them without
the origin's help; there are at most ``MOST_PLAYLISTS`` all the same. Beyond that a playlist is not
watched until another one leaves the list, and ``left_out`` counts the answers that found no room:
a figure of its own, rather than one that is quietly wrong.

Nothing is read from a clock here: every call brings its time. All calls come from the event loop,
except ``by_stream``, which a scrape makes from its thread; it copies the table in one step.
"""

import re
import zlib
from dataclasses import dataclass, field

from cdn.http.keys import Key, Kind, kind_of
from cdn.http.message import Head

FORGET_S = 120.0
"""How long a playlist that nobody asks for is still listed."""

LATELY_S = 1.5
"""Between two requests for a playlist that is being watched lies its lifetime: half a second at our
own origin, a second at most for others with low latency."""

MOST_PLAYLISTS = 1000
"""Far more than the streams that one edge carries; a scrape of so many stays under 100 KB."""

LONGEST_STREAM = 128
"""Of a stream's path; a name has at most 64 characters, and there may be a folder over it."""

LARGEST_PLAYLIST_BYTES = 4 * 1024 * 1024
"""How much is unpacked to find the end of a stream."""

_RENDITION = re.compile(r"/[apv]\d+/[^/]*$")


@dataclass(slots=True)
class _Playlist:
    """One media playlist: when it last changed, and when the origin was last asked for it."""

    stream: str
    changed_at: float
    asked_at: float
    under_way: int = 0
    versions: dict[tuple[bool, bool], bytes] = field(default_factory=dict[tuple[bool, bool], bytes])
    """What each form of it (compressed, update) last said of itself."""

    def age(self, now: float) -> float:
        is_wanted = self.under_way > 0 or now - self.asked_at < LATELY_S
        return max(0.0, (now if is_wanted else self.asked_at) - self.changed_at)


class PlaylistAges:
    """What is known of each media playlist that viewers have asked for lately."""

    def __init__(self) -> None:
        self._playlists: dict[str, _Playlist] = {}
        self.left_out = 0
        """Answers with a playlist for which there was no room."""

    def asked(self, key: Key, now: float) -> None:
        """Note that the origin is asked; ``done`` follows, whatever comes of it."""
        playlist = self._playlists.get(_path(key))
        if playlist is not None:
            playlist.asked_at = now
            playlist.under_way += 1

    def done(self, key: Key, now: float) -> None:
        """Note the end of a request that was noted by ``asked``."""
        playlist = self._playlists.get(_path(key))
        if playlist is not None:
            playlist.asked_at = now
            playlist.under_way = max(0, playlist.under_way - 1)  # it may be listed since then

    def came(self, key: Key, head: Head, body: bytes, now: float) -> None:
        """Take in a whole answer with status 200."""
        path, form = _path(key), (key.gzip, "_HLS_skip=" in key.target)
        version = head.get(b"etag") or body
        playlist = self._playlists.get(path)
        if playlist is not None and playlist.versions.get(form) == version:
            return
        text = _unpacked(head, body)
        if not text.startswith(b"#EXTM3U"):
            return
        if b"#EXT-X-ENDLIST" in text:
            self._playlists.pop(path, None)
        elif playlist is None:
            self._list(path, form, version, now)
        else:
            if form in playlist.versions:
                playlist.changed_at = now
            playlist.versions[form] = version

    def _list(self, path: str, form: tuple[bool, bool], version: bytes, now: float) -> None:
        if len(self._playlists) >= MOST_PLAYLISTS:
            self.forget(now)
        if len(self._playlists) >= MOST_PLAYLISTS:
            self.left_out += 1
            return
        # The request that brought it is still under way: ``done`` follows.
        playlist = _Playlist(_stream_of(path), changed_at=now, asked_at=now, under_way=1)
        playlist.versions[form] = version
        self._playlists[path] = playlist

    def forget(self, now: float) -> None:
        """Drop the playlists that nobody wants any more."""
        for path, playlist in tuple(self._playlists.items()):
            if _is_forgotten(playlist, now):
                del self._playlists[path]

    def by_stream(self, now: float) -> dict[str, float]:
        """Return the age of each stream: of its oldest playlist."""
        ages: dict[str, float] = {}
        for playlist in tuple(self._playlists.values()):
            if not _is_forgotten(playlist, now):
                age = playlist.age(now)
                ages[playlist.stream] = max(age, ages.get(playlist.stream, 0.0))
        return ages


def is_watched(key: Key) -> bool:
    """Say whether a key leads to what has an age."""
    return kind_of(key.target) is Kind.PLAYLIST


def _is_forgotten(playlist: _Playlist, now: float) -> bool:
    return playlist.under_way == 0 and now - playlist.asked_at >= FORGET_S


def _path(key: Key) -> str:
    return key.target.partition("?")[0]


def _stream_of(path: str) -> str:
    """Return the stream's path without its slash, its rendition and its container."""
    return _RENDITION.sub("", path).removesuffix("/ts").lstrip("/")[:LONGEST_STREAM]


def _unpacked(head: Head, body: bytes) -> bytes:
    if head.get(b"content-encoding") != b"gzip":
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, LARGEST_PLAYLIST_BYTES)
    except zlib.error:
        return b""
