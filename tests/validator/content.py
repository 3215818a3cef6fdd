"""Real encoded media for the validator's own tests, and the broadcasts that are made of it.

FFmpeg encodes a few seconds once per test run; PyAV reads the frames back out of FLV, with the
millisecond times that RTMP has. fMP4 is put together by our own small writer; TS is FFmpeg's HLS
muxer's, whose segments are good ones by themselves.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import av

from tests.support.pushers import Ffmpeg, Picture, Sound, command
from tests.validator.fmp4_writer import (
    RIGHT,
    CodedFrame,
    Odd,
    TrackSpec,
    write_fragment,
    write_init,
)
from tests.validator.media import Container, Kind

SEGMENT_S = 2
CLOCK = 90_000
TICKS_PER_MS = 90
SAMPLES_PER_FRAME = 1024
PARTS = 2
ANCHOR = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
FIRST_MSN = 7
OFFLINE_S = 3.0
"""Between two domains: the publisher was gone, and came back with something else."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is to be encoded for one domain."""

    picture: Picture | None
    sound: Sound | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a domain with all of its frames."""

    spec: TrackSpec
    frames: tuple[CodedFrame, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """What is played without a discontinuity."""

    recipe: Recipe
    flv: Path
    tracks: tuple[Track, ...]
    """Video first, if there is any."""
    cuts: tuple[int, ...]
    """Where segments begin, and where the last ends, in ticks of the leading track."""
    ts_segments: tuple[bytes, ...]
    ts_lengths: tuple[Fraction, ...]
    """In seconds: FFmpeg cuts where it likes."""


@dataclass(frozen=True, slots=True)
class PartPiece:
    """A part as it will be listed and served; ``duration`` is as it is written."""

    uri: str
    duration: str
    body: bytes
    is_independent: bool
    is_gap: bool = False

    @property
    def seconds(self) -> float:
        return float(self.duration)


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment as it will be listed and served."""

    uri: str
    extinf: str
    body: bytes
    map_uri: str | None
    discontinuity: bool
    date: datetime
    attributes: str
    """Of the EXT-X-STREAM-INF while this is on the air, without the rates."""
    parts: tuple[PartPiece, ...] = ()
    """None without low latency."""
    is_gap: bool = False

    @property
    def seconds(self) -> float:
        return float(self.extinf)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """All that will be sent, and nothing of when."""

    container: Container
    pieces: tuple[Piece, ...]
    maps: dict[str, bytes]

    @property
    def is_low_latency(self) -> bool:
        return any(piece.parts for piece in self.pieces)

    @property
    def has_video(self) -> bool:
        return any("RESOLUTION" in piece.attributes for piece in self.pieces)


def encode(recipe: Recipe, directory: Path) -> Domain:
    """Encode and take apart; ``directory`` is for the files in between."""
    directory.mkdir()
    flv = directory / "media.flv"
    _run(
        command(str(flv), recipe.picture, recipe.sound, seconds=recipe.seconds, in_real_time=False)
    )
    tracks = tuple(_read_tracks(flv, recipe))
    ts_segments = _ts_segments(["-i", str(flv)], directory)
    cuts = tuple(_cuts(tracks[0]))
    return Domain(recipe, flv, tracks, cuts, ts_segments, tuple(_lengths(ts_segments)))


def _lengths(segments: Sequence[bytes]) -> list[Fraction]:
    """From the beginning of each segment to that of the next, and to the end of the last."""
    spans = [_span(segment) for segment in segments]
    bounds = [start for start, _ in spans] + [spans[-1][1]]
    return [after - before for before, after in pairwise(bounds)]


def _span(segment: bytes) -> tuple[Fraction, Fraction]:
    """From the first to the last time of the leading track in TS, as PyAV reads it."""
    with av.open(BytesIO(segment), mode="r", format="mpegts") as media:
        leading = media.streams.best("video") or media.streams.best("audio")
        packets = [packet for packet in media.demux(leading) if packet.dts is not None]
    first, last = packets[0], packets[-1]
    ends = (last.dts or 0) + (last.duration or 0)
    return (first.dts or 0) * first.time_base, ends * last.time_base


