"""An origin in memory, and the recording of it by a clock that the test owns.

``FakeOrigin`` serves a broadcast as an edge would have to: each answer is right, in its body and
in every header. ``Fault`` is where a test puts a mistake: a function that changes the media
playlist, the multivariant playlist, or the finished answer to a request.
"""

import gzip
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import TypeAlias

from tests.validator.content import ANCHOR, FIRST_MSN, Broadcast, Piece
from tests.validator.fake_live import (
    REACTION_S,
    ROUNDING_S,
    SEGMENTS_IN_PARTS,
    TARGET,
    Live,
    RefusedError,
)
from tests.validator.media import Container
from tests.validator.session import Exchange, Purpose, Request, Session, Silence
from tests.validator.watching import Pace, Watch

BASE = "http://edge.test/main/"
URL = BASE + "index.m3u8"
WINDOW = 4
CACHED_S = 3
"""How long an answer has been in the cache, by its Age."""
BEGIN_S = 1000.0
LINGER_S = 20.0
"""How long an end is waited for that does not come."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: dict[str, str]
    body: bytes


TextFault: TypeAlias = Callable[[str, float], str]
"""Changes a playlist, knowing how many seconds the broadcast is old."""
AnswerFault: TypeAlias = Callable[[Request, Answer, float], Answer]


def _same_text(text: str, _: float) -> str:
    return text


def _same_age(age_s: float) -> float:
    return age_s


def _same_answer(_: Request, answer: Answer, __: float) -> Answer:
    return answer


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong; nothing by default."""

    hold: Callable[[Request, float, float], float] = lambda _, __, ready_s: ready_s
    """When a request is answered that was made at the first age and could be at the second."""
    blocks: bool = True
    """Otherwise a playlist that is not far enough is given all the same."""
    refuses: bool = True
    skip: Callable[[Request, int], int] = lambda _, right: right
    """How many segments a delta update skips, who asked, and how many there should be."""

    age: Callable[[float], float] = _same_age
    """Which age of the playlists is served."""
    media: TextFault = _same_text
    multivariant: TextFault = _same_text
    answer: AnswerFault = _same_answer


