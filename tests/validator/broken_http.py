"""Broken sessions of H1 to H8: right bodies with wrong manners."""

import gzip
from collections.abc import Callable
from dataclasses import replace

from tests.validator.breaking import Broken, answers, served, status
from tests.validator.fake_origin import Answer, AnswerFault, Fault, with_headers
from tests.validator.session import Probe, Purpose, Request

MULTIVARIANT = (Purpose.MULTIVARIANT,)
MEDIA_PLAYLIST = (Purpose.MEDIA_PLAYLIST,)
PLAYLISTS = MULTIVARIANT + MEDIA_PLAYLIST
SEGMENT = (Purpose.SEGMENT,)
INIT = (Purpose.INIT,)
NOTHING = (Purpose.NOTHING,)
GETS = (Probe.PLAIN, Probe.AGAIN)


def headers(
    purposes: tuple[Purpose, ...],
    probes: tuple[Probe, ...] = tuple(Probe),
    **changes: str | None,
) -> Fault:
    """Other headers on these answers."""
    return answers(lambda answer: with_headers(answer, **changes), purposes=purposes, probes=probes)


def on(probe: Probe, change: Callable[[Answer], Answer], purposes: tuple[Purpose, ...]) -> Fault:
    return answers(change, probes=(probe,), purposes=purposes)


def same_tag_for_all(request: Request, answer: Answer, _: float) -> Answer:
    """An ETag made of the name alone."""
    if request.purpose is Purpose.MEDIA_PLAYLIST and request.probe in (Probe.PLAIN, Probe.HEAD):
        return with_headers(answer, etag='"index"')
    return answer


def tag_of_the_moment(request: Request, answer: Answer, age_s: float) -> Answer:
    """An ETag made of the time."""
    if request.purpose is Purpose.SEGMENT and request.probe in GETS:
        return with_headers(answer, etag=f'"{age_s}"')
    return answer


def unchanged_in_full(answer: Answer) -> Answer:
    return replace(answer, status=200, body=b"all of it")


def whole(answer: Answer) -> Answer:
    """As if no range had been asked for."""
    headers_ = {name: value for name, value in answer.headers.items() if name != "content-range"}
    return replace(answer, status=200, headers=headers_)


def other_bytes(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[::-1])


def with_a_body(answer: Answer) -> Answer:
    return replace(answer, body=b"unasked for")


def longer(answer: Answer) -> Answer:
    return with_headers(answer, content_length="1")


def plain(answer: Answer) -> Answer:
    tag = answer.headers["etag"].replace("-gz", "")
    unpacked = replace(answer, body=gzip.decompress(answer.body))
    return with_headers(unpacked, content_encoding=None, etag=tag)


def unanswered(_: Answer) -> Answer:
    return Answer(0, {}, b"")


def gzip_of_the_first_version(kept: dict[str, Answer]) -> AnswerFault:
    """The compressed form is kept, whatever becomes of the playlist."""

    def keep(request: Request, answer: Answer, _: float) -> Answer:
        is_gzip = request.probe is Probe.GZIP and request.purpose is Purpose.MEDIA_PLAYLIST
        return kept.setdefault("gzip", answer) if is_gzip else answer

    return keep


def another_playlist(answer: Answer) -> Answer:
    text = gzip.decompress(answer.body) + b"# compressed\n"
    tag = answer.headers["etag"].replace("-gz", "-else")
    return with_headers(replace(answer, body=gzip.compress(text, mtime=0)), etag=tag)


def no_gzip(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[::-1])


