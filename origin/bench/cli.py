"""``tidecast bench viewers | herd | ingest``: the commands, and how they end.

Exit status 0 when all went well for everybody, 1 when something did not (stalls, errors), 2 when
nothing could be measured: so that a script can use the first as a gate.
"""

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from origin.bench.errors import CannotMeasure
from origin.bench.figures import Figures
from origin.bench.herd import Herd, describe_herd, held_origin, run_herd
from origin.bench.ingest import Ingest, describe_ingest, run_ingest
from origin.bench.target import inspect
from origin.bench.viewers import Audience, describe_viewers, is_low_latency, run_viewers

JSON = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
ADDRESSES = click.option(
    "--addresses",
    type=click.IntRange(0, 250),
    help="Loopback source addresses (127.0.0.2 and on); by default as many as are needed.",
)


@click.group("bench")
def bench_group() -> None:
    """Put load on a server, yours or anybody's that you may, and see what it does."""


@bench_group.command("viewers")
@click.argument("url")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Viewers at once.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=40,
    show_default=True,
    help="How long to measure, once all are there.",
)
@click.option("--low-latency/--classic", "low_latency", default=None, help="[default: detected]")
@click.option("--delta", is_flag=True, help="Low latency: ask for delta updates.")
@click.option(
    "--rate",
    type=click.FloatRange(1),
    default=1000,
    show_default=True,
    help="Viewers that come per second.",
)
@ADDRESSES
@JSON
def viewers_command(
    url: str,
    number: int,
    seconds: float,
    low_latency: bool | None,
    delta: bool,
    rate: float,
    addresses: int | None,
    as_json: bool,
) -> None:
    """Let N viewers watch URL (http only): a media playlist or a multivariant one."""
    with refusals():
        target = inspect(url)
        audience = Audience(number, seconds, rate, low_latency, delta, addresses)
        is_low = is_low_latency(target, audience)
        kind = "low-latency" if is_low else "classic"
        click.echo(f"{number} {kind} viewers come to {target.url} ...", err=True)
        report = run_viewers(
            target,
            audience,
            lambda: click.echo(f"... and are measured for {seconds:g} s", err=True),
        )
    end(report, describe_viewers(report, low_latency=is_low), as_json, report.is_flawless)


@bench_group.command("herd")
@click.argument("url")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Connections that hold it.",
)
@click.option("--part", "holds_part", is_flag=True, help="Hold the hinted part, not the playlist.")
@click.option(
    "--test-origin",
    "origin_port",
    type=click.IntRange(1, 65535),
    help="Run an origin on this port that publishes once; URL is /herd/v0/index.m3u8 on a cache "
    "in front of it. Without, URL is a live low-latency stream.",
)
@click.option(
    "--part-bytes",
    type=click.IntRange(1),
    default=40_960,
    show_default=True,
    help="With --test-origin: how long its part is.",
)
@ADDRESSES
@JSON
def herd_command(
    url: str,
    number: int,
    holds_part: bool,
    origin_port: int | None,
    part_bytes: int,
    addresses: int | None,
    as_json: bool,
) -> None:
    """Let N connections hold one request of URL, and see how long their release takes."""
    herd = Herd(number, holds_part, origin_port, addresses=addresses)
    with refusals():
        if origin_port is None:
            report = run_herd(inspect(url), herd)
        else:
            with held_origin(origin_port, part_bytes):
                report = run_herd(inspect(url), herd)
    end(report, describe_herd(report), as_json, report.is_whole)


@bench_group.command("ingest")
@click.argument("url")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Publishers at once; {n} in URL is 0, 1, and so on.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=30,
    show_default=True,
    help="How long to publish, once all are let in.",
)
@click.option(
    "--flv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What to publish (H.264, AAC), over and over; by default a clip is made.",
)
@click.option(
    "--kbit", type=click.IntRange(100), default=2500, show_default=True, help="Rate of that clip."
)
@click.option("--pid", type=click.IntRange(1), help="The server's, to see what it uses.")
@JSON
def ingest_command(
    url: str,
    number: int,
    seconds: float,
    flv: Path | None,
    kbit: int,
    pid: int | None,
    as_json: bool,
) -> None:
    """Let N publishers send to URL in real time: rtmp://host/live/KEY-{n}."""
    with refusals():
        report = run_ingest(url, Ingest(number, seconds, flv, kbit * 1000, pid))
    end(report, describe_ingest(report), as_json, report.is_flawless)


def end(report: Figures, lines: Iterable[str], as_json: bool, is_good: bool) -> NoReturn:
    """Print the report, for programs or people, and say by the exit status how it went."""
    for line in [report.model_dump_json(exclude_none=True)] if as_json else lines:
        click.echo(line)
    sys.exit(0 if is_good else 1)


@contextmanager
def refusals() -> Generator[None]:
    """Say why nothing can be measured, and end."""
    try:
        yield
    except CannotMeasure as error:
        for line in str(error).splitlines():
            click.echo(f"tidecast: {line}", err=True)
        sys.exit(2)