@dataclass(slots=True)
class FakeOrigin:
    """Serves what of the broadcast is over at the time of asking."""

    broadcast: Broadcast
    fault: Fault = field(default_factory=Fault)
    renditions: tuple[str, ...] = ("v0",)
    """With low latency: each has the same content under the same names."""
    end_known_s: float = 0.0
    segments_in_parts: int = SEGMENTS_IN_PARTS
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(self.broadcast, self.end_known_s, self.segments_in_parts)

    def ready_s(self, request: Request, age_s: float) -> float:
        """When the request is to be answered that is made at this age."""
        ready_s = age_s
        if self.broadcast.is_low_latency:
            ready_s = self._live_ready_s(request, age_s)
        return self.fault.hold(request, age_s, ready_s)

    def _live_ready_s(self, request: Request, age_s: float) -> float:
        if request.purpose is Purpose.PART:
            return self.live.part_ready_s(_name(request), age_s)
        if request.purpose is Purpose.MEDIA_PLAYLIST:
            try:
                wanted = self.live.wanted(request.url, age_s)
            except RefusedError:
                return age_s
            return self.live.ready_s(wanted, age_s) if wanted else age_s
        return age_s

    def answer(self, request: Request, age_s: float) -> Answer:
        """``age_s`` is the time since the first segment was complete."""
        answer = self._refusal(request, age_s) or self._answer(request, age_s)
        return self.fault.answer(request, answer, age_s)

    def _answer(self, request: Request, age_s: float) -> Answer:
        content = self._content(request, age_s)
        return self._described(request, content, age_s) if content else _missing()

    def _refusal(self, request: Request, age_s: float) -> Answer | None:
        if not self.broadcast.is_low_latency or not self.fault.refuses:
            return None
        if request.purpose is not Purpose.MEDIA_PLAYLIST or request.method == "OPTIONS":
            return None
        try:
            wanted = self.live.wanted(request.url, age_s)
        except RefusedError:
            return replace(_missing(), status=400)
        is_there = wanted is None or self.live.position(age_s) >= wanted
        if is_there or self.live.is_ended(age_s) or not self.fault.blocks:
            return None
        return Answer(503, {"cache-control": "no-store", "retry-after": "1", **CORS}, b"")

    def _live_media(self, request: Request, age_s: float) -> tuple[bytes, str, str]:
        name = request.url.removeprefix(BASE).partition("/")[0]
        others = tuple(each for each in self.renditions if each != name)
        as_of_s = self.fault.age(age_s)
        right = self.live.skippable(as_of_s) if "_HLS_skip=YES" in request.url else 0
        skipped = self.fault.skip(request, right)
        text = self.live.playlist(as_of_s, skipped=skipped, others=others)
        control = f"public, max-age={6 * TARGET}" if "_HLS_msn=" in request.url else "no-cache"
        body = self.fault.media(text, age_s).encode()
        return body, "application/vnd.apple.mpegurl", control

    def _content(self, request: Request, age_s: float) -> tuple[bytes, str, str] | None:
        """Body, type and Cache-Control."""
        match request.purpose:
            case Purpose.MULTIVARIANT:
                as_of_s = self.fault.age(age_s)
                text = self.fault.multivariant(self._multivariant(as_of_s), age_s)
                return text.encode(), "application/vnd.apple.mpegurl", "max-age=1"
            case Purpose.MEDIA_PLAYLIST if self.broadcast.is_low_latency:
                return self._live_media(request, age_s)
            case Purpose.MEDIA_PLAYLIST:
                text = self.fault.media(self._media(self.fault.age(age_s)), age_s)
                return text.encode(), "application/vnd.apple.mpegurl", "max-age=1"
            case _:
                body = self._named(request, age_s)
                for_ever = "public, max-age=31536000, immutable"
                return (body, self._media_type(), for_ever) if body else None

    def _named(self, request: Request, age_s: float) -> bytes | None:
        name = _name(request)
        if (
            request.purpose is Purpose.PART
            and self.live.part_ready_s(name, age_s) > age_s + ROUNDING_S
        ):
            return None
        pieces = [piece for piece in self.broadcast.pieces if not piece.is_gap]
        parts = [part for piece in self.broadcast.pieces for part in piece.parts if not part.is_gap]
        bodies = {piece.uri: piece.body for piece in pieces}
        bodies |= {part.uri: part.body for part in parts}
        return {**bodies, **self.broadcast.maps}.get(name)

    def _media_type(self) -> str:
        if self.broadcast.container is Container.TS:
            return "video/mp2t"
        return "video/mp4" if self.broadcast.has_video else "audio/mp4"

    def complete(self, age_s: float) -> int:
        """How many pieces are over: each is, once its time on the wall clock is."""
        now = ANCHOR + timedelta(seconds=self.broadcast.pieces[0].seconds + age_s - REACTION_S)
        ends = [piece.date + timedelta(seconds=piece.seconds) for piece in self.broadcast.pieces]
        return max(1, sum(end <= now for end in ends))

    def _multivariant(self, age_s: float) -> str:
        on_air = self.broadcast.pieces[self.complete(age_s) - 1]
        alike = [each for each in self.broadcast.pieces if each.attributes == on_air.attributes]
        rates = [len(each.body) * 8 / each.seconds for each in alike]
        average = sum(len(each.body) for each in alike) * 8 / sum(each.seconds for each in alike)
        variant = (
            f"#EXT-X-STREAM-INF:BANDWIDTH={int(max(rates) * 1.2)},"
            f"AVERAGE-BANDWIDTH={int(average)},{on_air.attributes}\n"
        )
        head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        return head + "".join(f"{variant}{name}/index.m3u8\n" for name in self.renditions)

    def _media(self, age_s: float) -> str:
        end = self.complete(age_s)
        start = max(0, end - WINDOW)
        gone = sum(piece.discontinuity for piece in self.broadcast.pieces[:start])
        version = 3 if self.broadcast.container is Container.TS else 7
        lines = [
            "#EXTM3U",
            f"#EXT-X-VERSION:{version}",
            f"#EXT-X-TARGETDURATION:{TARGET}",
            f"#EXT-X-MEDIA-SEQUENCE:{FIRST_MSN + start}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{gone}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
        ]
        map_uri: str | None = None
        for piece in self.broadcast.pieces[start:end]:
            lines += _entry(piece, piece.map_uri if piece.map_uri != map_uri else None)
            map_uri = piece.map_uri
        if end == len(self.broadcast.pieces):
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _described(self, request: Request, content: tuple[bytes, str, str], age_s: float) -> Answer:
        body, kind, control = content
        is_playlist = request.purpose in (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
        headers = {
            "content-type": kind,
            "cache-control": control,
            "etag": f'"{sha256(body).hexdigest()[:16]}"',
            "date": format_datetime(wall(age_s - CACHED_S), usegmt=True),
            "age": str(CACHED_S),
            "cache-status": "edge; hit",
            **CORS,
        }
        if is_playlist:
            headers["vary"] = "Accept-Encoding"
        else:
            headers["accept-ranges"] = "bytes"
        if request.method == "OPTIONS":
            return Answer(204, PREFLIGHT, b"")
        if request.headers.get("accept-encoding") == "gzip" and is_playlist:
            body = gzip.compress(body, mtime=0)
            headers |= {"content-encoding": "gzip", "etag": headers["etag"][:-1] + '-gz"'}
        return _selected(request, headers, body)


def _name(request: Request) -> str:
    return request.url.rpartition("/")[2].partition("?")[0]


def wall(age_s: float) -> datetime:
    """The wall clock, when the broadcast is that old (its first segment began at ``ANCHOR``)."""
    return ANCHOR + timedelta(seconds=TARGET + age_s)


CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Age, Date, Content-Length, Content-Range",
    "timing-allow-origin": "*",
}
PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Range",
}


