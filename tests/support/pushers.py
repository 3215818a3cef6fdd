"""Streamers: FFmpeg, in the two versions at hand, publishing over RTMP.

::

    async with pushing(origin.rtmp_url("main"), Picture(b_frames=2), Sound()) as pusher:
        ...
        await pusher.stop()          # says goodbye: FCUnpublish, deleteStream
        await pusher.vanish()        # or SIGKILL: the socket is closed without a word

Debian's ffmpeg 5.1 and FFmpeg 9 differ in what they send around the media (chunk sizes,
metadata, commands at the end), which is why both push. The picture is a moving test pattern of
the cheapest kind to encode: two cores carry a whole test run.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import imageio_ffmpeg

STOP_WITHIN_S = 40.0
LOG_LINES = 40


class Ffmpeg(Enum):
    """Which FFmpeg pushes."""

    DEBIAN = "5.1"
    NINE = "9"

    @property
    def executable(self) -> Path:
        if self is Ffmpeg.DEBIAN:
            return Path("/usr/bin/ffmpeg")
        return Path(imageio_ffmpeg.get_ffmpeg_exe())


class Codec(Enum):
    """Audio codecs; HE-AAC is none (captures stand in for it).

    FFmpeg 5.1 sends the first two; the others need Enhanced RTMP.
    """

    AAC = "aac"
    MP3 = "libmp3lame"
    OPUS = "libopus"
    FLAC = "flac"
    AC3 = "ac3"
    EAC3 = "eac3"


class Encoder(Enum):
    """Video codecs, each with its cheapest encoder; all but the first need FFmpeg 9."""

    H264 = "libx264"
    HEVC = "libx265"
    AV1 = "libsvtav1"
    VP9 = "libvpx-vp9"


@dataclass(frozen=True, slots=True)
class Picture:
    """What the camera sends."""

    width: int = 320
    height: int = 180
    frames_per_s: int = 30
    gop_frames: int = 60
    b_frames: int = 0
    bitrate_k: int = 400
    keyframes_s: tuple[float, ...] = ()
    """Keyframes at these times as well, however far ``gop_frames`` go."""
    encoder: Encoder = Encoder.H264


@dataclass(frozen=True, slots=True)
class Sound:
    """What the microphone sends."""

    codec: Codec = Codec.AAC
    sample_rate: int = 48_000
    channels: int = 2


def command(
    url: str,
    picture: Picture | None,
    sound: Sound | None,
    *,
    ffmpeg: Ffmpeg = Ffmpeg.NINE,
    seconds: float | None = None,
    in_real_time: bool = True,
) -> list[str]:
    """The command line; without ``seconds`` it goes on until it is stopped."""
    if picture is None and sound is None:
        raise ValueError("neither picture nor sound")
    pace = ["-re"] if in_real_time else []
    inputs, coding = [], []
    if picture:
        inputs += [*pace, "-f", "lavfi", "-i", _pattern(picture)]
        coding += _video_coding(picture)
    if sound:
        inputs += [*pace, "-f", "lavfi", "-i", f"sine=frequency=440:r={sound.sample_rate}"]
        coding += ["-c:a", sound.codec.value, "-ac", str(sound.channels), "-b:a", "96k"]
    limit = [] if seconds is None else ["-t", str(seconds)]
    quiet = ["-hide_banner", "-nostats", "-loglevel", "warning"]
    return [str(ffmpeg.executable), *quiet, *inputs, *coding, *limit, "-f", "flv", url]


def _pattern(picture: Picture) -> str:
    return f"testsrc2=s={picture.width}x{picture.height}:r={picture.frames_per_s}"


def _video_coding(picture: Picture) -> list[str]:
    """Keyframes at fixed distances, as OBS is told to make them; a rate that holds still."""
    rate = f"{picture.bitrate_k}k"
    times = ",".join(str(at) for at in picture.keyframes_s)
    forced = ["-force_key_frames", times] if times else []
    return [
        *("-c:v", picture.encoder.value, "-pix_fmt", "yuv420p"),
        *_at_its_cheapest(picture, rate),
        *("-g", str(picture.gop_frames)),
        *forced,
    ]


def _at_its_cheapest(picture: Picture, rate: str) -> list[str]:
    gop = str(picture.gop_frames)
    match picture.encoder:
        case Encoder.H264:
            return [
                *("-preset", "ultrafast", "-keyint_min", gop, "-sc_threshold", "0"),
                *("-bf", str(picture.b_frames)),
                *("-b:v", rate, "-maxrate", rate, "-bufsize", rate),
            ]
        case Encoder.HEVC:
            settings = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={picture.b_frames}"
            quiet = "log-level=error:pools=1:frame-threads=1"
            return ["-preset", "ultrafast", "-x265-params", f"{settings}:{quiet}", "-b:v", rate]
        case Encoder.AV1:
            return ["-preset", "12", "-svtav1-params", f"keyint={gop}:lp=1", "-b:v", rate]
        case Encoder.VP9:
            return ["-deadline", "realtime", "-cpu-used", "8", "-b:v", rate]


class Pusher:
    """One FFmpeg that publishes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._log: list[str] = []
        self._reader = asyncio.create_task(self._read_log())

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self._log = [*self._log[-LOG_LINES:], line.decode(errors="replace").rstrip()]

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode

    def log(self) -> str:
        """The last lines that it wrote."""
        return "\n".join(self._log)

    async def finished(self) -> int:
        """Wait until it has sent all of its ``seconds``; the exit code."""
        code = await self._process.wait()
        await self._reader
        return code

    async def stop(self) -> None:
        """SIGINT: FFmpeg ends the stream with the commands that say so."""
        await self._end(signal.SIGINT)

    async def vanish(self) -> None:
        """SIGKILL: the kernel closes the socket, and nothing is said."""
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: the connection stays, and nothing is sent."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: what was late is sent at once."""
        self._process.send_signal(signal.SIGCONT)

    async def _end(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)
        await asyncio.wait_for(self.finished(), STOP_WITHIN_S)


@asynccontextmanager
async def pushing(
    url: str,
    picture: Picture | None = Picture(),
    sound: Sound | None = Sound(),
    *,
    ffmpeg: Ffmpeg = Ffmpeg.NINE,
    seconds: float | None = None,
    in_real_time: bool = True,
) -> AsyncIterator[Pusher]:
    """A publisher for as long as the block lasts; what is left of it vanishes at the end."""
    arguments = command(
        url, picture, sound, ffmpeg=ffmpeg, seconds=seconds, in_real_time=in_real_time
    )
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    pusher = Pusher(process)
    try:
        yield pusher
    finally:
        await pusher.vanish()
