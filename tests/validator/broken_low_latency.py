"""Broken sessions of P11 to P14, P19, F2 and F6: low-latency playlists and their parts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from tests.validator.breaking import (
    Broken,
    answers,
    lines,
    media,
    sent,
    served,
    status,
    twice,
    without,
)
from tests.validator.content import Broadcast, PartPiece
from tests.validator.fake_origin import FakeOrigin, Fault, record, with_headers
from tests.validator.low_latency import OddParts, low_latency_broadcast
from tests.validator.session import Probe, Purpose

PART = '#EXT-X-PART:DURATION=0.50000,URI="e1-9.1.m4s"'
LAST_PART = PART.replace("9.1", "9.3")
HINT = "#EXT-X-PRELOAD-HINT"
VIDEO, AUDIO, BOTH = "parts video", "parts audio", "parts"


def in_parts(rule: str, what: str, fault: Fault) -> Broken:
    """A good broadcast in parts, served with a fault."""
    return served(rule, what, fault, VIDEO)


def cut(rule: str, what: str, odd: OddParts) -> Broken:
    """Parts that are made in another way."""

    def change(stage_domain: str) -> Broken:
        return Broken(
            rule,
            what,
            lambda stage: record(
                FakeOrigin(low_latency_broadcast([stage.domains[stage_domain]], odd))
            ),
        )

    return change("video")


def listing(rule: str, what: str, segments_in_parts: int) -> Broken:
    return Broken(
        rule,
        what,
        lambda stage: record(
            FakeOrigin(
                stage.broadcasts[BOTH], end_known_s=0.04, segments_in_parts=segments_in_parts
            )
        ),
    )


def with_part(
    change: Callable[[PartPiece], PartPiece], index: int = 1
) -> Callable[[Broadcast], Broadcast]:
    """Change a part of the third segment, the second one."""

    def apply(broadcast: Broadcast) -> Broadcast:
        pieces = list(broadcast.pieces)
        parts = list(pieces[2].parts)
        parts[index] = change(parts[index])
        pieces[2] = replace(pieces[2], parts=tuple(parts))
        return replace(broadcast, pieces=tuple(pieces))

    return apply


def part_before_map(playlist: list[str]) -> list[str]:
    """Where another configuration begins, the first part comes first."""
    for index, line in enumerate(playlist):
        if line.startswith("#EXT-X-MAP") and playlist[index - 1] == "#EXT-X-DISCONTINUITY":
            first = next(
                (
                    at
                    for at in range(index, len(playlist))
                    if playlist[at].startswith("#EXT-X-PART:")
                ),
                None,
            )
            if first is not None and "e1-13.0" in playlist[first]:
                playlist.insert(index - 1, playlist.pop(first))
            break
    return playlist


def extinf_of_the_tail(playlist: list[str]) -> list[str]:
    return [
        each
        for line in playlist
        for each in (["#EXTINF:1.00000,", line] if line.startswith(HINT) else [line])
    ]


def longer(part: PartPiece) -> PartPiece:
    return replace(part, body=part.body + b"\0\0\0\x08free")


def missing(part: PartPiece) -> PartPiece:
    return replace(part, is_gap=True)


def torn(broadcast: Broadcast) -> Broadcast:
    """The second part of the third segment is missing, as the segment says; what follows is not."""
    torn = with_part(missing)(broadcast)
    pieces = list(torn.pieces)
    pieces[2] = replace(pieces[2], is_gap=True)
    return replace(torn, pieces=tuple(pieces))


LOW_LATENCY = [
    in_parts("P1", "SERVER-CONTROL twice", twice("#EXT-X-SERVER-CONTROL")),
    in_parts("P1", "no SERVER-CONTROL", without("#EXT-X-SERVER-CONTROL")),
    in_parts("P1", "PART-INF twice", twice("#EXT-X-PART-INF")),
    in_parts("P2", "the VERSION of before low latency", media("VERSION:9", "VERSION:7")),
    served(
        "P2",
        "another VERSION in delta updates",
        Fault(
            media=lambda text, _: (
                text.replace("VERSION:9", "VERSION:10") if "EXT-X-SKIP" in text else text
            )
        ),
        BOTH,
    ),
    served("P6", "a part before its map", lines(part_before_map), BOTH),
    in_parts(
        "P9", "a part's DURATION that is not its media's", media(PART, PART.replace("5", "45", 1))
    ),
    in_parts("P11", "no blocking", media("CAN-BLOCK-RELOAD=YES,", "")),
    in_parts(
        "P11", "parts held back by two of them", media("PART-HOLD-BACK=1.5", "PART-HOLD-BACK=1.0")
    ),
    in_parts("P11", "no distance from the end in parts", media("PART-HOLD-BACK=1.5,", "")),
    in_parts(
        "P11", "held back by less than three segments", media(",HOLD-BACK=6.0", ",HOLD-BACK=5.0")
    ),
    in_parts("P11", "skipping of what is too new", media("SKIP-UNTIL=12.0", "SKIP-UNTIL=8.0")),
    in_parts(
        "P11", "another distance in a reload", media(",HOLD-BACK=6.0", ",HOLD-BACK=7.0", from_s=3)
    ),
    in_parts(
        "P12",
        "another PART-TARGET in a reload",
        media("TARGET=0.50000", "TARGET=0.49999", from_s=3),
    ),
    cut("P12", "parts longer than PART-TARGET", OddParts(target=Fraction(6, 10))),
    cut("P12", "parts far shorter than PART-TARGET", OddParts(target=Fraction(3, 10))),
    in_parts(
        "P13", "a part that needs others, said to need none", media(PART, f"{PART},INDEPENDENT=YES")
    ),
    in_parts("P13", "a keyframe that is not told of", media('.0.m4s",INDEPENDENT=YES', '.0.m4s"')),
    in_parts("P13", "INDEPENDENT=NO", media(PART, f"{PART},INDEPENDENT=NO")),
    sent("P13", "a part that needs what is missing before it", torn, VIDEO),
    served(
        "P13", "sound that is said to need what was before", media(",INDEPENDENT=YES", ""), AUDIO
    ),
    listing("P14", "parts of long ago", 9),
    listing("P14", "no parts of complete segments", 0),
    in_parts("P14", "a part that is left out again", media(f"{LAST_PART}\n", "", from_s=4.7)),
    in_parts("P14", "EXTINF of the segment under way", lines(extinf_of_the_tail)),
    in_parts(
        "P19",
        "a gap that is there",
        media("#EXTINF:2.00000,\ne1-9", "#EXT-X-GAP\n#EXTINF:2.00000,\ne1-9"),
    ),
    in_parts("P19", "GAP=NO", media(PART, f"{PART},GAP=NO")),
    sent("P19", "a gap in a segment that is none", with_part(missing, -1), VIDEO),
    cut("F2", "two fragments in a part", OddParts(fragments=2)),
    sent("F2", "a part that is more than its share of the segment", with_part(longer), VIDEO),
    cut("F6", "a clock of no known kind", OddParts(clock_flags=3)),
    cut("F6", "the clock of a track that is not there", OddParts(clock_track=9)),
    cut("F6", "a clock for other media", OddParts(clock_late=10**6)),
    cut("F6", "a clock that is a minute off", OddParts(clock=timedelta(minutes=1))),
    cut(
        "F6",
        "a clock that goes back",
        OddParts(clock=timedelta(seconds=4), clock_step=timedelta(seconds=-2.5)),
    ),
    cut("F6", "a clock behind what it is for", OddParts(clock_behind=True)),
    in_parts(
        "W1",
        "a part that is listed too early",
        answers(status(404), purposes=(Purpose.PART,), probes=(Probe.PLAIN,), name="e1-9.1.m4s"),
    ),
    in_parts(
        "W1",
        "a part that changes",
        answers(
            lambda answer: with_headers(replace(answer, body=answer.body + b"\0"), etag='"other"'),
            purposes=(Purpose.PART,),
            probes=(Probe.AGAIN,),
            name="e1-9.1.m4s",
        ),
    ),
    in_parts("W1", "a part that is renamed", media("e1-9.1.m4s", "e1-9.7.m4s", from_s=4.7)),
]
