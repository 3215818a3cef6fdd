"""Broken sessions of P15 to P18, and of H1 with low latency: waiting, skipping, foretelling."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.validator.breaking import Broken, answers, lines, served, status, twice, without
from tests.validator.broken_low_latency import BOTH, HINT, VIDEO, in_parts
from tests.validator.fake_origin import CORS, Answer, FakeOrigin, Fault, record, with_headers
from tests.validator.session import Probe, Purpose, Request

PLAYLIST = (Purpose.MEDIA_PLAYLIST,)
Hold = Callable[[Request, float, float], float]


def on(probe: Probe, change: Callable[[Answer], Answer], *, until_s: float = 1e9) -> Fault:
    return answers(change, purposes=PLAYLIST, probes=(probe,), until_s=until_s)


def holding(probes: tuple[Probe, ...], hold: Callable[[float, float], float]) -> Fault:
    """Answer these when it is not time; ``hold`` knows when they were made and when it is."""

    def change(request: Request, asked_s: float, ready_s: float) -> float:
        return hold(asked_s, ready_s) if request.probe in probes else ready_s

    return Fault(hold=change, blocks=False)


def at_once(asked_s: float, _: float) -> float:
    return asked_s


def control(probe: Probe, value: str, purposes: tuple[Purpose, ...] = PLAYLIST) -> Fault:
    return answers(
        lambda answer: with_headers(answer, cache_control=value), purposes=purposes, probes=(probe,)
    )


def hint_before_the_last_part(playlist: list[str]) -> list[str]:
    for index, line in enumerate(playlist):
        if line.startswith(HINT) and playlist[index - 1].startswith("#EXT-X-PART:"):
            playlist[index - 1], playlist[index] = line, playlist[index - 1]
    return playlist


def hint_renamed(change: Callable[[int], int]) -> Fault:
    """Another number in the names of all hints."""

    def rename(found: re.Match[str]) -> str:
        return f"{found[1]}.{change(int(found[2]))}.m4s"

    pattern = re.compile(rf'({HINT}:TYPE=PART,URI="e1-\d+)\.(\d+)\.m4s')
    return Fault(media=lambda text, _: pattern.sub(rename, text))


def unavailable(_: Answer) -> Answer:
    return Answer(503, {"cache-control": "no-store", "retry-after": "1", **CORS}, b"")


def edited(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    """Another body under another ETag."""
    return lambda answer: with_headers(
        replace(answer, body=answer.body.replace(old, new)), etag=f'"{hash((old, answer.body))}"'
    )


def edited_delta(old: bytes, new: bytes) -> Fault:
    change = edited(old, new)
    return on(
        Probe.DELTA, lambda answer: change(answer) if b"EXT-X-SKIP" in answer.body else answer
    )


def skipped_one_less(answer: Answer) -> Answer:
    def less(found: re.Match[bytes]) -> bytes:
        return b"SKIPPED-SEGMENTS=%d" % (int(found[1]) + 1)

    body = re.sub(rb"SKIPPED-SEGMENTS=(\d+)", less, answer.body)
    return with_headers(replace(answer, body=body), etag=f'"{hash(body)}"')


def one_more(_: Request, right: int) -> int:
    return right + bool(right)


def none(_: Request, __: int) -> int:
    return 0


def to_whom_did_not_ask(request: Request, right: int) -> int:
    return 1 if request.probe is Probe.REORDERED else right


NO_SKIP = b"#EXT-X-INDEPENDENT-SEGMENTS\n"


def two(rule: str, what: str, fault: Fault) -> Broken:
    """A good broadcast in parts, in two renditions."""
    return Broken(
        rule,
        what,
        lambda stage: record(FakeOrigin(stage.broadcasts[VIDEO], fault, renditions=("v0", "v1"))),
    )


def in_v1(change: Callable[[bytes], bytes]) -> Fault:
    """Change every version of the second rendition's playlist."""

    def apply(request: Request, answer: Answer, _: float) -> Answer:
        if "/v1/" not in request.url or request.purpose is not Purpose.MEDIA_PLAYLIST:
            return answer
        if "content-encoding" in answer.headers:
            body = gzip.compress(change(gzip.decompress(answer.body)))
        else:
            body = change(answer.body)
        return with_headers(replace(answer, body=body), etag=f'"{hash(body)}"')

    return Fault(answer=apply)


