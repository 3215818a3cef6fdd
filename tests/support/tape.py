"""A tape: a minute of test picture and tone, cut into segments of one second, fMP4 and TS.

Made by Debian's ffmpeg with the same muxer settings each time, so that a page has something real
to play without an origin. Small on purpose: whoever needs a beautiful picture makes another one.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

FFMPEG = "/usr/bin/ffmpeg"
PICTURE = "testsrc2=size=320x180:rate=25"
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tape:
    """All segments, by number; each lasts one second and begins with a keyframe."""

    init: bytes
    fmp4: tuple[bytes, ...]
    ts: tuple[bytes, ...]
    sound_init: bytes
    sound: tuple[bytes, ...]
    """Of the tone alone, cut as near to the same moments as its frames allow."""


def record(folder: Path, *, picture: str = PICTURE, seconds: int = SECONDS) -> Tape:
    """Record a tape, using ``folder`` for its files."""
    master = folder / "master.mp4"
    encode = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -sc_threshold 0 -bf 0 -c:a aac"
    _ffmpeg(
        f"-f lavfi -i {picture} -f lavfi -i sine=frequency=440:sample_rate=48000 -t {seconds}",
        f"{encode} {master}",
    )
    cut = f"-i {master} -c copy -f hls -hls_time 1 -hls_list_size 0"
    _ffmpeg(
        f"{cut} -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4",
        f"-hls_segment_filename {folder}/%03d.m4s {folder}/fmp4.m3u8",
    )
    _ffmpeg(f"{cut} -hls_segment_filename {folder}/%03d.ts {folder}/ts.m3u8")
    sound = folder / "sound"
    sound.mkdir()
    _ffmpeg(
        f"{cut} -vn -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4",
        f"-hls_segment_filename {sound}/%03d.m4s {sound}/fmp4.m3u8",
    )
    return Tape(
        init=(folder / "init.mp4").read_bytes(),
        fmp4=tuple(path.read_bytes() for path in sorted(folder.glob("*.m4s"))),
        ts=tuple(path.read_bytes() for path in sorted(folder.glob("*.ts"))),
        sound_init=(sound / "init.mp4").read_bytes(),
        sound=tuple(path.read_bytes() for path in sorted(sound.glob("*.m4s"))),
    )


def _ffmpeg(*arguments: str) -> None:
    command = [FFMPEG, "-v", "error", "-nostdin", "-y", *" ".join(arguments).split()]
    subprocess.run(command, check=True, timeout=60)
