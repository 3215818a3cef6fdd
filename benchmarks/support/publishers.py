"""Publishers of 6 Mbit/s on the load's core: what they send, and proof that none was lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.support.servers import LOAD_CORE
from origin.bench.ingest import IngestReport

ENDS_WITHIN_S = 120.0
"""Longer than they go on once nobody measures any more, and come in, a hundred of them."""


def make_media(path: Path) -> Path:
    """Ten seconds of 1080p60 at 6 Mbit/s with audio, as FLV; a keyframe every two seconds."""
    video = "-c:v libx264 -preset ultrafast -b:v 5872k -maxrate 5872k -bufsize 5872k"
    gop = "-g 120 -keyint_min 120 -sc_threshold 0 -bf 2 -pix_fmt yuv420p"
    command = (
        "ffmpeg -v error -y -f lavfi -i testsrc2=size=1920x1080:rate=60 "
        "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 10 -vf noise=alls=12:allf=t "
        f"{video} {gop} -c:a aac -b:a 128k -ac 2 {path}"
    )
    subprocess.run(command.split(), check=True)
    return path


@contextmanager
def publishing(port: int, media: Path, number: int, seconds: float) -> Iterator[None]:
    """Let ``number`` publish to cam0, cam1, ... for ``seconds`` once all are in.

    Raises:
        SystemExit: one of them was refused or lost, so that nothing was measured.
    """
    load = subprocess.Popen(
        [
            *("taskset", "-c", LOAD_CORE, sys.executable, "-m", "origin", "bench", "ingest"),
            *(f"rtmp://127.0.0.1:{port}/live/cam{{n}}", "--flv", str(media), "--json"),
            *("-n", str(number), "--seconds", str(seconds)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
        report = IngestReport.model_validate_json(load.communicate(timeout=ENDS_WITHIN_S)[0])
    finally:
        if load.poll() is None:
            load.kill()
            load.communicate()
    if not report.is_flawless:
        raise SystemExit(f"publishers failed, so nothing was measured: {report}")