def _run(line: Sequence[str]) -> None:
    subprocess.run(line, check=True, capture_output=True, timeout=60)


def _ts_segments(source: Sequence[str], directory: Path) -> tuple[bytes, ...]:
    ffmpeg = str(Ffmpeg.NINE.executable)
    playlist = directory / "ts.m3u8"
    _run(
        [
            *(ffmpeg, *source, "-c", "copy", "-f", "hls", "-hls_time", str(SEGMENT_S)),
            *("-hls_list_size", "0", "-hls_segment_filename", str(directory / "%04d.ts")),
            # A PES packet per audio frame, so that the PCR of audio alone comes often enough.
            *("-hls_segment_options", "pes_payload_size=0"),
            str(playlist),
        ]
    )
    names = [line for line in playlist.read_text().splitlines() if not line.startswith("#")]
    return tuple((directory / name).read_bytes() for name in names)


def _read_tracks(flv: Path, recipe: Recipe) -> list[Track]:
    with av.open(str(flv)) as media:
        rows: dict[str, list[tuple[int, int, bool, bytes]]] = {"video": [], "audio": []}
        for packet in media.demux():
            if packet.dts is not None and packet.pts is not None:
                row = (packet.dts, packet.pts, packet.is_keyframe, bytes(packet))
                rows[packet.stream.type].append(row)
        records = {each.type: each.codec_context.extradata or b"" for each in media.streams}
    tracks = []
    if recipe.picture:
        spec = TrackSpec(
            1, Kind.VIDEO, CLOCK, records["video"], recipe.picture.width, recipe.picture.height
        )
        tracks.append(Track(spec, tuple(_video_frames(rows["video"]))))
    if recipe.sound:
        rate = recipe.sound.sample_rate
        spec = TrackSpec(2, Kind.AUDIO, rate, records["audio"])
        tracks.append(Track(spec, tuple(_audio_frames(rows["audio"], rate))))
    return tracks


def _video_frames(rows: list[tuple[int, int, bool, bytes]]) -> list[CodedFrame]:
    durations = [after[0] - before[0] for before, after in pairwise(rows)]
    durations.append(durations[-1])
    return [
        CodedFrame(
            dts * TICKS_PER_MS, pts * TICKS_PER_MS, duration * TICKS_PER_MS, is_sync, payload
        )
        for (dts, pts, is_sync, payload), duration in zip(rows, durations, strict=True)
    ]


def _audio_frames(rows: list[tuple[int, int, bool, bytes]], rate: int) -> list[CodedFrame]:
    """On the sample clock, from where the first frame was."""
    start = rows[0][0] * rate // 1000
    times = [start + index * SAMPLES_PER_FRAME for index in range(len(rows))]
    return [
        CodedFrame(at, at, SAMPLES_PER_FRAME, True, row[3])
        for at, row in zip(times, rows, strict=True)
    ]


def _cuts(leading: Track) -> list[int]:
    """At the first keyframe at or past the end of a segment."""
    frames, length = leading.frames, SEGMENT_S * leading.spec.timescale
    cuts = [frames[0].dts]
    for frame in frames:
        # Video cuts in whole GOPs of exactly this length; audio at the nearest whole frame.
        if frame.is_sync and frame.dts >= cuts[-1] + length - SAMPLES_PER_FRAME // 2:
            cuts.append(frame.dts)
    return [*cuts, frames[-1].dts + frames[-1].duration]


