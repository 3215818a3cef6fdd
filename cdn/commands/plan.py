"""The command ``tidecast plan``: what an audience of a given size takes, before it comes.

What an edge spends is counted from three numbers: viewers, the bitrate that each takes, and how the
stream is cut, which says how many requests a viewer makes a second. From there on it is arithmetic
over anchors: what one core, one connection and one network card were seen to carry. The anchors
stand in one place (``ANCHORS``), each with where it comes from, and are printed with the plan, so
that whoever has measured a machine of their own can see which figure to doubt.

::

    viewers, bitrate ──> bits per second ──────────> network cards
    viewers, parts   ──> requests per second ──┐
                         bits per second ──────┴──> cores ──> workers, memory, descriptors

A core is busy with requests and with bytes one after the other, so their times add up. Bytes are
priced at the worst that was seen, and a request at what is left of a measured audience's time when
its bytes are taken off. Nothing here knows a clock or a socket. It is a plan: it leaves room
(``CORE_FILL``, ``CARD_FILL``), and ``tidecast bench viewers`` says what is true of a machine.
"""

import json
import math
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click

from cdn.errors import SettingsError

UNUSABLE = 2

CORE_FILL = 0.7
"""How full a core is planned to be: the rest is for the moment when everybody comes back."""

CARD_FILL = 0.8
"""How full a card is planned to be: TCP fills it unevenly, and retransmits."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """What was measured; update them from a run of ``make bench`` on the machine in question."""

    steady_requests_per_s: float = 36_000
    """Of 10,000 low-latency viewers of a 500 kbit/s stream in parts of 0.5 s, on one core, each
    part with its viewer within its half second (benchmarks/steady.py)."""
    steady_bits_per_s: float = 5.06e9
    """What these viewers were sent (benchmarks/steady.py)."""
    steady_core_share: float = 0.62
    """How much of the core that took (benchmarks/steady.py)."""
    bits_per_core: float = 20e9
    """The least that one core moved over loopback in segments; 45e9 was the most
    (benchmarks/edge_hit.py)."""
    tls_cost: float = 1.3
    """Time with TLS 1.3 beside the time without: the most that is aimed at; 1.2 was measured at
    1 KB."""
    connection_bytes: float = 3_000
    """30 MB for 10,000 idle connections on the fast path."""
    kernel_connection_bytes: float = 20_480
    """Outside of the process: a send buffer as it begins (tcp(7), tcp_wmem: 16 KiB), and the
    socket."""
    worker_bytes: float = 60_000_000
    """A worker without viewers: Python and the libraries (`process_resident_memory_bytes`)."""
    cached_segments: float = 24
    """Of each stream: the window of 12 segments (hls.window), and as many that have just left."""

    @property
    def request_s(self) -> float:
        """What a request takes of a core, its bytes not counted."""
        of_bytes = self.steady_bits_per_s / self.bits_per_core
        return (self.steady_core_share - of_bytes) / self.steady_requests_per_s


ANCHORS = Anchors()

LOCAL_PORTS = 28_232
"""As a Linux machine begins: 32768 to 60999 (ip(7), ip_local_port_range)."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Who comes, and what they watch."""

    viewers: int
    bits_per_s: float
    segment_s: float = 2.0
    part_s: float = 0.5
    is_classic: bool = False
    """Without low latency: whole segments, and a playlist for each."""
    nic_bits_per_s: float = 10e9
    streams: int = 1
    has_tls: bool = False

    @property
    def requests_per_viewer_s(self) -> float:
        """A playlist and a piece of media for each piece; a segment's playlist is asked for twice.

        A low-latency player asks for the playlist that holds the next part and is answered when it
        does. A classic one reloads every target duration, and every half of one while nothing is
        new (RFC 8216, 6.3.4).
        """
        return 3 / self.segment_s if self.is_classic else 2 / self.part_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes, with room left."""

    busy_cores: float
    """The time of cores that is used, without any room."""
    requests_per_s: float
    bits_per_s: float
    cores: int
    nics: int
    connections: int
    connections_per_worker: int
    worker_memory_bytes: float
    cache_bytes: float
    kernel_bytes: float
    origin_requests_per_s: float
    nofile: int
    somaxconn: int
    needs_local_ports: bool
    """Whether a balancer in front runs out of ports towards one address of an edge (ip(7),
    ip_local_port_range: 28,232 of them)."""

    @property
    def memory_bytes(self) -> float:
        return self.worker_memory_bytes * self.cores + self.kernel_bytes


def plan(audience: Audience, anchors: Anchors = ANCHORS) -> Plan:
    """Reckon what an audience takes."""
    requests = audience.viewers * audience.requests_per_viewer_s
    bits = audience.viewers * audience.bits_per_s
    tls = anchors.tls_cost if audience.has_tls else 1.0
    busy = (requests * anchors.request_s + bits / anchors.bits_per_core) * tls
    cores = max(1, math.ceil(busy / CORE_FILL))
    per_worker = math.ceil(audience.viewers / cores)
    kept_s = anchors.cached_segments * audience.segment_s
    cache = audience.streams * audience.bits_per_s / 8 * kept_s
    return Plan(
        requests_per_s=requests,
        bits_per_s=bits,
        cores=cores,
        busy_cores=busy,
        nics=max(1, math.ceil(bits / (audience.nic_bits_per_s * CARD_FILL))),
        connections=audience.viewers,
        connections_per_worker=per_worker,
        worker_memory_bytes=anchors.worker_bytes + per_worker * anchors.connection_bytes + cache,
        cache_bytes=cache,
        kernel_bytes=audience.viewers * anchors.kernel_connection_bytes,
        origin_requests_per_s=audience.requests_per_viewer_s * audience.streams * cores,
        nofile=_round_up(per_worker * 1.5 + 1024),
        somaxconn=_round_up(max(4096, audience.viewers / 4 / cores)),
        needs_local_ports=audience.viewers > LOCAL_PORTS,
    )


def _round_up(number: float) -> int:
    """Return the next power of two, as such limits are usually written."""
    return int(2 ** math.ceil(math.log2(number)))


_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)(?:i?b(?:it)?(?:/s|ps)?)?", re.IGNORECASE)
_FACTOR = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


def amount(text: str, name: str, example: str) -> float:
    """Read a number that may end in k, M or G, in thousands; refuse everything else."""
    found = _AMOUNT.fullmatch(text.strip())
    value = float(found[1]) * _FACTOR[found[2].lower()] if found else 0.0
    if not 0 < value < 1e15:
        raise SettingsError(f"{name}: {text!r} is no amount; it looks like {example}")
    return value


def seconds(text: str, name: str, most: float) -> float:
    """Read a duration in seconds."""
    try:
        value = float(text.strip().removesuffix("s"))
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= most:
        raise SettingsError(f"{name}: {text!r} is not between 0.05 and {most:g} seconds")
    return value


def audience_of(given: dict[str, str], *, is_classic: bool, has_tls: bool) -> Audience:
    """Read what was asked; raise ``SettingsError`` with a line for each mistake."""
    viewers = amount(given["viewers"], "--viewers", "10000 or 10k")
    streams = amount(given["streams"], "--streams", "1")
    segment_s = seconds(given["segment"], "--segment", 60)
    part_s = seconds(given["parts"], "--parts", 10)
    if viewers != int(viewers) or streams != int(streams):
        raise SettingsError("--viewers, --streams: there are no halves of them")
    if not is_classic and part_s > segment_s:
        raise SettingsError("--parts: a part is no longer than its segment (--segment)")
    return Audience(
        viewers=int(viewers),
        bits_per_s=amount(given["bitrate"], "--bitrate", "3M or 800k, in bits a second"),
        segment_s=segment_s,
        part_s=part_s,
        is_classic=is_classic,
        nic_bits_per_s=amount(given["nic"], "--nic", "10G, in bits a second"),
        streams=int(streams),
        has_tls=has_tls,
    )


def page(audience: Audience, made: Plan, anchors: Anchors = ANCHORS) -> str:
    """Return the plan for people."""
    return "\n".join([*_needs(audience, made), "", *_settings(made), "", *_reasons(anchors)]) + "\n"


def _needs(audience: Audience, made: Plan) -> Iterator[str]:
    how = (
        f"classic HLS, segments of {audience.segment_s:g} s"
        if audience.is_classic
        else f"low-latency HLS, parts of {audience.part_s:g} s"
    )
    yield f"{audience.viewers:,} viewers at {_short(audience.bits_per_s)}bit/s, {how}"
    yield ""
    traffic = f"{_short(made.bits_per_s)}bit/s out, {made.requests_per_s:,.0f} requests/s"
    yield f"  traffic       {traffic}"
    yield f"  network       {made.nics} x {_short(audience.nic_bits_per_s)}bit/s"
    yield f"  cores         {made.cores}, one worker each; {made.busy_cores:.2f} of them are busy"
    yield f"  connections   {made.connections:,}, {made.connections_per_worker:,} per worker"
    yield (
        f"  memory        {_short(made.memory_bytes)}B: {_short(made.worker_memory_bytes)}B per "
        f"worker, {_short(made.kernel_bytes)}B of the kernel's"
    )
    yield (
        f"  origin        {made.origin_requests_per_s:,.0f} requests/s, "
        f"one for each object and worker"
    )


def _settings(made: Plan) -> Iterator[str]:
    yield "Settings, on each edge (all of it on one, or a share on each of several):"
    yield f"  ulimit -n {made.nofile}      systemd: LimitNOFILE={made.nofile}"
    queue = made.somaxconn
    yield f"  sysctl net.core.somaxconn={queue} net.ipv4.tcp_max_syn_backlog={queue}"
    yield f"  edge.toml: [listen] workers = {made.cores}, backlog = {queue}"
    if made.needs_local_ports:
        yield (
            "  with a balancer in front: sysctl net.ipv4.ip_local_port_range='1024 65535', and an\n"
            "  address or a port of an edge for every 60,000 connections"
        )


def _reasons(anchors: Anchors) -> Iterator[str]:
    yield f"Reckoned with, and filled to {CORE_FILL:.0%} (cores) and {CARD_FILL:.0%} (cards):"
    yield (
        f"  {anchors.request_s * 1e6:.1f} us a request and {_short(anchors.bits_per_core)}bit/s a "
        f"core, from {anchors.steady_requests_per_s:,.0f} requests/s and "
        f"{_short(anchors.steady_bits_per_s)}bit/s"
    )
    yield f"  on {anchors.steady_core_share:.0%} of a core; x {anchors.tls_cost:g} with --tls"
    yield (
        f"  {_short(anchors.worker_bytes)}B a worker, {_short(anchors.connection_bytes)}B a "
        f"connection, {_short(anchors.kernel_connection_bytes)}B of the kernel's for each"
    )
    yield "Loopback figures: a card adds interrupts, the internet losses and slow readers. Measure"
    yield "your machine: tidecast bench viewers."


def _short(number: float) -> str:
    for letter, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= factor:
            return f"{number / factor:.3g} {letter}"
    return f"{number:.3g} "


def as_json(audience: Audience, made: Plan, anchors: Anchors = ANCHORS) -> str:
    """Return the plan for programs."""
    document = {
        "audience": asdict(audience),
        "plan": {**asdict(made), "memory_bytes": made.memory_bytes},
        "assumptions": {
            "core_fill": CORE_FILL,
            "card_fill": CARD_FILL,
            "request_s": anchors.request_s,
            **asdict(anchors),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _plan(classic: bool, tls: bool, is_json: bool, **given: str) -> None:
    try:
        audience = audience_of(given, is_classic=classic, has_tls=tls)
    except SettingsError as error:
        click.echo(f"tidecast plan: {error}", err=True)
        sys.exit(UNUSABLE)
    click.echo((as_json if is_json else page)(audience, plan(audience)), nl=False)


HELP = """What an audience takes: cores, network cards, memory, limits.

Reckoned from what was measured; the assumptions are printed along."""

plan_command = click.Command(
    "plan",
    callback=_plan,
    help=HELP,
    params=[
        click.Option(["--viewers"], required=True, help="How many watch at once: 10000, 10k."),
        click.Option(["--bitrate"], required=True, help="What each takes, in bits a second: 3M."),
        click.Option(["--segment"], default="2", show_default=True, help="Seconds of a segment."),
        click.Option(["--parts"], default="0.5", show_default=True, help="Seconds of a part."),
        click.Option(["--classic"], is_flag=True, help="Viewers without low latency."),
        click.Option(["--nic"], default="10G", show_default=True, help="A network card's rate."),
        click.Option(["--streams"], default="1", show_default=True, help="Streams at once."),
        click.Option(["--tls"], is_flag=True, help="The edge itself speaks TLS."),
        click.Option(["--json", "is_json"], is_flag=True, help="Print JSON."),
    ],
)
