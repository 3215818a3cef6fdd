"""A reader of playlists that forgives what can be judged later and loses nothing.

It is no validator: a playlist with two target durations or an odd order of tags is read all the
same, with every line kept in its place, because the rules are what judges it and they have to
see it. Only what cannot be read at all (no number where one has to be) raises ``UnreadableError``.

Names are those of RFC 8216 and draft-pantos-hls-rfc8216bis.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from tests.validator.errors import UnreadableError

SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)')


@lru_cache(maxsize=16_384)  # rules ask for the same ones over and over
def _attributes(value: str) -> Mapping[str, str]:
    return MappingProxyType({name: text.strip('"') for name, text in ATTRIBUTE.findall(value)})


@dataclass(frozen=True, slots=True)
class Tag:
    """One ``#EXT...`` line; ``value`` is what follows the colon."""

    name: str
    value: str
    line: int
    """Counted from 1."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """The value as an attribute list, quotes removed."""
        return _attributes(self.value)


@dataclass(frozen=True, slots=True)
class Listed:
    """A segment as one playlist lists it, with the tags that stand between it and the last."""

    msn: int
    uri: str
    tags: tuple[Tag, ...]
    discontinuity: int
    """Discontinuity sequence number of the segment, its own tag counted."""
    map_uri: str | None
    """The EXT-X-MAP in force."""
    line: int

    def all(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    def has(self, name: str) -> bool:
        return any(tag.name == name for tag in self.tags)

    @property
    def duration(self) -> Decimal:
        return Decimal(self.duration_text)

    @property
    def duration_text(self) -> str:
        return self.all("EXTINF")[-1].value.partition(",")[0]

    @property
    def program_date_time(self) -> datetime | None:
        """None where there is none, or one that is not ISO 8601."""
        for tag in self.all("EXT-X-PROGRAM-DATE-TIME"):
            try:
                return datetime.fromisoformat(tag.value)
            except ValueError:
                return None
        return None

    @property
    def parts(self) -> list[Tag]:
        return self.all("EXT-X-PART")


class Position(NamedTuple):
    """How far a playlist goes: so many parts of the segment of that number are listed."""

    msn: int
    parts: int


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """One version of a media playlist."""

    head: tuple[Tag, ...]
    """Tags of the playlist as a whole, wherever they stood."""
    segments: tuple[Listed, ...]
    tail: tuple[Tag, ...]
    """Tags of the segment that is not complete yet: its parts, the hint."""
    tail_map_uri: str | None = None
    """The EXT-X-MAP in force at the end."""

    def all(self, name: str) -> list[Tag]:
        return [tag for tag in self.head if tag.name == name]

    def integer(self, name: str) -> int | None:
        """The value of the first such tag; None without one, or without a number in it."""
        for tag in self.all(name):
            return int(tag.value) if tag.value.isascii() and tag.value.isdigit() else None
        return None

    @property
    def media_sequence(self) -> int:
        return self.integer("EXT-X-MEDIA-SEQUENCE") or 0

    @property
    def discontinuity_sequence(self) -> int:
        return self.integer("EXT-X-DISCONTINUITY-SEQUENCE") or 0

    @property
    def target_duration(self) -> int:
        return self.integer("EXT-X-TARGETDURATION") or 0

    @property
    def is_ended(self) -> bool:
        return bool(self.all("EXT-X-ENDLIST"))

    @property
    def is_low_latency(self) -> bool:
        return bool(self.all("EXT-X-PART-INF"))

    @property
    def skipped(self) -> int:
        """How many segments a delta update leaves out."""
        return _skipped(self.head)

    @property
    def next_msn(self) -> int:
        """The number of the segment that is not complete yet."""
        return self.media_sequence + self.skipped + len(self.segments)

    @property
    def tail_parts(self) -> list[Tag]:
        return [tag for tag in self.tail if tag.name == "EXT-X-PART"]

    @property
    def position(self) -> Position:
        return Position(self.next_msn, len(self.tail_parts))

    @property
    def gaps(self) -> Iterator[str]:
        """The addresses of segments and parts that are said not to be there."""
        for segment in self.segments:
            if segment.has("EXT-X-GAP"):
                yield segment.uri
        parts = [tag for segment in self.segments for tag in segment.parts] + self.tail_parts
        for tag in parts:
            if tag.attributes.get("GAP") == "YES":
                yield tag.attributes.get("URI", "")

    @property
    def hints(self) -> list[Tag]:
        """Of parts."""
        tags = [tag for tag in self.tail if tag.name == "EXT-X-PRELOAD-HINT"]
        return [tag for tag in tags if tag.attributes.get("TYPE") == "PART"]

    def seconds(self, tag: str, attribute: str) -> Decimal | None:
        """An attribute of the first such tag; None without it, or without a number in it."""
        for each in self.all(tag):
            return as_seconds(each.attributes.get(attribute))
        return None

    @property
    def duration(self) -> Decimal:
        return sum((segment.duration for segment in self.segments), Decimal(0))


@dataclass(frozen=True, slots=True)
class Variant:
    """An EXT-X-STREAM-INF and the URI below it."""

    attributes: Mapping[str, str]
    uri: str


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """One version of a multivariant playlist."""

    tags: tuple[Tag, ...]
    variants: tuple[Variant, ...]

    def all(self, name: str) -> list[Tag]:
        return [tag for tag in self.tags if tag.name == name]

    @property
    def media_uris(self) -> list[str]:
        """Every media playlist: those of variants, then those of renditions."""
        renditions = [tag.attributes for tag in self.all("EXT-X-MEDIA")]
        uris = [variant.uri for variant in self.variants]
        return uris + [attributes["URI"] for attributes in renditions if "URI" in attributes]


PLAYLIST_TAGS = frozenset(
    {
        "EXT-X-VERSION",
        "EXT-X-TARGETDURATION",
        "EXT-X-MEDIA-SEQUENCE",
        "EXT-X-DISCONTINUITY-SEQUENCE",
        "EXT-X-ENDLIST",
        "EXT-X-PLAYLIST-TYPE",
        "EXT-X-I-FRAMES-ONLY",
        "EXT-X-INDEPENDENT-SEGMENTS",
        "EXT-X-START",
        "EXT-X-PART-INF",
        "EXT-X-SERVER-CONTROL",
        "EXT-X-SKIP",
        "EXT-X-RENDITION-REPORT",
        "EXT-X-DEFINE",
        "EXTM3U",
    }
)


def decode(body: bytes) -> str:
    """The text, even where it is no clean UTF-8: a rule of its own says so."""
    return body.decode(errors="replace")


@lru_cache(maxsize=4096)  # several rules read it, in sessions that differ in a few playlists
def read_media(text: str) -> MediaPlaylist:
    """Read a media playlist; raise ``UnreadableError`` where a segment has no duration."""
    return _MediaReader().read(text)


def read_multivariant(text: str) -> MultivariantPlaylist:
    """Read a multivariant playlist; a STREAM-INF without a URI raises ``UnreadableError``."""
    tags: list[Tag] = []
    variants: list[Variant] = []
    pending: Tag | None = None
    for line in _lines(text):
        if isinstance(line, Tag):
            tags.append(line)
            if line.name == "EXT-X-STREAM-INF":
                pending = line
        elif pending is None:
            raise UnreadableError(f"URI without EXT-X-STREAM-INF: {line.text}")
        else:
            variants.append(Variant(pending.attributes, line.text))
            pending = None
    if pending is not None:
        raise UnreadableError(f"line {pending.line}: EXT-X-STREAM-INF without a URI")
    return MultivariantPlaylist(tuple(tags), tuple(variants))


@dataclass(frozen=True, slots=True)
class _Uri:
    text: str
    line: int


def _lines(text: str) -> Iterator[Tag | _Uri]:
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip("\r\ufeff")
        if stripped.startswith("#EXT"):
            name, _, value = stripped[1:].partition(":")
            yield Tag(name, value, number)
        elif stripped and not stripped.startswith("#"):
            yield _Uri(stripped, number)


@dataclass(slots=True)
class _MediaReader:
    head: list[Tag] = field(default_factory=list)
    segments: list[Listed] = field(default_factory=list)
    pending: list[Tag] = field(default_factory=list)
    map_uri: str | None = None
    breaks: int = 0

    def read(self, text: str) -> MediaPlaylist:
        for line in _lines(text):
            if isinstance(line, _Uri):
                self._end_segment(line)
            elif line.name in PLAYLIST_TAGS:
                self.head.append(line)
            else:
                self._take(line)
        return self._numbered()

    def _take(self, tag: Tag) -> None:
        self.pending.append(tag)
        if tag.name == "EXT-X-MAP":
            self.map_uri = tag.attributes.get("URI")

    def _end_segment(self, uri: _Uri) -> None:
        tags, self.pending = tuple(self.pending), []
        self.breaks += any(tag.name == "EXT-X-DISCONTINUITY" for tag in tags)
        listed = Listed(len(self.segments), uri.text, tags, self.breaks, self.map_uri, uri.line)
        if not listed.has("EXTINF"):
            raise UnreadableError(f"line {uri.line}: segment without EXTINF")
        try:
            finite = listed.duration.is_finite()
        except InvalidOperation as error:
            raise UnreadableError(f"line {uri.line}: EXTINF {listed.duration_text!r}") from error
        if not finite:
            raise UnreadableError(f"line {uri.line}: EXTINF {listed.duration_text!r}")
        self.segments.append(listed)

    def _numbered(self) -> MediaPlaylist:
        """Media and discontinuity sequence may stand anywhere, so they are added at the end."""
        raw = MediaPlaylist(tuple(self.head), tuple(self.segments), tuple(self.pending))
        skipped = raw.skipped
        numbered = tuple(
            Listed(
                segment.msn + raw.media_sequence + skipped,
                segment.uri,
                segment.tags,
                segment.discontinuity + raw.discontinuity_sequence,
                segment.map_uri,
                segment.line,
            )
            for segment in raw.segments
        )
        return MediaPlaylist(raw.head, numbered, raw.tail, self.map_uri)


def _skipped(head: Iterable[Tag]) -> int:
    counts = [each.attributes.get("SKIPPED-SEGMENTS", "") for each in head if is_skip(each)]
    return sum(int(count) for count in counts if count.isascii() and count.isdigit())


def is_skip(tag: Tag) -> bool:
    return tag.name == "EXT-X-SKIP"


def as_seconds(text: str | None) -> Decimal | None:
    """A decimal floating-point number (RFC 8216, 4.2); None for anything else."""
    return Decimal(text) if text is not None and SECONDS.fullmatch(text) else None
