"""A session, read: what the rules look at.

::

    Recording
    ├── multivariants   every version of the multivariant playlist that was polled
    └── renditions      one per media playlist
        ├── versions    every version that was polled, in order
        └── segments    every segment that any of them listed, in the order in which they
                        came up, with its bytes, its media, and how it was listed first

What cannot be read is not an error here: it is kept as ``problem`` beside what it was found in,
and the rule that the problem belongs to reports it. So a session with one broken box is still
judged in full.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import urljoin

from tests.validator.elementary import NAL_IDR, is_recovery_point, nal_units
from tests.validator.errors import UnreadableError
from tests.validator.media import Container, Frame, Kind, Run
from tests.validator.mp4 import Fragments, Init, InitTrack, Sample, read_fragments, read_init
from tests.validator.playlist import (
    Listed,
    MediaPlaylist,
    MultivariantPlaylist,
    decode,
    read_media,
    read_multivariant,
)
from tests.validator.session import Exchange, Probe, Purpose, Session
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
    """One poll of a media playlist that was answered with 200 and can be read."""

    exchange: Exchange
    playlist: MediaPlaylist

    @property
    def at_s(self) -> float:
        return self.exchange.received_s


@dataclass(frozen=True, slots=True)
class Map:
    """An initialization segment under its address."""

    url: str
    body: bytes
    init: Init | None
    problem: str | None


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
    problems: tuple[str, ...]
    """Versions that cannot be read."""
    segments: tuple[Segment, ...]

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


def read(session: Session) -> Recording:
    """Interpret everything once, so that the rules need not."""
    bodies = _bodies(session)
    multivariants = tuple(
        _read_multivariant(exchange)
        for exchange in _polls(session, Purpose.MULTIVARIANT)
        if exchange.status == OK
    )
    by_url: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in _polls(session, Purpose.MEDIA_PLAYLIST):
        by_url[exchange.request.url].append(exchange)
    renditions = [_read_rendition(url, polls, bodies) for url, polls in by_url.items()]
    return Recording(
        session=session,
        multivariants=multivariants,
        renditions=tuple(each for each in renditions if each.segments),
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


def _read_rendition(url: str, polls: list[Exchange], bodies: dict[str, bytes]) -> Rendition:
    versions, problems = [], []
    for exchange in polls:
        if exchange.status != OK:
            continue
        try:
            versions.append(Version(exchange, read_media(decode(exchange.body))))
        except UnreadableError as error:
            problems.append(str(error))
    first_listed: dict[str, Listed] = {}
    for version in versions:
        for listed in version.playlist.segments:
            first_listed.setdefault(listed.uri, listed)
    reader = _SegmentReader(url, bodies)
    segments = [reader.read(listed) for listed in first_listed.values()]
    return Rendition(
        url=url,
        container=segments[0].container if segments else Container.FMP4,
        versions=tuple(versions),
        problems=tuple(problems),
        segments=tuple(segments),
    )


class _SegmentReader:
    """Reads segments in order; TS clocks go on from one to the next within a domain."""

    def __init__(self, playlist_url: str, bodies: dict[str, bytes]) -> None:
        self._playlist_url = playlist_url
        self._bodies = bodies
        self._maps: dict[str, Map | None] = {}
        self._clocks: dict[Kind, int] = {}

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
            map=self._map(listed.map_uri),
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

    def _map(self, uri: str | None) -> Map | None:
        if uri is None:
            return None
        url = urljoin(self._playlist_url, uri)
        if url not in self._maps:
            self._maps[url] = _read_map(url, self._bodies.get(url))
        return self._maps[url]

    def _read_ts(self, segment: Segment, body: bytes) -> Segment:
        transport = read_transport(body)
        if segment.begins_domain:
            self._clocks.clear()
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


def _read_map(url: str, body: bytes | None) -> Map | None:
    if body is None:
        return None
    try:
        return Map(url, body, read_init(body), None)
    except UnreadableError as error:
        return Map(url, body, None, str(error))
    except (IndexError, StopIteration) as error:  # a field beyond the end of its structure
        return Map(url, body, None, f"cut short: {error!r}")


def _read_fmp4(segment: Segment, body: bytes) -> Segment:
    if segment.map is None or segment.map.init is None:
        return segment  # the map's own problem is reported with the map
    init = segment.map.init
    fragments = read_fragments(body, init)
    rows: dict[int, list[Sample]] = defaultdict(list)
    for fragment in fragments.fragments:
        for traf in fragment.trafs:
            rows[traf.track] += traf.samples
    runs = tuple(_fmp4_run(init.tracks[track], rows[track], body) for track in sorted(rows))
    return replace(segment, fragments=fragments, runs=runs)


def _fmp4_run(track: InitTrack, samples: list[Sample], body: bytes) -> Run:
    frames = tuple(
        Frame(
            dts=sample.dts,
            pts=sample.dts + sample.composition,
            duration=sample.duration,
            is_sync=is_sync(track, sample, body),
        )
        for sample in samples
    )
    return Run(track.track, track.kind, track.timescale, frames, track.format)


def is_sync(track: InitTrack, sample: Sample, body: bytes) -> bool:
    """Whether decoding can begin at the sample, by its NAL units and not by its flags."""
    if track.kind is Kind.AUDIO:
        return True
    nals = sample_nals(track, sample, body)
    return any(nal[0] & 31 == NAL_IDR or is_recovery_point(nal) for nal in nals)


def sample_nals(track: InitTrack, sample: Sample, body: bytes) -> list[bytes]:
    """The NAL units of a video sample."""
    return list(nal_units(body[sample.start : sample.start + sample.size], track.length_size))