def later(body: bytes) -> bytes:
    """Move all dates by a quarter of a second."""

    def move(found: re.Match[bytes]) -> bytes:
        date = datetime.fromisoformat(found[1].decode()) + timedelta(milliseconds=250)
        text = date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{date.microsecond // 1000:03d}Z"
        return b"DATE-TIME:" + text.encode()

    return re.sub(rb"DATE-TIME:(\S+)", move, body)


def reported(pattern: str, change: Callable[[int], str]) -> Fault:
    """Other numbers in all reports."""
    compiled = re.compile(rf"{pattern}=(\d+)")
    return Fault(media=lambda text, _: compiled.sub(lambda found: change(int(found[1])), text))


STRANGER = '#EXT-X-RENDITION-REPORT:URI="../v7/index.m3u8",LAST-MSN=8,LAST-PART=0'

RELOADS = [
    in_parts("P15", "no hint", without(HINT)),
    in_parts("P15", "two hints", twice(HINT)),
    in_parts("P15", "a hint before the last part", lines(hint_before_the_last_part)),
    in_parts("P15", "a hint of a name that never comes", hint_renamed(lambda number: number + 9)),
    in_parts("P15", "a hint of the part after the next", hint_renamed(lambda number: number + 1)),
    in_parts(
        "P15",
        "a hinted part that is not waited for",
        Fault(hold=lambda asked, at_s, right: at_s if asked.probe is Probe.HINT else right),
    ),
    in_parts(
        "P15",
        "a hinted part that is never answered",
        answers(lambda _: Answer(0, {}, b""), probes=(Probe.HINT,), name="e1-9.1.m4s"),
    ),
    in_parts("P16", "no waiting", holding((Probe.BLOCKING,), at_once)),
    in_parts("P16", "no waiting for whole segments", holding((Probe.WHOLE,), at_once)),
    in_parts(
        "P16", "all parts a part late", holding((Probe.BLOCKING,), lambda _, right: right + 0.6)
    ),
    in_parts(
        "P16",
        "segments when the next is half over",
        holding((Probe.WHOLE,), lambda _, right: right + 1.2),
    ),
    in_parts(
        "P16",
        "waiting for what is there",
        holding((Probe.LONG_AGO, Probe.DELTA_NOW), lambda asked_s, _: asked_s + 0.5),
    ),
    in_parts("P16", "nothing refused", Fault(refuses=False)),
    in_parts("P16", "refused as not found", on(Probe.REFUSED, status(404))),
    in_parts("P16", "given up while media comes", on(Probe.BLOCKING, unavailable, until_s=3.2)),
    in_parts("P16", "an order of its own", on(Probe.REORDERED, status(400))),
    in_parts("P16", "no part past the last", on(Probe.PAST_LAST_PART, status(400))),
    in_parts(
        "P16",
        "part past the last, before the next segment begins",
        holding((Probe.PAST_LAST_PART,), at_once),
    ),
    in_parts("P16", "old numbers refused", on(Probe.LONG_AGO, status(400))),
    served("P17", "skipping what is too new", Fault(skip=one_more), BOTH),
    served("P17", "no skipping", Fault(skip=none), BOTH),
    served("P17", "skipping unasked", Fault(skip=to_whom_did_not_ask), BOTH),
    in_parts(
        "P17",
        "nothing skipped, and said so",
        on(Probe.DELTA, edited(NO_SKIP, NO_SKIP + b"#EXT-X-SKIP:SKIPPED-SEGMENTS=0\n")),
    ),
    served(
        "P17",
        "another number of segments than are skipped",
        on(
            Probe.DELTA,
            lambda answer: skipped_one_less(answer) if b"EXT-X-SKIP" in answer.body else answer,
        ),
        BOTH,
    ),
    served("P17", "other parts in delta updates", edited_delta(b"N=0.50000", b"N=0.49999"), BOTH),
    served(
        "P17",
        "another end in delta updates",
        edited_delta(b"#EXT-X-PRELOAD-HINT", b"#EXT-X-BITRATE:9\n#EXT-X-PRELOAD-HINT"),
        BOTH,
    ),
    served(
        "P17",
        "another head in delta updates",
        edited_delta(NO_SKIP, NO_SKIP + b"#EXT-X-START:TIME-OFFSET=0\n"),
        BOTH,
    ),
    two("P18", "no reports", without("#EXT-X-RENDITION-REPORT")),
    two("P18", "reports twice", twice("#EXT-X-RENDITION-REPORT")),
    in_parts(
        "P18",
        "a report of nobody",
        lines(
            lambda all_: [
                each
                for line in all_
                for each in ([line, STRANGER] if line.startswith(HINT) else [line])
            ]
        ),
    ),
    two("P18", "reports from the future", reported("LAST-MSN", lambda msn: f"LAST-MSN={msn + 9}")),
    two("P18", "reports of long ago", reported("LAST-MSN", lambda _: "LAST-MSN=7")),
    two("P18", "reports without the part", reported(",LAST-PART", lambda _: "")),
    two("V2", "dates of its own", in_v1(later)),
    two(
        "V2",
        "a hold of its own",
        in_v1(lambda body: body.replace(b",HOLD-BACK=6", b",HOLD-BACK=7")),
    ),
    in_parts("H1", "reloads that are kept a second", control(Probe.BLOCKING, "public, max-age=1")),
    in_parts("H1", "reloads that nobody may keep", control(Probe.BLOCKING, "no-store")),
    in_parts("H1", "reloads that nobody may share", control(Probe.WHOLE, "private, max-age=12")),
    in_parts(
        "H1",
        "the playlist as it is, kept for long",
        answers(
            lambda answer: with_headers(answer, cache_control="max-age=12"),
            purposes=PLAYLIST,
            probes=(Probe.PLAIN, Probe.HEAD),
        ),
    ),
    in_parts(
        "H1", "delta updates as they are, kept for long", control(Probe.DELTA_NOW, "max-age=12")
    ),
    in_parts("H1", "refusals for a minute", control(Probe.REFUSED, "max-age=60")),
    in_parts(
        "H1",
        "parts for a minute",
        control(Probe.PLAIN, "public, max-age=60", (Purpose.PART,)),
    ),
    in_parts(
        "H5",
        "parts as bytes",
        answers(
            lambda answer: with_headers(answer, content_type="application/octet-stream"),
            purposes=(Purpose.PART,),
        ),
    ),
]
