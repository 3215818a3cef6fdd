"""Samples without an encoder: real configurations, made-up payloads, any timing.

They cannot be decoded; whatever looks at times, names and playlists does not mind.
"""

from collections.abc import Iterator

from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from tests.support.broadcasts import AVC_RECORD, OTHER_AVC_RECORD

VIDEO = Track(AvcConfiguration.parse(AVC_RECORD))
OTHER_VIDEO = Track(AvcConfiguration.parse(OTHER_AVC_RECORD))
AUDIO = Track(AacConfiguration.parse(bytes.fromhex("1190")))
"""AAC-LC at 48 kHz."""
UNFIT_AUDIO = Track(AacConfiguration.parse(bytes.fromhex("1780125010")))
"""AAC-LC with its rate written out: nothing that ADTS could say."""

FRAME_TICKS = 3000
"""30 frames per second."""
SOUND_SAMPLES = 1024
START = 90_000


def picture(
    at: int, *, key: bool = False, duration: int = FRAME_TICKS, payload: bytes | None = None
) -> Sample:
    """A frame of video at ``at`` ticks of 90 kHz."""
    if payload is None:
        payload = b"\x00\x00\x00\x06" + (b"\x65" if key else b"\x41") + at.to_bytes(5, "big")
    return Sample(Ticks(at), Ticks(0), Ticks(duration), key, payload)


def sound(at: int, *, duration: int = SOUND_SAMPLES) -> Sample:
    """A frame of audio at ``at`` ticks of 48 kHz."""
    return Sample(Ticks(at), Ticks(0), Ticks(duration), True, b"\x21" + at.to_bytes(5, "big"))


def pictures(
    count: int, *, keyframe_every: int = 30, begin: int = START, step: int = FRAME_TICKS
) -> Iterator[Sample]:
    """Frames that follow one another."""
    for number in range(count):
        yield picture(begin + number * step, key=number % keyframe_every == 0, duration=step)


def sounds(count: int, *, begin: int = 48_000) -> Iterator[Sample]:
    """Frames of audio that follow one another."""
    for number in range(count):
        yield sound(begin + number * SOUND_SAMPLES)


def interleaved(
    video: Iterator[Sample], audio: Iterator[Sample], *, audio_late_s: float = 0.0
) -> list[tuple[int, Sample]]:
    """Both in the order of their times; audio may come later than its time."""
    timed = [(sample.dts / 90_000, 0, sample) for sample in video]
    timed += [(sample.dts / 48_000 + audio_late_s, 1, sample) for sample in audio]
    return [(index, sample) for _, index, sample in sorted(timed, key=lambda entry: entry[:2])]
