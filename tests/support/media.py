"""Media made in memory: what an encoder would send, as the tracks and samples of the origin.

PyAV encodes a moving pattern and a tone and writes them as FLV, as an encoder does; what comes
back out has RTMP's whole milliseconds for video, and the sample clock for audio.
"""

import io
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import av
from av.audio.stream import AudioStream
from av.packet import Packet

from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.configuration import AudioConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track

SAMPLES = 1024
VIDEO_TICKS_PER_MILLI = 90
START_MS = 1000
"""Where the timeline begins: B-frames and priming may not make it negative."""

Timed: TypeAlias = tuple[float, int, Sample]
"""Its time in seconds, the index of its track, and the sample."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Some seconds of media, in the order in which an encoder would send it."""

    tracks: tuple[Track, ...]
    samples: tuple[tuple[int, Sample], ...]
    """With the index of their track."""

    def run(self, track_index: int) -> list[Sample]:
        return [sample for index, sample in self.samples if index == track_index]


@cache
def clip(
    seconds: float = 6,
    *,
    rate: int = 30,
    keyframe_every: int = 30,
    b_frames: int = 0,
    sample_rate: int = 48_000,
    audio_codec: str = "aac",
    size: tuple[int, int] = (160, 90),
) -> Clip:
    """Encode a moving pattern and a tone."""
    flv = _encode(seconds, rate, keyframe_every, b_frames, sample_rate, audio_codec, size)
    return _read(flv)


def only(whole: Clip, track_index: int) -> Clip:
    """Return a clip with one of the tracks alone."""
    samples = tuple((0, sample) for index, sample in whole.samples if index == track_index)
    return Clip((whole.tracks[track_index],), samples)


def _encode(
    seconds: float,
    rate: int,
    keyframe_every: int,
    b_frames: int,
    sample_rate: int,
    audio_codec: str,
    size: tuple[int, int],
) -> bytes:
    output = io.BytesIO()
    with av.open(output, "w", format="flv") as container:
        video = container.add_stream("libx264", rate=rate)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.options = {
            "preset": "ultrafast",
            "x264-params": f"keyint={keyframe_every}:min-keyint={keyframe_every}:scenecut=0"
            f":bframes={b_frames}:b-adapt=0",
        }
        audio = container.add_stream(audio_codec, rate=sample_rate, layout="stereo")
        assert isinstance(audio, AudioStream)
        for number in range(round(seconds * rate)):
            container.mux(video.encode(_picture(number, size)))
        for number in range(round(seconds * sample_rate) // SAMPLES):
            container.mux(audio.encode(_tone(number * SAMPLES, sample_rate)))
        container.mux(video.encode())
        container.mux(audio.encode())
    return output.getvalue()


def _picture(number: int, size: tuple[int, int]) -> av.VideoFrame:
    """Make stripes that wander."""
    width, height = size
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, step in zip(frame.planes, (4, 2, 1), strict=True):
        stripes = bytes(range(256)) * 4
        begin = number * step % 256
        row = stripes[begin : begin + plane.line_size]
        plane.update(row * plane.height)
    frame.pts = number
    return frame


def _tone(first: int, sample_rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="fltp", layout="stereo", samples=SAMPLES)
    wave = array("f", (_loudness(first + offset, sample_rate) for offset in range(SAMPLES)))
    for plane in frame.planes:
        plane.update(wave.tobytes().ljust(plane.buffer_size, b"\0"))
    frame.sample_rate = sample_rate
    frame.pts = first
    return frame


def _loudness(at: int, sample_rate: int) -> float:
    return 0.2 * math.sin(2 * math.pi * 440 * at / sample_rate)


def _read(flv: bytes) -> Clip:
    with av.open(io.BytesIO(flv), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        packets = [packet for packet in container.demux(video, audio) if packet.size]
        pictures = [packet for packet in packets if packet.stream.index == video.index]
        sounds = [packet for packet in packets if packet.stream.index == audio.index]
        extradata = audio.codec_context.extradata
        tracks = (
            _video_track(video.codec_context.extradata),
            _audio_track(extradata, bytes(sounds[0])),
        )
    timed = [*_time_video(pictures), *_time_audio(sounds, tracks[1])]
    timed.sort(key=lambda entry: entry[0])
    return Clip(tracks, tuple((index, sample) for _, index, sample in timed))


def _video_track(extradata: bytes | None) -> Track:
    assert extradata is not None
    return Track(AvcConfiguration.parse(extradata))


def _audio_track(extradata: bytes | None, first_frame: bytes) -> Track:
    if extradata:
        return Track(AacConfiguration.parse(extradata))
    return Track(Mp3Configuration.parse(first_frame))


def _time_video(packets: Sequence["Packet[Any]"]) -> Iterator[Timed]:
    times = [START_MS + _millis(packet.dts) for packet in packets]
    ends = [*times[1:], times[-1] + times[-1] - times[-2]]
    for packet, time, end in zip(packets, times, ends, strict=True):
        offset = _millis(packet.pts) - _millis(packet.dts)
        sample = Sample(
            Ticks(time * VIDEO_TICKS_PER_MILLI),
            Ticks(offset * VIDEO_TICKS_PER_MILLI),
            Ticks((end - time) * VIDEO_TICKS_PER_MILLI),
            packet.is_keyframe,
            bytes(packet),
        )
        yield time / 1000, 0, sample


def _time_audio(packets: Sequence["Packet[Any]"], track: Track) -> Iterator[Timed]:
    assert isinstance(track.configuration, AudioConfiguration)
    length = track.configuration.samples_per_frame
    start = (START_MS + _millis(packets[0].dts)) * track.timescale // 1000
    for number, packet in enumerate(packets):
        dts = start + number * length
        sample = Sample(Ticks(dts), Ticks(0), Ticks(length), True, bytes(packet))
        yield dts / track.timescale, 1, sample


def _millis(at: int | None) -> int:
    assert at is not None
    return at
