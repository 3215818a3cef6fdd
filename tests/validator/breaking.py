"""How a good session is broken: the words that the tables of broken sessions are written in.

A broken session is recorded from an origin with one mistake, so that it is a session that could
have been: the mistake shows in every exchange that it would show in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

from tests.validator.content import Broadcast, Domain, Piece, Track, fmp4_broadcast
from tests.validator.fake_origin import Answer, FakeOrigin, Fault, TextFault, record
from tests.validator.fmp4_writer import CodedFrame
from tests.validator.media import Kind
from tests.validator.session import Probe, Purpose, Request, Session

FrameChange: TypeAlias = Callable[[int, CodedFrame], CodedFrame]
"""Changes a frame, knowing its place in the track."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All that there is to break."""

    domains: Mapping[str, Domain]
    broadcasts: Mapping[str, Broadcast]


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken session and the one rule that has to refuse it."""

    rule: str
    what: str
    make: Callable[[Stage], Session]


def served(rule: str, what: str, fault: Fault, kind: str = "fmp4") -> Broken:
    """A good broadcast, served with a fault."""
    return Broken(rule, what, lambda stage: record(FakeOrigin(stage.broadcasts[kind], fault)))


def sent(
    rule: str, what: str, change: Callable[[Broadcast], Broadcast], kind: str = "fmp4"
) -> Broken:
    """A changed broadcast, served faultlessly."""
    return Broken(rule, what, lambda stage: record(FakeOrigin(change(stage.broadcasts[kind]))))


def packaged(rule: str, what: str, change: Callable[[Domain], Broadcast]) -> Broken:
    """The first domain, packaged in another way."""
    return Broken(rule, what, lambda stage: record(FakeOrigin(change(stage.domains["first"]))))


# Playlists: what is replaced, and when.


def text(old: str, new: str, *, from_s: float = 0.0, until_s: float = 1e9) -> TextFault:
    """Replace ``old`` in each version that is served in that time."""

    def change(playlist: str, age_s: float) -> str:
        return playlist.replace(old, new) if from_s <= age_s < until_s else playlist

    return change


def media(old: str, new: str, *, from_s: float = 0.0, until_s: float = 1e9) -> Fault:
    return Fault(media=text(old, new, from_s=from_s, until_s=until_s))


def lines(change: Callable[[list[str]], list[str]]) -> Fault:
    """Change a media playlist line by line."""
    return Fault(media=lambda playlist, _: "\n".join(change(playlist.split("\n"))))


def without(head: str) -> Fault:
    """Leave out the lines that begin so."""
    return lines(lambda all_: [line for line in all_ if not line.startswith(head)])


def twice(head: str) -> Fault:
    """Write the lines that begin so twice."""
    return lines(lambda all_: [line for line in all_ for _ in range(1 + line.startswith(head))])


def multivariant(old: str, new: str, *, from_s: float = 0.0, until_s: float = 1e9) -> Fault:
    return Fault(multivariant=text(old, new, from_s=from_s, until_s=until_s))


# Answers: which, and what becomes of them.


def answers(
    change: Callable[[Answer], Answer],
    *,
    purposes: tuple[Purpose, ...] = tuple(Purpose),
    probes: tuple[Probe, ...] = tuple(Probe),
    from_s: float = 0.0,
    until_s: float = 1e9,
    name: str = "",
) -> Fault:
    """Change the answers to these requests in that time."""

    def apply(request: Request, answer: Answer, age_s: float) -> Answer:
        is_meant = (
            request.purpose in purposes
            and request.probe in probes
            and from_s <= age_s < until_s
            and request.url.endswith(name)
        )
        return change(answer) if is_meant else answer

    return Fault(answer=apply)


def status(code: int, control: str = "max-age=1") -> Callable[[Answer], Answer]:
    """Nothing but a status."""
    return lambda answer: replace(
        answer, status=code, body=b"", headers={**answer.headers, "cache-control": control}
    )


def in_parts(broadcast: Broadcast, duration: str) -> tuple[Broadcast, Fault]:
    """List the second segment with its two parts, until the end."""
    piece = broadcast.pieces[1]
    stem = piece.uri.removesuffix(".m4s")
    border = piece.body.rindex(b"moof") - 4
    halves = (piece.body[:border], piece.body[border:])
    parts = {f"{stem}.{index}.m4s": half for index, half in enumerate(halves)}
    tags = "".join(f'#EXT-X-PART:DURATION={duration},URI="{name}"\n' for name in parts)
    entry = f"#EXTINF:{piece.extinf},\n{piece.uri}"

    def insert(playlist: str, _: float) -> str:
        return playlist if "ENDLIST" in playlist else playlist.replace(entry, tags + entry)

    return replace(broadcast, maps={**broadcast.maps, **parts}), Fault(media=insert)


# Broadcasts and domains: which pieces, which frames.


def with_body(index: int, change: Callable[[bytes], bytes]) -> Callable[[Broadcast], Broadcast]:
    """Change the bytes of one piece."""

    def apply(broadcast: Broadcast) -> Broadcast:
        pieces = list(broadcast.pieces)
        pieces[index] = replace(pieces[index], body=change(pieces[index].body))
        return replace(broadcast, pieces=tuple(pieces))

    return apply


def with_bodies(change: Callable[[bytes], bytes]) -> Callable[[Broadcast], Broadcast]:
    """Change the bytes of every piece."""

    def apply(broadcast: Broadcast) -> Broadcast:
        pieces = (replace(piece, body=change(piece.body)) for piece in broadcast.pieces)
        return replace(broadcast, pieces=tuple(pieces))

    return apply


def dated(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Give the pieces of one domain dates that fit their EXTINF."""
    at = pieces[0].date
    found = []
    for piece in pieces:
        found.append(replace(piece, date=at))
        at += timedelta(seconds=piece.seconds)
    return tuple(found)


def with_frames(domain: Domain, kind: Kind, change: FrameChange) -> Domain:
    """Change the frames of one track, knowing their place."""
    tracks = []
    for track in domain.tracks:
        if track.spec.kind is kind:
            frames = tuple(change(index, frame) for index, frame in enumerate(track.frames))
            tracks.append(Track(track.spec, frames))
        else:
            tracks.append(track)
    return replace(domain, tracks=tuple(tracks))


def reframed(kind: Kind, change: FrameChange) -> Callable[[Domain], Broadcast]:
    """Package the domain with changed frames."""
    return lambda domain: fmp4_broadcast([with_frames(domain, kind, change)])