def _missing() -> Answer:
    headers = {"content-type": "application/problem+json", "cache-control": "max-age=1", **CORS}
    return Answer(404, headers, b"{}")


def _selected(request: Request, headers: dict[str, str], body: bytes) -> Answer:
    """Conditions, then ranges, then the body or its absence."""
    if request.headers.get("if-none-match") == headers["etag"]:
        return Answer(304, headers, b"")
    wanted = request.headers.get("range", "").removeprefix("bytes=")
    if wanted and "accept-ranges" in headers:
        first, _, last = wanted.partition("-")
        start = int(first) if first else len(body) - int(last)
        stop = min(int(last), len(body) - 1) if first and last else len(body) - 1
        if start >= len(body):
            return Answer(416, {**headers, "content-range": f"bytes */{len(body)}"}, b"")
        headers["content-range"] = f"bytes {start}-{stop}/{len(body)}"
        return Answer(206, headers, body[start : stop + 1])
    headers["content-length"] = str(len(body))
    return Answer(200, headers, b"" if request.method == "HEAD" else body)


def _entry(piece: Piece, map_uri: str | None) -> list[str]:
    date = piece.date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{piece.date.microsecond // 1000:03d}Z"
    lines = ["#EXT-X-DISCONTINUITY"] if piece.discontinuity else []
    lines += [f'#EXT-X-MAP:URI="{map_uri}"'] if map_uri else []
    return [*lines, f"#EXT-X-PROGRAM-DATE-TIME:{date}", f"#EXTINF:{piece.extinf},", piece.uri]


def record(origin: FakeOrigin, pace: Pace | None = None) -> Session:
    """Record the whole broadcast, as fast as the answers can be made."""
    watch = Watch(URL, pace or Pace())
    now_s = BEGIN_S
    watch.begin(now_s)
    end_s = BEGIN_S + _length_s(origin.broadcast) + LINGER_S
    held: list[_Held] = []
    while not watch.is_done:
        nexts = [held[0].until_s] if held else []
        due_s = watch.next_due_s()
        nexts += [due_s] if due_s is not None else []
        now_s = max(now_s, min(nexts, default=now_s))
        if now_s > end_s:
            watch.stop(now_s)
        for request in list(watch.due(now_s)):
            until_s = BEGIN_S + origin.ready_s(request, now_s - BEGIN_S)
            heapq.heappush(held, _Held(until_s, len(watch.exchanges) + len(held), request, now_s))
        while held and held[0].until_s <= now_s:
            one = heapq.heappop(held)
            answer = origin.answer(one.request, now_s - BEGIN_S)
            watch.receive(_exchange(one, answer, now_s))
    return Session(URL, tuple(watch.exchanges), tuple(_silences(origin.broadcast)), must_end=True)


@dataclass(order=True, slots=True)
class _Held:
    """A request that waits for its answer."""

    until_s: float
    order: int
    request: Request = field(compare=False)
    sent_s: float = field(compare=False)


def _exchange(held: _Held, answer: Answer, now_s: float) -> Exchange:
    return Exchange(
        request=held.request,
        sent_s=held.sent_s,
        received_s=now_s,
        wall=wall(now_s - BEGIN_S),
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        error=None if answer.status else "connection refused",
    )


def _length_s(broadcast: Broadcast) -> float:
    """From the end of the first segment to the end of the last."""
    last = broadcast.pieces[-1]
    first_end_s = broadcast.pieces[0].seconds
    return (last.date - ANCHOR).total_seconds() + last.seconds - first_end_s


def _silences(broadcast: Broadcast) -> list[Silence]:
    """Between two domains nothing is sent, nor after the end."""
    end_s = BEGIN_S + _length_s(broadcast)
    found = [Silence(end_s, end_s + 2 * LINGER_S)]
    for before, after in zip(broadcast.pieces, broadcast.pieces[1:], strict=False):
        if after.discontinuity:
            from_s = (before.date - ANCHOR).total_seconds() + before.seconds
            to_s = (after.date - ANCHOR).total_seconds()
            start_s = BEGIN_S - broadcast.pieces[0].seconds
            found.append(Silence(start_s + from_s, start_s + to_s))
    return found


def with_headers(answer: Answer, **changes: str | None) -> Answer:
    """The same with some headers exchanged or, by None, removed; ``_`` stands for ``-``."""
    headers = dict(answer.headers)
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return replace(answer, headers=headers)