def fmp4_broadcast(domains: Sequence[Domain], odd: Odd = RIGHT) -> Broadcast:
    """The domains one after the other, each with its map."""
    pieces: list[Piece] = []
    maps: dict[str, bytes] = {}
    sequence = 1
    for domain in domains:
        init = write_init([track.spec for track in domain.tracks], odd)
        map_uri = f"init-{sha256(init).hexdigest()[:12]}.mp4"
        maps[map_uri] = init
        for index, (start, end) in enumerate(pairwise(domain.cuts)):
            body = b""
            for part in _in_parts(start, end):
                body += write_fragment(sequence, frames_between(domain, *part), odd)
                sequence += 1
            length = Fraction(end - start, domain.tracks[0].spec.timescale)
            made = Made(body, f"{stem(pieces)}.m4s", map_uri, length)
            pieces.append(listed_piece(domain, made, index == 0, pieces))
    return Broadcast(Container.FMP4, tuple(pieces), maps)


def ts_broadcast(domains: Sequence[Domain]) -> Broadcast:
    """The same domains in TS."""
    pieces: list[Piece] = []
    for domain in domains:
        for index, body in enumerate(domain.ts_segments):
            made = Made(body, f"{stem(pieces)}.ts", None, domain.ts_lengths[index])
            pieces.append(listed_piece(domain, made, index == 0, pieces))
    return Broadcast(Container.TS, tuple(pieces), {})


def ts_joined(first: Domain, second: Domain, directory: Path) -> Broadcast:
    """One timeline in which the picture changes, with nothing that says so."""
    directory.mkdir()
    names = directory / "names.txt"
    names.write_text(f"file '{first.flv}'\nfile '{second.flv}'\n")
    bodies = _ts_segments(["-f", "concat", "-safe", "0", "-i", str(names)], directory)
    pieces: list[Piece] = []
    for index, (body, length) in enumerate(zip(bodies, _lengths(bodies), strict=True)):
        domain = first if index < len(first.ts_segments) else second
        made = Made(body, f"{stem(pieces)}.ts", None, length)
        pieces.append(listed_piece(domain, made, False, pieces))
    return Broadcast(Container.TS, tuple(pieces), {})


def stem(pieces: list[Piece]) -> str:
    return f"e1-{FIRST_MSN + len(pieces)}"


def _in_parts(start: int, end: int) -> list[tuple[int, int]]:
    middle = (start + end) // PARTS
    return [(start, middle), (middle, end)]


def frames_between(
    domain: Domain, start: int, end: int
) -> list[tuple[TrackSpec, list[CodedFrame]]]:
    scale = domain.tracks[0].spec.timescale
    is_first, is_last = start == domain.cuts[0], end == domain.cuts[-1]
    found = []
    for track in domain.tracks:
        low, high = (Fraction(at * track.spec.timescale, scale) for at in (start, end))
        frames = [
            frame
            for frame in track.frames
            if (is_first or low <= frame.dts) and (is_last or frame.dts < high)
        ]
        found.append((track.spec, frames))
    return found


class Made(NamedTuple):
    """A segment's media, before it has a place in the broadcast."""

    body: bytes
    uri: str
    map_uri: str | None
    length: Fraction


def listed_piece(domain: Domain, made: Made, is_first: bool, before: list[Piece]) -> Piece:
    begins = is_first and bool(before)
    date = before[-1].date + timedelta(seconds=before[-1].seconds) if before else ANCHOR
    if begins:
        date += timedelta(seconds=OFFLINE_S)
    extinf = f"{float(made.length):.5f}"
    return Piece(made.uri, extinf, made.body, made.map_uri, begins, date, _attributes(domain))


def _attributes(domain: Domain) -> str:
    picture = domain.recipe.picture
    codecs = []
    if picture:
        record = domain.tracks[0].spec.record
        codecs.append(f"avc1.{record[1:4].hex()}")
    if domain.recipe.sound:
        codecs.append("mp4a.40.2")
    said = f'CODECS="{",".join(codecs)}"'
    if picture:
        said += f",RESOLUTION={picture.width}x{picture.height}"
        said += f",FRAME-RATE={picture.frames_per_s:.3f}"
    return said
