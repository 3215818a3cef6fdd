"""What a low-latency origin in memory has to say, and when: pure, by the age of the broadcast.

``Live`` knows the moment at which each part and each segment is there, and so can tell when a
request that waits is to be answered, which is all that blocking is.
"""

from dataclasses import dataclass, field
from itertools import accumulate
from urllib.parse import parse_qsl, urlsplit

from tests.validator.content import ANCHOR, FIRST_MSN, Broadcast, Piece
from tests.validator.playlist import Position

TARGET = 2
PART_TARGET = "0.50000"
WINDOW = 10
CAN_SKIP_UNTIL = 6 * TARGET
SEGMENTS_IN_PARTS = 2
ADVANCE_SEGMENTS = 2
ADVANCE_PARTS = 6
HELD_S = 3.0 * TARGET
ROUNDING_S = 1e-6
REACTION_S = 0.05
"""From the end of a segment or part to the playlist that lists it."""
CONTROL = (
    f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5,"
    f"HOLD-BACK={3 * TARGET}.0,CAN-SKIP-UNTIL={CAN_SKIP_UNTIL}.0"
)


class RefusedError(Exception):
    """The request makes no sense: 400."""


@dataclass(slots=True)
class Live:
    """A broadcast in parts through its life."""

    broadcast: Broadcast
    end_known_s: float = 0.0
    """From the last part of a segment to the news that it was the last."""
    segments_in_parts: int = SEGMENTS_IN_PARTS
    moments: list[tuple[float, Position]] = field(init=False)

    def __post_init__(self) -> None:
        self.moments = self._moments()

    def _moments(self) -> list[tuple[float, Position]]:
        """When the playlist gets how far; its first version has a whole segment."""
        found = [(float("-inf"), Position(FIRST_MSN + 1, 0))]
        first_s = self.broadcast.pieces[0].seconds
        for number, piece in enumerate(self.broadcast.pieces):
            if number == 0:
                continue
            begins_s = (piece.date - ANCHOR).total_seconds() - first_s + REACTION_S
            msn = FIRST_MSN + number
            at_s = begins_s
            for count, length_s in enumerate(accumulate(part.seconds for part in piece.parts), 1):
                at_s = begins_s + length_s
                if count < len(piece.parts) or self.end_known_s:
                    found.append((at_s, Position(msn, count)))
            found.append((at_s + self.end_known_s, Position(msn + 1, 0)))
        return found

    def position(self, age_s: float) -> Position:
        return max(position for at_s, position in self.moments if at_s <= age_s + ROUNDING_S)

    def wanted(self, url: str, age_s: float) -> Position | None:
        """How far the playlist has to reach (draft-pantos-hls-rfc8216bis, 6.2.5).

        None for the playlist as it is.
        """
        given = dict(parse_qsl(urlsplit(url).query))
        msn, part = given.get("_HLS_msn"), given.get("_HLS_part")
        for number in (msn, part):
            if number is not None and not number.isdigit():
                raise RefusedError
        if msn is None:
            if part is not None:
                raise RefusedError
            return None
        position = Position(int(msn), int(part) + 1) if part else Position(int(msn) + 1, 0)
        return self._allowed(position, int(msn), age_s)

    def _allowed(self, position: Position, msn: int, age_s: float) -> Position:
        now = self.position(age_s)
        if msn < now.msn:
            return self._existing(position)
        if self.is_ended(age_s):
            return now
        if msn > now.msn - 1 + ADVANCE_SEGMENTS:
            raise RefusedError
        if position.parts - 1 > ADVANCE_PARTS + (now.parts if msn == now.msn else 0):
            raise RefusedError
        return self._existing(position)

    def _existing(self, position: Position) -> Position:
        """What is behind the last part of a segment is the first of the next (6.2.5.2)."""
        piece = self.piece(position.msn)
        is_past = piece is not None and position.parts > len(piece.parts)
        return Position(position.msn + 1, 1) if is_past else position

    def piece(self, msn: int) -> Piece | None:
        known = range(FIRST_MSN, FIRST_MSN + len(self.broadcast.pieces))
        return self.broadcast.pieces[msn - FIRST_MSN] if msn in known else None

    def is_ended(self, age_s: float) -> bool:
        return self.position(age_s).msn == FIRST_MSN + len(self.broadcast.pieces)

    def ready_s(self, position: Position, age_s: float) -> float:
        """When the playlist gets there, or is held no longer."""
        times = [at_s for at_s, reached in self.moments if reached >= position]
        end_s = self.moments[-1][0]
        return max(age_s, min([*times, end_s, age_s + HELD_S]))

    def part_ready_s(self, name: str, age_s: float) -> float:
        """When a part is there, or it is clear that it will never be."""
        for number, piece in enumerate(self.broadcast.pieces):
            for index, part in enumerate(piece.parts):
                if part.uri == name:
                    return self.ready_s(Position(FIRST_MSN + number, index + 1), age_s)
        if name == self.hint(self.position(age_s)):
            return self.ready_s(Position(self.position(age_s).msn + 1, 0), age_s)
        return age_s

    def hint(self, position: Position) -> str | None:
        piece = self.piece(position.msn)
        if piece is None:
            return None
        return f"{piece.uri.removesuffix('.m4s')}.{position.parts}.m4s"

    def playlist(self, age_s: float, *, skipped: int, others: tuple[str, ...]) -> str:
        """The version of that age; ``others`` are the names of the other renditions."""
        position = self.position(age_s)
        end = position.msn - FIRST_MSN
        start = max(0, end - WINDOW)
        lines = self._head(start)
        if skipped:
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        is_ended = self.is_ended(age_s)
        in_parts_from = len(self.broadcast.pieces) if is_ended else end - self.segments_in_parts
        map_uri = self.broadcast.pieces[start + skipped - 1].map_uri if skipped else None
        for number in range(start + skipped, end):
            piece = self.broadcast.pieces[number]
            lines += _opening(piece, map_uri)
            map_uri = piece.map_uri
            lines += _parts(piece, len(piece.parts)) if number >= in_parts_from else []
            lines += _closing(piece)
        tail = self.piece(position.msn)
        if tail is None:
            return "\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n"
        lines += _opening(tail, map_uri) if position.parts else []
        lines += _parts(tail, position.parts)
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{self.hint(position)}"')
        return "\n".join(lines + [self._report(name, position) for name in others]) + "\n"

    def _report(self, name: str, position: Position) -> str:
        """What the other rendition's playlist has, which is the same as ours."""
        msn, count = position
        if not count:
            msn -= 1
            last = self.piece(msn)
            count = len(last.parts) if last else 0
        uri = f"../{name}/index.m3u8"
        return f'#EXT-X-RENDITION-REPORT:URI="{uri}",LAST-MSN={msn},LAST-PART={count - 1}'

    def skippable(self, age_s: float) -> int:
        """Segments that end further from the end than the skip boundary."""
        position = self.position(age_s)
        start = max(0, position.msn - FIRST_MSN - WINDOW)
        tail = self.piece(position.msn)
        behind_s = sum(part.seconds for part in tail.parts[: position.parts]) if tail else 0.0
        number = position.msn - FIRST_MSN
        while number > start and behind_s < CAN_SKIP_UNTIL:
            number -= 1
            behind_s += self.broadcast.pieces[number].seconds
        return max(0, number - start)

    def _head(self, start: int) -> list[str]:
        gone = sum(piece.discontinuity for piece in self.broadcast.pieces[:start])
        return [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{TARGET}",
            CONTROL,
            f"#EXT-X-PART-INF:PART-TARGET={PART_TARGET}",
            f"#EXT-X-MEDIA-SEQUENCE:{FIRST_MSN + start}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{gone}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
        ]


def _opening(piece: Piece, map_uri: str | None) -> list[str]:
    date = piece.date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{piece.date.microsecond // 1000:03d}Z"
    lines = ["#EXT-X-DISCONTINUITY"] if piece.discontinuity else []
    lines += [f'#EXT-X-MAP:URI="{piece.map_uri}"'] if piece.map_uri != map_uri else []
    return [*lines, f"#EXT-X-PROGRAM-DATE-TIME:{date}"]


def _parts(piece: Piece, count: int) -> list[str]:
    found = []
    for part in piece.parts[:count]:
        flags = ",INDEPENDENT=YES" * part.is_independent + ",GAP=YES" * part.is_gap
        found.append(f'#EXT-X-PART:DURATION={part.duration},URI="{part.uri}"{flags}')
    return found


def _closing(piece: Piece) -> list[str]:
    return [*(["#EXT-X-GAP"] if piece.is_gap else []), f"#EXTINF:{piece.extinf},", piece.uri]
