"""What packaging costs: CPU per media second, and our fMP4 beside PyAV's.

One 720p30 stream of 2.5 Mbit/s with AAC at 128 kbit/s, parts of half a second, no viewers.
Nothing is decoded, so the frames' bytes are made up; their sizes are what counts. Each way
packages the same samples, in turns, and the best of the rounds is taken.

    python -m benchmarks.packaging [--seconds 60] [--rounds 5]

Prints a table in milliseconds of CPU per media second, the cost of one call of ``push``, and how
much of the time of PyAV's mp4 muxer, one container per part, ours takes.
"""

import io
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from benchmarks.support.arguments import arguments
from benchmarks.support.streams import NOON, new_presentation
from origin.hls import mpegts
from origin.hls.cuts import PartReady, SegmenterEvent
from origin.hls.rendition import Rendition
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter
from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import TrackId
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track

VIDEO_RATE, AUDIO_RATE = 30, 48_000
KEYFRAME_EVERY = 60
KEYFRAME_BYTES, FRAME_BYTES, SOUND_BYTES = 60_000, 9_500, 341


def make_template() -> InputContainer:
    """Encode a frame of each: PyAV wants streams to copy its streams from."""
    output = io.BytesIO()
    with av.open(output, "w", format="flv") as container:
        video = container.add_stream("libx264", rate=VIDEO_RATE, options={"preset": "ultrafast"})
        video.width, video.height = 1280, 720
        audio = container.add_stream("aac", rate=AUDIO_RATE, layout="stereo")
        sound = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        sound.sample_rate = AUDIO_RATE
        for plane in sound.planes:
            plane.update(bytes(plane.buffer_size))
        for packets in (
            video.encode(av.VideoFrame(1280, 720, "yuv420p")),
            video.encode(),
            audio.encode(sound),
            audio.encode(),
        ):
            container.mux(packets)
    output.seek(0)
    return av.open(output, "r")


TEMPLATE = make_template()
TRACKS = (
    Track(AvcConfiguration.parse(TEMPLATE.streams.video[0].codec_context.extradata or b"")),
    Track(AacConfiguration.parse(TEMPLATE.streams.audio[0].codec_context.extradata or b"")),
)
Samples = list[tuple[int, Sample]]


def main() -> None:
    """Measure each way in turns, and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    samples = make_samples(given.seconds)
    parts = [event for event in cut(samples) if isinstance(event, PartReady)]
    ways: dict[str, Callable[[], object]] = {
        "cutting alone": lambda: cut(samples),
        "cutting, fMP4, window": lambda: package(samples),
        "... and playlists": lambda: package(samples, viewed=True),
        "PyAV mp4 per part": lambda: [pyav_fragment(part) for part in parts],
        "TS of every segment": transport_streams(samples),
    }
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(given.rounds):
        for name, way in ways.items():
            best[name] = min(best[name], cpu_of(way))
    for name, spent in best.items():
        print(f"{name:24} {spent / given.seconds * 1000:7.3f} ms per media second")
    print(f"{'push':24} {best['cutting alone'] / len(samples) * 1e6:7.3f} us per sample")
    ours = best["cutting, fMP4, window"]
    print(f"ours / PyAV mp4 per part: {ours / best['PyAV mp4 per part']:.2f}")


def make_samples(seconds: int) -> Samples:
    """Make a stream, in the order in which an encoder would send it."""
    timed: list[tuple[float, int, Sample]] = []
    for number in range(seconds * VIDEO_RATE):
        key = number % KEYFRAME_EVERY == 0
        size = KEYFRAME_BYTES if key else FRAME_BYTES
        unit = (size - 4).to_bytes(4, "big") + (b"\x65" if key else b"\x41") + bytes(size - 5)
        sample = Sample(Ticks(90_000 + number * 3000), Ticks(0), Ticks(3000), key, unit)
        timed.append((sample.dts / 90_000, 0, sample))
    for number in range(seconds * AUDIO_RATE // 1024):
        payload = b"\x21" + bytes(SOUND_BYTES - 1)
        sample = Sample(Ticks(AUDIO_RATE + number * 1024), Ticks(0), Ticks(1024), True, payload)
        timed.append((sample.dts / AUDIO_RATE, 1, sample))
    return [(index, sample) for _, index, sample in sorted(timed, key=lambda entry: entry[:2])]


def cut(samples: Samples) -> list[SegmenterEvent]:
    """Only decide where parts end."""
    segmenter = Segmenter(Rules(), TRACKS)
    return [event for index, sample in samples for event in segmenter.push(index, sample)]


def package(samples: Samples, *, viewed: bool = False, rules: Rules | None = None) -> Rendition:
    """Do all that is done for a live stream; with ``viewed``, render each playlist as well."""
    rules = rules or Rules()
    segmenter = Segmenter(rules, TRACKS)
    presentation = new_presentation(rules)
    presentation.configure({TrackId(track.kind, 0): track for track in TRACKS})
    for index, sample in samples:
        for event in segmenter.push(index, sample):
            presentation.add(event, NOON)
            if viewed:
                presentation.main.playlist()
                presentation.multivariant()
    return presentation.main


def pyav_fragment(part: PartReady) -> bytes:
    """Write a part with PyAV: one container each, since it cannot be told where to cut."""
    output = io.BytesIO()
    options = {"movflags": "empty_moov+default_base_moof", "use_editlist": "0"}
    with av.open(output, "w", format="mp4", options=options) as container:
        copied = (TEMPLATE.streams.video[0], TEMPLATE.streams.audio[0])
        streams = [container.add_stream_from_template(stream) for stream in copied]
        timed = [
            entry
            for stream, rate, run in zip(streams, (90_000, AUDIO_RATE), part.samples, strict=True)
            for entry in pyav_packets(run, Fraction(1, rate), stream)
        ]
        for _, packet in sorted(timed, key=lambda entry: entry[0]):
            container.mux_one(packet)
    return output.getvalue()


def pyav_packets(
    run: tuple[Sample, ...], time_base: Fraction, stream: Stream
) -> Iterator[tuple[Fraction, "Packet[Any]"]]:
    """Turn samples into PyAV's packets, with their times."""
    for sample in run:
        packet: Packet[Any] = Packet(sample.payload)
        packet.stream = stream
        packet.time_base = time_base
        packet.dts, packet.pts = sample.dts, sample.dts + sample.composition_offset
        packet.duration, packet.is_keyframe = sample.duration, sample.is_sync
        yield sample.dts * time_base, packet


def transport_streams(samples: Samples) -> Callable[[], object]:
    """Package once; then make the transport stream of each segment."""
    rendition = package(samples, rules=Rules(window=10_000))
    return lambda: [mpegts.transport_stream(segment) for segment in rendition.listed]


def cpu_of(way: Callable[[], object]) -> float:
    """Return the seconds of CPU that a call takes."""
    begun = time.process_time()
    way()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
