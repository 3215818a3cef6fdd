"""The proof: a Tidecast of its own publishes to itself for three seconds, and is watched.

It is ``tidecast serve`` as anybody starts it, on loopback, on ports that nobody has, in a directory
that is thrown away; the load test's publisher sends it a clip. What is watched comes through its
edge, the way of all viewers, and is decoded to pictures and sound: a playlist alone proves nothing.
"""

import io
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin
from urllib.request import urlopen

from origin.bench.errors import CannotMeasure
from origin.bench.ingest import Ingest, IngestReport, describe_ingest, run_ingest
from origin.config.addresses import LOOPBACK
from origin.config.layers import PREFIX
from origin.doctor.findings import Finding, problem, well

SERVE = (sys.executable, "-m", "origin", "serve")
WATCHED_S = 3.0
PATIENCE_S = 90.0
"""Until that much has been seen: a second and what is watched, on a machine with nothing else."""
BITRATE = 1_000_000
STREAM = "doctor"
ANSWER_S = 10.0
ASK_EVERY_S = 0.1
END_WITHIN_S = 15.0
ENOUGH = 0.9
"""Of the pictures that there should be: the last one's length is rounded."""
LAST_WORDS = 3


class TrialFailed(Exception):
    """It could not be watched; says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was watched."""

    after_s: float
    """From the first packet until the first segment could be had."""
    media_s: float
    pictures: int
    sounds: int


@dataclass(frozen=True, slots=True)
class Running:
    """A Tidecast of our own."""

    process: subprocess.Popen[bytes]
    publish_to: str
    watch_at: str
    readiness: str


def try_out(serve: Sequence[str] = SERVE, patience_s: float = PATIENCE_S) -> Finding:
    """Publish, watch, and say what came of it."""
    with TemporaryDirectory(prefix="tidecast-doctor-") as folder:
        try:
            with ThreadPoolExecutor(1) as publisher, running(serve, Path(folder)) as server:
                until = time.monotonic() + patience_s
                wait_for(server, until)
                ingest = Ingest(seconds=patience_s, bitrate=BITRATE)
                seen = watch(server, publisher.submit(run_ingest, server.publish_to, ingest), until)
        except TrialFailed as failure:
            words = (Path(folder) / "log").read_text(errors="replace").split("\n")
            said = " / ".join([word.strip() for word in words if word.strip()][-LAST_WORDS:])
            return problem(f"what is published here cannot be watched: {failure}. It said: {said}")
    return judge(seen)


def judge(seen: Seen) -> Finding:
    """Say whether all of it was there."""
    from origin.bench.clip import FRAME_RATE

    due = round(seen.media_s * FRAME_RATE)
    told = f"{seen.pictures} of {due} pictures, {seen.sounds} pieces of sound"
    if seen.pictures < ENOUGH * due or not seen.sounds:
        return problem(f"what was published arrived in part: {told}. Is the machine too busy?")
    return well(
        f"published and watched {seen.media_s:g} s: {told}, first after {seen.after_s:.1f} s"
    )


@contextmanager
def running(serve: Sequence[str], folder: Path) -> Generator[Running]:
    """Run it until it has been watched; who still publishes then is sent away by its end."""
    rtmp, http, control = _free_ports(3)
    command = [
        *serve,
        *("--open", "--host", LOOPBACK, "--data-dir", str(folder / "data")),
        *("--rtmp-port", str(rtmp), "--http-port", str(http), "--control-port", str(control)),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_plain(os.environ)
        )
        try:
            yield Running(
                process,
                f"rtmp://{LOOPBACK}:{rtmp}/live/{STREAM}",
                f"http://{LOOPBACK}:{http}/{STREAM}/index.m3u8",
                f"http://{LOOPBACK}:{http}/readyz",
            )
        finally:
            process.terminate()
            try:
                process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(server: Running, until: float) -> None:
    """Wait until the edge and the origin behind it are ready."""
    while True:
        try:
            _fetch(server.readiness)
        except OSError:
            _pause(server, until, "ready")
        else:
            return


def watch(server: Running, publisher: "Future[IngestReport]", until: float) -> Seen:
    """Follow the playlist until enough is listed, then fetch and decode it."""
    began, first_s = time.monotonic(), 0.0
    while True:
        listed = _listed(server.watch_at)
        if listed and not first_s:
            first_s = time.monotonic() - began
        if sum(listed.values()) >= WATCHED_S:
            return _decoded(listed, first_s)
        if publisher.done():
            raise TrialFailed(_end_of(publisher))
        _pause(server, until, "live")


def _pause(server: Running, until: float, what: str) -> None:
    if server.process.poll() is not None:
        raise TrialFailed(f"it ended with {server.process.returncode}")
    if time.monotonic() > until:
        raise TrialFailed(f"in all that time it was not {what}")
    time.sleep(ASK_EVERY_S)


def _end_of(publisher: "Future[IngestReport]") -> str:
    try:
        return "its publisher says: " + ", ".join(describe_ingest(publisher.result()))
    except CannotMeasure as error:
        return str(error)


def _listed(url: str) -> dict[str, float]:
    """Return the segments' addresses and lengths; the map stands first, with none."""
    try:
        variant = re.search(r"^[^#\n].*$", _fetch(url).decode(), re.MULTILINE)
        if variant is None:
            return {}
        media = urljoin(url, variant[0])
        text = _fetch(media).decode()
    except OSError:
        return {}
    found = {urljoin(media, uri): 0.0 for uri in re.findall(r'EXT-X-MAP:URI="([^"]+)"', text)}
    lengths = re.findall(r"^#EXTINF:([\d.]+).*\n(?:#.*\n)*([^#\n]+)$", text, re.MULTILINE)
    return found | {urljoin(media, uri): float(length) for length, uri in lengths}


def _decoded(listed: Mapping[str, float], after_s: float) -> Seen:
    import av
    from av.container import InputContainer
    from av.error import FFmpegError

    try:
        media = b"".join(map(_fetch, listed))
        with av.open(io.BytesIO(media), format="mp4") as container:
            assert isinstance(container, InputContainer)
            pictures = sum(1 for _ in container.decode(video=0))
        with av.open(io.BytesIO(media), format="mp4") as container:
            assert isinstance(container, InputContainer)
            sounds = sum(1 for _ in container.decode(audio=0))
    except FFmpegError as error:
        raise TrialFailed(f"it cannot be decoded: {error}") from error
    except OSError as error:
        raise TrialFailed(f"it was listed and could not be had: {error}") from error
    return Seen(after_s, sum(listed.values()), pictures, sounds)


def _fetch(url: str) -> bytes:
    with urlopen(url, timeout=ANSWER_S) as answer:
        return bytes(answer.read())


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings: this one is tried as it comes."""
    return {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
