"""``tidecast bench viewers``: an audience, and what it lived through.

A viewer is what a player is (``load/viewer.h``): it joins behind the live edge by the distance
that the playlist states, fetches everything once and in order, and has a playhead. What counts
first is whether that ever stood still; the figures say how far from it the server was.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from origin.bench.compiler import load_generator
from origin.bench.figures import Figures
from origin.bench.resources import check_descriptors, source_addresses
from origin.bench.running import run_load, target_options
from origin.bench.target import Target


class Percentiles(Figures):
    """Milliseconds, and of how many of them."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float


class Stalls(Figures):
    """Playheads that stood still; one that does at the end of the run is among them."""

    count: int
    viewers: int
    seconds: float
    longest_s: float


class Connections(Figures):
    """How often a connection was made, and how often because the server had closed one."""

    opened: int
    reopened: int


class Load(Figures):
    """The load's own share: near 100 % of a core it measures itself, not the server."""

    cpu_percent: float
    longest_turn_ms: float


class Late(Figures):
    """From the moment at which the first viewer saw a part or segment listed.

    That is its publication, as near as anybody outside can tell; ``playlist`` is when a viewer
    knew of it, ``part`` when all of it had arrived.
    """

    playlist: Percentiles
    part: Percentiles


class ViewersReport(Figures):
    """What an audience lived through."""

    viewers: int
    playing: int
    """Whose playhead has begun to move."""
    stalls: Stalls
    skipped: int
    """How often a viewer came back to a playlist that no longer had what it wanted next."""
    rewound: int
    """How often one ended before what its viewer already had; it joins again."""
    connections: Connections
    errors: dict[str, int]
    """By kind, as ``load/tally.c`` names them; those that never happened are left out."""
    measured_s: float
    """Since everybody was in: what follows is of that time, and what stands above of all."""
    requests: int
    requests_per_s: float
    gbit_per_s: float
    playlists: int
    """Answers with one."""
    media: int
    """Answers with a part or a segment."""
    load: Load
    start_ms: Percentiles
    """From a viewer's first request until its playhead moved; of the whole run, too."""
    playlist_ms: Percentiles
    """From request to last byte, where nobody holds the answer."""
    media_ms: Percentiles
    """From request to last byte."""
    late_ms: Late

    @property
    def is_flawless(self) -> bool:
        """Whether everybody saw everything without an interruption."""
        smooth = not (self.stalls.count or self.skipped or self.rewound or self.errors)
        return smooth and self.playing == self.viewers


@dataclass(frozen=True, slots=True)
class Audience:
    """How many come, how fast, and for how long they are watched."""

    number: int = 1000
    seconds: float = 40.0
    """Measured once everybody has been in for two seconds."""
    per_second: float = 1000.0
    """Viewers that come, until all are there."""
    low_latency: bool | None = None
    """None: what the playlist offers."""
    delta: bool = False
    """Whether low-latency viewers ask for delta updates (EXT-X-SKIP)."""
    addresses: int | None = None
    """Loopback addresses to come from; None: as many as are needed."""
    timeout_s: float = 15.0
    """For an answer."""


def run_viewers(
    target: Target, audience: Audience, on_measuring: Callable[[], None] = lambda: None
) -> ViewersReport:
    """Let an audience watch; return what it lived through."""
    check_descriptors(audience.number)
    options = [
        *target_options(target, source_addresses(target, audience.number, audience.addresses)),
        *("--number", str(audience.number), "--seconds", str(audience.seconds)),
        *("--rate", str(audience.per_second), "--timeout", str(audience.timeout_s)),
    ]
    if is_low_latency(target, audience):
        options.append("--low-latency")
    if audience.delta:
        options.append("--delta")
    report = run_load(load_generator(), "viewers", options, on_measuring)
    return ViewersReport.model_validate_json(report)


def is_low_latency(target: Target, audience: Audience) -> bool:
    """Say how the audience will watch: as it was told to, or as the playlist offers."""
    return target.is_low_latency if audience.low_latency is None else audience.low_latency


def describe_viewers(report: ViewersReport, *, low_latency: bool) -> Iterator[str]:
    """Say it in lines for people."""
    kind = "low-latency" if low_latency else "classic"
    stalls = report.stalls
    yield f"{report.playing} of {report.viewers} {kind} viewers played"
    yield (
        f"stalls       {stalls.count}, of {stalls.viewers} viewers, {stalls.seconds:.1f} s in all, "
        f"the longest {stalls.longest_s:.2f} s"
    )
    if low_latency:
        yield f"part late    {_times(report.late_ms.part)} after it was published"
        yield f"list late    {_times(report.late_ms.playlist)}"
    yield f"media        {_times(report.media_ms)} from request to last byte"
    yield f"playlists    {_times(report.playlist_ms)} (those that nobody holds)"
    yield f"first play   {_times(report.start_ms)} after the first request"
    yield (
        f"load         {report.requests_per_s:,.0f} requests/s, {report.gbit_per_s:.3f} Gbit/s, "
        f"{report.connections.opened} connections ({report.connections.reopened} reopened)"
    )
    yield (
        f"the load's own {report.load.cpu_percent:.0f} % of a core, "
        f"its longest turn {report.load.longest_turn_ms:.0f} ms"
    )
    if report.skipped or report.rewound:
        yield f"playlist     skipped ahead {report.skipped} times, went back {report.rewound} times"
    errors = ", ".join(f"{kind} {count}" for kind, count in report.errors.items())
    yield f"errors       {errors or 'none'}"


def _times(times: Percentiles) -> str:
    return f"p50 {times.p50:.0f}  p99 {times.p99:.0f}  max {times.max:.0f} ms"
