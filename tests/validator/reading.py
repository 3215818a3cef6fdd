"""A session, read: what the rules look at.

::

    Recording
    ├── multivariants   every version of the multivariant playlist that was polled
    └── renditions      one per media playlist
        ├── versions      every version that was polled, in order
        ├── all_versions  those, and what was answered to requests that waited for it
        ├── deltas        the delta updates, which are no whole versions
        ├── segments      every segment that any of them listed, in the order in which they
        │                 came up, with its bytes, its media, and how it was listed first
        └── parts         every partial segment, likewise

What cannot be read is not an error here: it is kept as ``problem`` beside what it was found in,
and the rule that the problem belongs to reports it. So a session with one broken box is still
judged in full.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import urljoin

from tests.validator.elementary import Picture
from tests.validator.errors import UnreadableError
from tests.validator.media import Container, Kind, Run
from tests.validator.mp4 import Fragments
from tests.validator.parts import Part, read_parts
from tests.validator.playlist import (
    Listed,
    MediaPlaylist,
    MultivariantPlaylist,
    decode,
    read_media,
    read_multivariant,
)
from tests.validator.samples import Map, read_frames, read_map
from tests.validator.session import READERS, Exchange, Probe, Purpose, Session
from tests.validator.ts import SYNC_BYTE, WRAP, Transport, read_transport

OK = 200


@dataclass(frozen=True, slots=True)
class Multivariant:
    """One poll of the multivariant playlist; ``playlist`` is None where it is unreadable."""

    exchange: Exchange
    playlist: MultivariantPlaylist | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a media playlist that was answered with 200 and can be read."""

    exchange: Exchange
    playlist: MediaPlaylist

    @property
    def at_s(self) -> float:
        return self.exchange.received_s


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of the whole session."""

    msn: int
    url: str
    listed: Listed
    """As the first version that had it listed it."""
    container: Container
    body: bytes | None
    """None if it could never be fetched."""
    map: Map | None
    fragments: Fragments | None
    transport: Transport | None
    runs: tuple[Run, ...]
    """Empty where the media cannot be read."""
    problem: str | None

    @property
    def begins_domain(self) -> bool:
        return self.listed.has("EXT-X-DISCONTINUITY")

    @property
    def name(self) -> str:
        return f"segment {self.msn} ({self.listed.uri})"

    def run(self, kind: Kind) -> Run | None:
        return next((run for run in self.runs if run.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Rendition:
    """A media playlist through the session."""

    url: str
    container: Container
    versions: tuple[Version, ...]
    """Those of the polls without directives, one after the other."""
    all_versions: tuple[Version, ...]
    """Whoever asked, in the order in which they came; delta updates are not among them."""
    deltas: tuple[Version, ...]
    problems: tuple[str, ...]
    """Versions that cannot be read."""
    segments: tuple[Segment, ...]
    parts: tuple[Part, ...]

    @property
    def is_low_latency(self) -> bool:
        return any(version.playlist.is_low_latency for version in self.all_versions)

    def chain(self, probe: Probe) -> list[Version]:
        """What one of the readers saw, each of whom asks again when answered."""
        return [each for each in self.all_versions if each.exchange.request.probe is probe]

    def neighbours(self) -> Iterator[tuple[Segment, Segment]]:
        """Segments that follow one another within a discontinuity domain."""
        for before, after in pairwise(self.segments):
            if after.msn == before.msn + 1 and not after.begins_domain:
                yield before, after

    def domains(self) -> list[list[Segment]]:
        """Segments from one discontinuity (or hole in the record) to the next."""
        found: list[list[Segment]] = []
        for segment in self.segments:
            follows = found and found[-1][-1].msn + 1 == segment.msn
            if follows and not segment.begins_domain:
                found[-1].append(segment)
            else:
                found.append([segment])
        return found


@dataclass(frozen=True, slots=True)
class Recording:
    """The whole session."""

    session: Session
    multivariants: tuple[Multivariant, ...]
    renditions: tuple[Rendition, ...]
    """Those of which a version could be read, and listed something."""

    def exchanges(
        self, probes: Iterable[Probe], purposes: Iterable[Purpose] = tuple(Purpose)
    ) -> Iterator[Exchange]:
        """Exchanges of these probes and purposes, answered or not."""
        wanted, among = frozenset(probes), frozenset(purposes)
        for exchange in self.session.exchanges:
            if exchange.request.probe in wanted and exchange.request.purpose in among:
                yield exchange

    def gaps(self) -> set[str]:
        """The addresses of what playlists say is missing."""
        return {
            urljoin(rendition.url, uri)
            for rendition in self.renditions
            for version in rendition.all_versions
            for uri in version.playlist.gaps
        }


def read(session: Session) -> Recording:
    """Interpret everything once, so that the rules need not."""
    bodies = _bodies(session)
    multivariants = tuple(
        _read_multivariant(exchange)
        for exchange in _polls(session, Purpose.MULTIVARIANT)
        if exchange.status == OK
    )
    by_url: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in session.exchanges:
        request = exchange.request
        if request.purpose is Purpose.MEDIA_PLAYLIST and request.probe in READERS:
            by_url[request.url.partition("?")[0]].append(exchange)
    renditions = [_read_rendition(url, polls, bodies) for url, polls in by_url.items()]
    return Recording(
        session=session,
        multivariants=multivariants,
        renditions=tuple(each for each in renditions if each.segments and each.versions),
    )


def _polls(session: Session, purpose: Purpose) -> Iterator[Exchange]:
    for exchange in session.exchanges:
        if exchange.request.purpose is purpose and exchange.request.probe is Probe.PLAIN:
            yield exchange


def _bodies(session: Session) -> dict[str, bytes]:
    """The first whole body of everything that is no playlist."""
    media = {Purpose.INIT, Purpose.SEGMENT, Purpose.PART}
    bodies: dict[str, bytes] = {}
    for exchange in session.exchanges:
        request = exchange.request
        if request.purpose in media and exchange.status == OK and request.method == "GET":
            bodies.setdefault(request.url, exchange.body)
    return bodies


def _read_multivariant(exchange: Exchange) -> Multivariant:
    try:
        return Multivariant(exchange, read_multivariant(decode(exchange.body)), None)
    except UnreadableError as error:
        return Multivariant(exchange, None, str(error))


def _read_rendition(url: str, answers: list[Exchange], bodies: dict[str, bytes]) -> Rendition:
    versions: list[Version] = []
    deltas: list[Version] = []
    problems: list[str] = []
    for exchange in answers:
        if exchange.status != OK:
            continue
        try:
            version = Version(exchange, read_media(decode(exchange.body)))
        except UnreadableError as error:
            problems.append(str(error))
            continue
        is_delta = bool(version.playlist.all("EXT-X-SKIP"))
        (deltas if is_delta else versions).append(version)
    first_listed: dict[str, Listed] = {}
    for version in versions:
        for listed in version.playlist.segments:
            first_listed.setdefault(listed.uri, listed)
    reader = _SegmentReader(url, bodies)
    segments = [reader.read(listed) for listed in first_listed.values()]
    polls = [each for each in versions if each.exchange.request.probe is Probe.PLAIN]
    playlists = [version.playlist for version in versions]
    return Rendition(
        url=url,
        container=segments[0].container if segments else Container.FMP4,
        versions=tuple(polls),
        all_versions=tuple(versions),
        deltas=tuple(deltas),
        problems=tuple(problems),
        segments=tuple(segments),
        parts=tuple(read_parts(url, playlists, bodies, reader.map)),
    )


class _SegmentReader:
    """Reads segments in order; TS clocks go on from one to the next within a domain."""

    def __init__(self, playlist_url: str, bodies: dict[str, bytes]) -> None:
        self._playlist_url = playlist_url
        self._bodies = bodies
        self._maps: dict[str, Map | None] = {}
        self._clocks: dict[Kind, int] = {}
        self._picture: Picture | None = None

    def read(self, listed: Listed) -> Segment:
        url = urljoin(self._playlist_url, listed.uri)
        body = self._bodies.get(url)
        is_ts = body[:1] == bytes([SYNC_BYTE]) if body else listed.map_uri is None
        segment = Segment(
            msn=listed.msn,
            url=url,
            listed=listed,
            container=Container.TS if is_ts else Container.FMP4,
            body=body,
            map=self.map(listed.map_uri),
            fragments=None,
            transport=None,
            runs=(),
            problem=None,
        )
        if body is None:
            return segment
        try:
            return self._read_ts(segment, body) if is_ts else _read_fmp4(segment, body)
        except UnreadableError as error:
            return replace(segment, problem=str(error))
        except (IndexError, StopIteration) as error:  # a field beyond the end of its structure
            return replace(segment, problem=f"cut short: {error!r}")

    def map(self, uri: str | None) -> Map | None:
        if uri is None:
            return None
        url = urljoin(self._playlist_url, uri)
        if url not in self._maps:
            self._maps[url] = read_map(url, self._bodies.get(url))
        return self._maps[url]

    def _read_ts(self, segment: Segment, body: bytes) -> Segment:
        if segment.begins_domain:
            self._clocks.clear()
            self._picture = None
        transport = read_transport(body, self._picture)
        for run in transport.runs:
            self._picture = run.format if isinstance(run.format, Picture) else self._picture
        runs = tuple(self._unwrapped(run) for run in transport.runs)
        return replace(segment, transport=transport, runs=runs)

    def _unwrapped(self, run: Run) -> Run:
        """Continue the 33-bit times of ``run`` from those of the segments before."""
        clock = self._clocks.get(run.kind, run.frames[0].dts)
        frames = []
        for frame in run.frames:
            dts = clock + _signed(frame.dts - clock)
            pts = dts + _signed(frame.pts - frame.dts)
            frames.append(replace(frame, dts=dts, pts=pts))
            clock = dts
        self._clocks[run.kind] = clock
        return replace(run, frames=tuple(frames))


def _signed(difference: int) -> int:
    """The shortest way round the 33-bit clock."""
    return (difference + WRAP // 2) % WRAP - WRAP // 2


def _read_fmp4(segment: Segment, body: bytes) -> Segment:
    if segment.map is None or segment.map.init is None:
        return segment  # the map's own problem is reported with the map
    fragments, runs = read_frames(body, segment.map.body)
    return replace(segment, fragments=fragments, runs=runs)
