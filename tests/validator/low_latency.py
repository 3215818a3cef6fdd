"""Broadcasts in parts, for the validator's own tests: the same domains, cut finer.

A part ends before the frame that would make it longer than the target, by the leading track, as
it has to be with frames that come one by one. The first part of each segment says in a ``prft``
when it was made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

from tests.validator.content import (
    Broadcast,
    Domain,
    Made,
    PartPiece,
    Piece,
    frames_between,
    listed_piece,
    stem,
)
from tests.validator.fmp4_writer import (
    RIGHT,
    CodedFrame,
    Odd,
    TrackSpec,
    write_fragment,
    write_init,
    write_producer_reference_time,
)
from tests.validator.media import Container

PART_TARGET = Fraction(1, 2)
UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 868)."""


@dataclass(frozen=True, slots=True)
class OddParts:
    """Mistakes to be made; none by default."""

    target: Fraction = PART_TARGET
    """What parts are cut by, whatever the playlist says."""
    fragments: int = 1
    """In each part, from the second segment on."""
    clock: timedelta | None = timedelta(0)
    """How far the producer's clock is off; None for no clock at all."""
    clock_step: timedelta = timedelta(0)
    """How far it steps at every segment."""
    clock_track: int | None = None
    clock_late: int = 0
    """Ticks by which its media time is later than the fragment's."""
    clock_flags: int = 0
    clock_behind: bool = False
    """Behind its fragment, where it is for nothing."""


RIGHT_PARTS = OddParts()


def low_latency_broadcast(
    domains: Sequence[Domain], odd: OddParts = RIGHT_PARTS, boxes: Odd = RIGHT
) -> Broadcast:
    """The domains one after the other, each with its map, in parts."""
    pieces: list[Piece] = []
    maps: dict[str, bytes] = {}
    sequence = 1
    for domain in domains:
        init = write_init([track.spec for track in domain.tracks], boxes)
        map_uri = f"init-{sha256(init).hexdigest()[:12]}.mp4"
        maps[map_uri] = init
        scale = domain.tracks[0].spec.timescale
        for index, (start, end) in enumerate(pairwise(domain.cuts)):
            name = stem(pieces)
            made = Made(b"", f"{name}.m4s", map_uri, Fraction(end - start, scale))
            piece = listed_piece(domain, made, index == 0, pieces)
            parts: list[PartPiece] = []
            for cut in _cuts(domain, start, end, odd.target):
                body, sequence = _part(domain, cut, sequence, odd if pieces else RIGHT_PARTS, boxes)
                clock = _clock(domain, cut, piece, len(pieces), odd) if not parts else b""
                body = body + clock if odd.clock_behind else clock + body
                parts.append(_listed_part(domain, cut, f"{name}.{len(parts)}.m4s", body))
            body = b"".join(part.body for part in parts)
            pieces.append(_with_parts(piece, body, parts))
    return Broadcast(Container.FMP4, tuple(pieces), maps)


def _with_parts(piece: Piece, body: bytes, parts: list[PartPiece]) -> Piece:
    return Piece(
        uri=piece.uri,
        extinf=piece.extinf,
        body=body,
        map_uri=piece.map_uri,
        discontinuity=piece.discontinuity,
        date=piece.date,
        attributes=piece.attributes,
        parts=tuple(parts),
    )


def _cuts(domain: Domain, start: int, end: int, target: Fraction) -> Iterator[tuple[int, int]]:
    """Where the parts of a segment begin and end."""
    leading = domain.tracks[0]
    most = target * leading.spec.timescale
    frames = [frame for frame in leading.frames if start <= frame.dts < end]
    begun = frames[0].dts
    for frame in frames:
        if frame.dts + frame.duration - begun > most:
            yield begun, frame.dts
            begun = frame.dts
    yield begun, end


def _part(
    domain: Domain, cut: tuple[int, int], sequence: int, odd: OddParts, boxes: Odd
) -> tuple[bytes, int]:
    start, end = cut
    step = (end - start) // odd.fragments
    bounds = [start + step * index for index in range(odd.fragments)] + [end]
    body = b""
    for low, high in pairwise(bounds):
        body += write_fragment(sequence, frames_between(domain, low, high), boxes)
        sequence += 1
    return body, sequence


def _leading(domain: Domain, cut: tuple[int, int]) -> tuple[TrackSpec, list[CodedFrame]]:
    return frames_between(domain, *cut)[0]


def _listed_part(domain: Domain, cut: tuple[int, int], uri: str, body: bytes) -> PartPiece:
    spec, frames = _leading(domain, cut)
    duration = f"{float(Fraction(cut[1] - cut[0], spec.timescale)):.5f}"
    return PartPiece(uri, duration, body, any(frame.is_sync for frame in frames))


def _clock(domain: Domain, cut: tuple[int, int], piece: Piece, number: int, odd: OddParts) -> bytes:
    if odd.clock is None:
        return b""
    spec, frames = _leading(domain, cut)
    made_at = piece.date + odd.clock + number * odd.clock_step
    track = spec.track if odd.clock_track is None else odd.clock_track
    media_time = frames[0].dts + odd.clock_late
    return write_producer_reference_time(track, ntp(made_at), media_time, odd.clock_flags)


def ntp(at: datetime) -> int:
    """Seconds since 1900 with 32 bits of fraction (RFC 5905, 6)."""
    microseconds = (at - UNIX_EPOCH) // timedelta(microseconds=1)
    return NTP_EPOCH * 2**32 + microseconds * 2**32 // 10**6
