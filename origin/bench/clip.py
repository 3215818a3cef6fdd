"""Some seconds of picture and tone to publish, where nobody has named a file."""

# PyAV's stubs leave the parameter of Packet open.
# pyright: reportUnknownMemberType=false

import io
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.filter import Graph

from origin.bench.errors import CannotMeasure

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 30
KEYFRAME_EVERY = 2 * FRAME_RATE
SECONDS = 6
SAMPLE_RATE, SAMPLES, AUDIO_BITRATE = 48_000, 1024, 64_000


def make_clip(bitrate: int) -> bytes:
    """Encode a noisy pattern at about ``bitrate``, with a tone, as FLV."""
    output = io.BytesIO()
    try:
        with av.open(output, "w", format="flv") as container:
            video = container.add_stream("libx264", rate=FRAME_RATE)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            rate = str(max(50_000, bitrate - AUDIO_BITRATE))
            video.options = {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "sc_threshold": "0",
                "b": rate,
                "maxrate": rate,
                "bufsize": rate,
                "g": str(KEYFRAME_EVERY),
            }
            audio = container.add_stream("aac", rate=SAMPLE_RATE)
            audio.bit_rate = AUDIO_BITRATE
            pictures, tone = _pictures(), _tone()
            for number in range(SECONDS * FRAME_RATE):
                picture = pictures.vpull()
                picture.pts, picture.time_base = number, Fraction(1, FRAME_RATE)
                container.mux(video.encode(picture))
            for _ in range(SECONDS * SAMPLE_RATE // SAMPLES):
                sound = tone.pull()
                assert isinstance(sound, AudioFrame)
                container.mux(audio.encode(sound))
            container.mux(video.encode())
            container.mux(audio.encode())
    except FFmpegError as error:
        raise CannotMeasure(f"PyAV could not make something to publish: {error}") from error
    return output.getvalue()


def _pictures() -> Graph:
    graph = Graph()
    pattern = graph.add("testsrc2", f"size={WIDTH}x{HEIGHT}:rate={FRAME_RATE}")
    noise = graph.add("noise", "alls=12:allf=t")  # else it compresses to next to nothing
    pixels = graph.add("format", "pix_fmts=yuv420p")
    sink = graph.add("buffersink")
    for source, target in ((pattern, noise), (noise, pixels), (pixels, sink)):
        source.link_to(target)
    graph.configure()
    return graph


def _tone() -> Graph:
    graph = Graph()
    source = graph.add("sine", f"sample_rate={SAMPLE_RATE}:samples_per_frame={SAMPLES}")
    form = graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo")
    sink = graph.add("abuffersink")
    source.link_to(form)
    form.link_to(sink)
    graph.configure()
    return graph
