"""Partial segments of a session, read: their place, what was said of them, and their media.

A part is known by its place, the number of its segment and its own within it, for that is what
blocking reloads and hints speak of. It keeps the tag by which it was listed first.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urljoin

from tests.validator.errors import UnreadableError
from tests.validator.media import Run
from tests.validator.mp4 import Fragments
from tests.validator.playlist import MediaPlaylist, Tag, as_seconds
from tests.validator.samples import Map, read_frames


@dataclass(frozen=True, slots=True)
class Part:
    """A partial segment of the whole session."""

    msn: int
    index: int
    tag: Tag
    """As the first version that had it listed it."""
    url: str
    body: bytes | None
    """None if it could never be fetched."""
    map: Map | None
    fragments: Fragments | None
    runs: tuple[Run, ...]
    """Empty where the media cannot be read."""
    problem: str | None

    @property
    def name(self) -> str:
        return f"part {self.msn}.{self.index} ({self.uri})"

    @property
    def uri(self) -> str:
        return self.tag.attributes.get("URI", "")

    @property
    def duration(self) -> Decimal | None:
        return as_seconds(self.tag.attributes.get("DURATION"))

    @property
    def is_gap(self) -> bool:
        return self.tag.attributes.get("GAP") == "YES"

    @property
    def is_said_independent(self) -> bool:
        return self.tag.attributes.get("INDEPENDENT") == "YES"


def placed(playlist: MediaPlaylist) -> Iterator[tuple[int, int, Tag, str | None]]:
    """Every part that a playlist lists: its segment, its place in it, its tag, its map."""
    for segment in playlist.segments:
        for index, tag in enumerate(segment.parts):
            yield segment.msn, index, tag, segment.map_uri
    for index, tag in enumerate(playlist.tail_parts):
        yield playlist.next_msn, index, tag, playlist.tail_map_uri


def read_parts(
    url: str,
    playlists: Iterable[MediaPlaylist],
    bodies: dict[str, bytes],
    find_map: Callable[[str | None], Map | None],
) -> Iterator[Part]:
    """Every part of the session once, in the order of their places."""
    first: dict[tuple[int, int], tuple[Tag, str | None]] = {}
    for playlist in playlists:
        for msn, index, tag, map_uri in placed(playlist):
            first.setdefault((msn, index), (tag, map_uri))
    for (msn, index), (tag, map_uri) in sorted(first.items(), key=lambda item: item[0]):
        address = urljoin(url, tag.attributes.get("URI", ""))
        map_ = find_map(map_uri)
        body = bodies.get(address)
        fragments, runs, problem = _read(body, map_)
        yield Part(msn, index, tag, address, body, map_, fragments, runs, problem)


def _read(
    body: bytes | None, map_: Map | None
) -> tuple[Fragments | None, tuple[Run, ...], str | None]:
    if body is None or map_ is None or map_.init is None:
        return None, (), None  # W1 or F1 say so
    try:
        return *read_frames(body, map_.body), None
    except UnreadableError as error:
        return None, (), str(error)
    except (IndexError, StopIteration) as error:  # a field beyond the end of its structure
        return None, (), f"cut short: {error!r}"
