"""Broken sessions of V1."""

import re

from tests.validator.breaking import (
    answers,
    multivariant,
    served,
    status,
)
from tests.validator.fake_origin import (
    Fault,
)
from tests.validator.session import Purpose

INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS\n"


def emptied(playlist: str, age_s: float) -> str:
    return "#EXTM3U\n" + INDEPENDENT if 5 < age_s < 8 else playlist


def rates_that_change(playlist: str, age_s: float) -> str:
    """By so little that each would be good enough."""
    return re.sub(r"BANDWIDTH=(\d+)\d", rf"BANDWIDTH=\g<1>{int(age_s) % 2}", playlist)


MULTIVARIANT = [
    served("V1", "INDEPENDENT-SEGMENTS twice above", multivariant(INDEPENDENT, INDEPENDENT * 2)),
    served("V1", "no variant at all", Fault(multivariant=emptied)),
    served("V1", "a BANDWIDTH below the peak", multivariant("BANDWIDTH=", "BANDWIDTH=1000,X=")),
    served("V1", "a BANDWIDTH far above the peak", multivariant(":BANDWIDTH=", ":BANDWIDTH=9")),
    served("V1", "no BANDWIDTH", multivariant(":BANDWIDTH=", ":X=")),
    served(
        "V1",
        "an AVERAGE-BANDWIDTH that is not the average",
        multivariant("AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1000,X="),
    ),
    served("V1", "rates that change", Fault(multivariant=rates_that_change)),
    served("V1", "another level in CODECS", multivariant("avc1.4d400b", "avc1.4d401f")),
    served("V1", "another profile in CODECS", multivariant("mp4a.40.2", "mp4a.40.5")),
    served("V1", "CODECS without the audio", multivariant(",mp4a.40.2", "")),
    served("V1", "the coded size instead of the cropped one", multivariant("160x90", "160x96")),
    served("V1", "no RESOLUTION", multivariant("RESOLUTION=160x90,", "")),
    served("V1", "a FRAME-RATE without decimals", multivariant("=30.000", "=30")),
    served("V1", "a FRAME-RATE that is no number", multivariant("=30.000", "=3R.000")),
    served("V1", "a FRAME-RATE of fields", multivariant("=30.000", "=60.000")),
    served(
        "V1",
        "a RESOLUTION without video",
        multivariant("\nv0", ",RESOLUTION=1x1\nv0"),
        "fmp4 audio",
    ),
    served(
        "V1", "a group that does not exist", multivariant(",RESOLUTION", ',AUDIO="aac",RESOLUTION')
    ),
    served(
        "V1",
        "a codec to supplement nothing",
        multivariant(",RESOLUTION", ',SUPPLEMENTAL-CODECS="dvh1.08.07/db4h",RESOLUTION'),
    ),
    served(
        "V1", "a range that it has not", multivariant(",RESOLUTION", ",VIDEO-RANGE=PQ,RESOLUTION")
    ),
    served("V1", "no INDEPENDENT-SEGMENTS", multivariant(INDEPENDENT, "")),
    served(
        "V1", "a variant without a URI", multivariant("\nv0/index.m3u8", "", from_s=5, until_s=8)
    ),
    served(
        "V1",
        "a multivariant playlist before its media",
        answers(status(404), purposes=(Purpose.MEDIA_PLAYLIST,), until_s=0.3),
    ),
]
