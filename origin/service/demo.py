"""The demonstration: a moving test picture and a tone, published like any other stream.

PyAV makes both and pushes them over RTMP with libav's own client, so that what the demonstration
shows is the road that a streamer's frames take, listener and all.
"""

# PyAV's stubs leave the parameter of Packet open.
# pyright: reportUnknownMemberType=false

import time
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.video.stream import VideoStream

WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 30
BITRATE = 2_500_000
SAMPLE_RATE = 48_000
KEYFRAME_INTERVAL_S = 2
TONE_HZ, BEEP_EVERY_S = 220, 4
SKY = "n=3:speed=0.012:x0=0:y0=0:x1=1280:y1=720:c0=0x0b3b4c:c1=0x12807c:c2=0xf2b34c"
BALL = 160
SWING = "(W-w)/2+(W-w)/2.4*sin(t*1.3)"
BOUNCE = "(H-h)/2-(H-h)/3.2*abs(cos(t*2.6))+90"
AHEAD_S: Final = 0.02
"""Frames are made this long before they are due; real encoders are late by more."""


def run_demo(address: str) -> None:
    """Publish to ``address`` until the process is ended or the connection is lost."""
    with av.open(address, "w", format="flv") as output:
        video, audio = _add_video(output), _add_audio(output)
        pictures, tone = _picture_source(), _tone_source()
        began = time.monotonic()
        audio_s = 0.0
        for number in range(2**62):
            due_s = number / FRAME_RATE
            time.sleep(max(0.0, began + due_s - AHEAD_S - time.monotonic()))
            picture = pictures.vpull()
            picture.pts, picture.time_base = number, Fraction(1, FRAME_RATE)
            output.mux(video.encode(picture))
            while audio_s <= due_s:
                sound = tone.pull()
                assert isinstance(sound, av.AudioFrame)
                audio_s += sound.samples / SAMPLE_RATE
                output.mux(audio.encode(sound))


def _add_video(output: OutputContainer) -> VideoStream:
    stream = output.add_stream("libx264", rate=FRAME_RATE)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.bit_rate = BITRATE
    stream.gop_size = KEYFRAME_INTERVAL_S * FRAME_RATE
    stream.options = {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0"}
    return stream


def _add_audio(output: OutputContainer) -> AudioStream:
    stream = output.add_stream("aac", rate=SAMPLE_RATE)
    stream.bit_rate = 128_000
    return stream


def _picture_source() -> Graph:
    """A ball that swings through a changing sky."""
    graph = Graph()
    sky = graph.add("gradients", f"size={WIDTH}x{HEIGHT}:rate={FRAME_RATE}:{SKY}")
    square = graph.add("color", f"white:size={BALL}x{BALL}:rate={FRAME_RATE}")
    with_alpha = graph.add("format", "pix_fmts=yuva420p")
    disc = graph.add(
        "geq", f"lum=245:cb=122:cr=130:a='255*lte(hypot(X-{BALL}/2,Y-{BALL}/2),{BALL}/2)'"
    )
    again = graph.add("loop", "loop=-1:size=1:start=0")  # the disc is drawn once
    over = graph.add("overlay", f"x='{SWING}':y='{BOUNCE}'")
    pixels = graph.add("format", "pix_fmts=yuv420p")
    sink = graph.add("buffersink")
    for source, target in (
        (square, with_alpha),
        (with_alpha, disc),
        (disc, again),
        (over, pixels),
        (pixels, sink),
    ):
        source.link_to(target)
    sky.link_to(over, 0, 0)
    again.link_to(over, 0, 1)
    graph.configure()
    return graph


def _tone_source() -> Graph:
    graph = Graph()
    beep = f"frequency={TONE_HZ}:beep_factor={BEEP_EVERY_S}"
    source = graph.add("sine", f"{beep}:sample_rate={SAMPLE_RATE}:samples_per_frame=1024")
    form = graph.add("aformat", "sample_fmts=fltp:channel_layouts=stereo")
    sink = graph.add("abuffersink")
    source.link_to(form)
    form.link_to(sink)
    graph.configure()
    return graph
