"""Broken sessions of what viewers see of playlists (W1, W3, W4, and P4 of what is gone)."""

from dataclasses import replace

from tests.validator.breaking import (
    answers,
    lines,
    media,
    served,
    status,
)
from tests.validator.fake_origin import (
    Answer,
    Fault,
    with_headers,
)
from tests.validator.session import Probe, Purpose


def tag_lost_at_the_head(playlist: list[str]) -> list[str]:
    """The tag of the first segment is dropped and counted while the segment is still there."""
    first = next(index for index, line in enumerate(playlist) if line.startswith("#EXTINF"))
    if "#EXT-X-DISCONTINUITY" not in playlist[:first]:
        return playlist
    playlist.remove("#EXT-X-DISCONTINUITY")
    return [
        line.replace("DISCONTINUITY-SEQUENCE:0", "DISCONTINUITY-SEQUENCE:1") for line in playlist
    ]


def turns_over(age_s: float) -> float:
    """The whole window at once."""
    return age_s if age_s < 4 else age_s + 16


def stands_still(age_s: float) -> float:
    return 4.0 if 4.0 < age_s < 9.0 else age_s


VIEWERS = [
    served(
        "W1",
        "a duration that changes",
        media("#EXTINF:2.00000,\ne1-9", "#EXTINF:2.00001,\ne1-9", from_s=7),
    ),
    served("W1", "a tag that is lost at the head", lines(tag_lost_at_the_head)),
    served(
        "W1",
        "a segment that is listed too early",
        answers(status(404), name="e1-10.m4s", until_s=7),
    ),
    served(
        "W1",
        "bytes that change under a name",
        answers(
            lambda answer: with_headers(replace(answer, body=answer.body + b"\0"), etag='"other"'),
            purposes=(Purpose.SEGMENT,),
            probes=(Probe.AGAIN,),
            name="e1-9.m4s",
        ),
    ),
    served("W4", "a stream that never is", answers(status(404))),
    served(
        "P4",
        "a removed segment that is not answered",
        answers(lambda _: Answer(0, {}, b""), probes=(Probe.AFTER_REMOVAL,)),
    ),
    served("P4", "numbers that are left out", Fault(age=turns_over)),
    served("W3", "a playlist that stands still", Fault(age=stands_still)),
    served(
        "W4",
        "a playlist that cannot be had for a moment",
        answers(
            lambda answer: Answer(0, {}, b""),
            purposes=(Purpose.MEDIA_PLAYLIST,),
            from_s=5,
            until_s=6,
        ),
    ),
    served(
        "W4",
        "a multivariant playlist that cannot be had for a moment",
        answers(
            lambda answer: Answer(0, {}, b""), purposes=(Purpose.MULTIVARIANT,), from_s=5, until_s=7
        ),
    ),
]