HTTP: list[Broken] = [
    served("H1", "segments for a minute", headers(SEGMENT, cache_control="public, max-age=60")),
    served(
        "H1", "segments that may change", headers(SEGMENT, cache_control="public, max-age=31536000")
    ),
    served("H1", "maps that nobody may keep", headers(INIT, cache_control="no-store")),
    served("H1", "playlists for a minute", headers(MEDIA_PLAYLIST, cache_control="max-age=60")),
    served("H1", "playlists for ever", headers(MEDIA_PLAYLIST, cache_control=None)),
    served(
        "H1", "playlists that nobody may keep", headers(MEDIA_PLAYLIST, cache_control="no-store")
    ),
    served(
        "H1",
        "multivariant playlists for a day",
        headers(MULTIVARIANT, cache_control="max-age=86400"),
    ),
    served("H1", "404 for ten seconds", headers(NOTHING, cache_control="max-age=10")),
    served(
        "H1",
        "a name that cannot exist, and does",
        answers(status(200), purposes=NOTHING, probes=(Probe.PLAIN,)),
    ),
    served(
        "H1",
        "503 without a word on when",
        answers(status(503, "max-age=1"), purposes=MULTIVARIANT, until_s=0.3),
    ),
    served("H2", "no ETag", headers(PLAYLISTS, etag=None)),
    served("H2", "a weak ETag", headers(SEGMENT, GETS, etag='W/"1"')),
    served("H2", "one ETag for all versions", Fault(answer=same_tag_for_all)),
    served("H2", "an ETag for each answer", Fault(answer=tag_of_the_moment)),
    served("H2", "200 for what has not changed", on(Probe.SAME_TAG, unchanged_in_full, SEGMENT)),
    served("H2", "304 with a body", on(Probe.SAME_TAG, with_a_body, PLAYLISTS)),
    served(
        "H2",
        "304 for another ETag",
        on(Probe.OTHER_TAG, status(304, "public, max-age=31536000, immutable"), SEGMENT),
    ),
    served("H3", "a hit without an Age", headers(PLAYLISTS, GETS, age=None)),
    served("H3", "an Age that stands still", headers(SEGMENT, GETS, age="30")),
    served("H3", "an Age that is no number", headers(SEGMENT, GETS, age="3.5")),
    served("H3", "an Age without a Date", headers(SEGMENT, GETS, date="today")),
    served("H4", "no permission to read", headers(PLAYLISTS, access_control_allow_origin=None)),
    served(
        "H4",
        "no permission to read that there is nothing",
        headers(NOTHING, access_control_allow_origin=None),
    ),
    served(
        "H4", "headers kept to ourselves", headers(SEGMENT, access_control_expose_headers="Age")
    ),
    served("H4", "no timing", headers(SEGMENT, timing_allow_origin=None)),
    served("H4", "a preflight that is refused", answers(status(405), probes=(Probe.OPTIONS,))),
    served(
        "H4",
        "a preflight without Range",
        answers(
            lambda answer: with_headers(answer, access_control_allow_headers=None),
            probes=(Probe.OPTIONS,),
        ),
    ),
    served("H5", "playlists as text", headers(PLAYLISTS, content_type="text/plain")),
    served("H5", "segments as bytes", headers(SEGMENT, content_type="application/octet-stream")),
    served("H5", "audio as video", headers(SEGMENT + INIT, content_type="video/mp4"), "fmp4 audio"),
    served("H5", "TS as MP4", headers(SEGMENT, content_type="video/mp4"), "ts"),
    served("H6", "no Vary", headers(PLAYLISTS, vary=None)),
    served("H6", "a playlist that is never compressed", on(Probe.GZIP, plain, PLAYLISTS)),
    served("H6", "gzip that is none", on(Probe.GZIP, no_gzip, PLAYLISTS)),
    served(
        "H6",
        "a compressed segment",
        on(Probe.GZIP, lambda answer: with_headers(answer, content_encoding="gzip"), SEGMENT),
    ),
    served("H7", "no ranges", on(Probe.RANGE, whole, SEGMENT)),
    served("H7", "other bytes than were asked for", on(Probe.RANGE, other_bytes, SEGMENT)),
    served("H7", "no ranges from the end", on(Probe.RANGE_SUFFIX, whole, SEGMENT)),
    served("H7", "a range of nothing", on(Probe.RANGE_BEYOND, status(200), SEGMENT)),
    served("H8", "HEAD with a body", on(Probe.HEAD, with_a_body, SEGMENT)),
    served("H8", "HEAD of another length", on(Probe.HEAD, longer, PLAYLISTS)),
    served("H8", "no HEAD", on(Probe.HEAD, status(405), SEGMENT)),
    served("H6", "gzip that grows old", Fault(answer=gzip_of_the_first_version({}))),
    served("H7", "no answer to ranges", on(Probe.RANGE, unanswered, SEGMENT)),
    served("H8", "no answer to HEAD", on(Probe.HEAD, unanswered, SEGMENT)),
    served("H4", "no answer to a preflight", answers(unanswered, probes=(Probe.OPTIONS,))),
    served(
        "H6", "compression unasked for", headers(PLAYLISTS, (Probe.PLAIN,), content_encoding="gzip")
    ),
    served("H6", "another playlist when compressed", on(Probe.GZIP, another_playlist, PLAYLISTS)),
]
