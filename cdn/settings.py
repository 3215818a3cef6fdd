"""Every setting of the edge, declared once.

A field's docstring is its documentation, in the command line's help and wherever else settings
are listed (``commands.described`` reads it from here). Where values come from is in ``layers``.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]
PlainPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._/-]*)?$")]


def _origin_urls(value: object) -> tuple[str, ...]:
    """Let a single address stand where a list may; a text may hold several, with commas between."""
    if isinstance(value, str):
        text = value.strip()
        value = json.loads(text) if text.startswith("[") else text.split(",")
    if not (isinstance(value, list | tuple) and value):
        raise ValueError("an origin's address is a text, or a list of texts")
    several = cast("Sequence[object]", value)
    urls = tuple(_origin_url(str(each).strip()) for each in several)
    if len(set(urls)) < len(urls):
        raise ValueError("an origin is named twice")
    return urls


def _origin_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError("the origin's address looks like https://live.example.com:8081")
    if url.path not in ("", "/") or url.query or url.fragment or url.username:
        raise ValueError("the origin's address has a scheme, a host and a port, and nothing else")
    return f"{url.scheme}://{url.netloc}"


class Section(BaseModel):
    """What all sections share: unknown names are errors, and nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Origin(Section):
    """Where streams come from, and how patient the edge is with it."""

    url: Annotated[
        tuple[str, ...],
        BeforeValidator(_origin_urls),
        Field(max_length=32, examples=["https://live.example.com"]),
    ]
    """The origin's address (scheme, host and port), or a list of several. An origin of an edge may
    be another edge."""
    choice: Literal["in-order", "by-stream"] = "in-order"
    """Which of several is asked: the first that is well, or one for each stream, so that all edges
    meet there."""
    retry_missing: bool = True
    """With several in order: whether what one does not know (404) is asked of the next, too."""
    probe_interval_s: Annotated[float, Field(ge=0.05, le=3600)] = 1.0
    """With several: how often each is asked whether it is well (/healthz)."""
    probe_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    """How long the answer to that may take."""
    down_after: Annotated[int, Field(ge=1, le=100)] = 2
    """Failures in a row, of probes or fetches, after which an origin counts as down."""
    up_after: Annotated[int, Field(ge=1, le=100)] = 2
    """Good answers in a row after which an origin that was down counts as well."""
    connect_timeout_s: Seconds = 3.0
    """How long a connection may take to be established."""
    first_byte_timeout_s: Seconds = 30.0
    """How long an answer may take to begin; a blocked playlist takes up to three segments."""
    read_timeout_s: Seconds = 10.0
    """How long an answer may pause in the middle."""
    total_timeout_s: Seconds = 60.0
    """How long an answer may take as a whole; this is what stops one byte a second."""
    connections: Annotated[int, Field(ge=1)] = 512
    """Most connections to the origin at a time, per worker."""
    largest_object: ByteSize = ByteSize(64 * 1024 * 1024)
    """Largest answer that is taken from the origin (64MiB)."""


class Listen(Section):
    """Where viewers connect, and how the edge says goodbye."""

    host: str = "0.0.0.0"
    """Address to listen on."""
    http_port: Port = 8080
    """Port for viewers; 0 picks a free one."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that share the port; each has a cache of its own, so one per core is the most."""
    backlog: Annotated[int, Field(ge=1)] = 4096
    """Connections that may wait to be accepted (the kernel's net.core.somaxconn bounds it)."""
    keep_alive_s: Annotated[int, Field(ge=1)] = 30
    """How long an idle connection is kept for the viewer's next request."""
    drain_notice_s: Seconds = 0.5
    """After SIGTERM, how long new connections still get an answer, with /readyz saying 503."""
    drain_s: Annotated[int, Field(ge=1, le=3600)] = 8
    """How long responses that are running may go on after drain_notice_s."""
    fast_path: bool = True
    """Whether plain requests are answered without a task each. Off, everything takes the full path,
    at several times the cost: only to find out whether a fault lies in the fast one."""
    connections: Annotated[int, Field(ge=0)] = 0
    """Most connections of viewers, per worker; more get a 503. 0 is as many as there are file
    descriptors for (ulimit -n), less what the origin's connections and the process itself need."""
    connections_per_address: Annotated[int, Field(ge=0)] = 0
    """Most connections from one address, per worker; 0 is no limit, because a carrier puts
    thousands of viewers behind one address, and a balancer all of them."""
    head_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 10
    """How long a request may take to arrive as a whole."""
    slow_reader_s: Annotated[int, Field(ge=1, le=3600)] = 30
    """How long a viewer may take nothing of an answer before the connection is cut."""
    tls_certificate: Path | None = None
    """Certificate chain in PEM; with it and the key, the port speaks HTTPS only."""
    tls_key: Path | None = None
    """Private key in PEM, without a passphrase."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_certificate is None) is not (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        return self


class Cache(Section):
    """What is kept, and for how long where the origin does not say."""

    memory: ByteSize = ByteSize(512 * 1024 * 1024)
    """Most memory for objects, per worker (512MiB); the least recently used go first."""
    stale_if_error_s: Seconds = 60.0
    """How long the last good answer stands in for an origin that fails."""
    negative_s: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How long a 404 and its like are kept at most."""
    patience_s: Seconds = 1.5
    """How long viewers of an expired object wait for a slow origin before they get the old one."""
    retry_s: Seconds = 1.0
    """How long the edge leaves a failing origin alone before it asks for that object again."""


class Rule(Section):
    """What to do with one kind of resource, instead of obeying the origin's headers."""

    fresh_s: Seconds | None = None
    """Lifetime of a good answer that may be stored at all."""
    stale_if_error_s: Seconds | None = None
    """How long after that it stands in for an origin that fails."""


class Rules(Section):
    """Rules by kind of resource; without one, the origin's headers are obeyed."""

    playlist: Rule = Rule()
    """Media playlists: index.m3u8 below v0/, p0/, a0/, ..."""
    multivariant: Rule = Rule()
    """Multivariant playlists: any other .m3u8."""
    media: Rule = Rule()
    """Segments, parts and initialization sections."""
    status: Rule = Rule()
    """JSON that pages poll, such as status.json."""
    asset: Rule = Rule()
    """Everything below /assets/."""
    page: Rule = Rule()
    """Pages, and all that is none of the above."""


class Metrics(Section):
    """Prometheus metrics, on a port that viewers do not reach."""

    enabled: bool = True
    """Whether metrics are served at all."""
    host: str = "127.0.0.1"
    """Address to serve metrics on."""
    port: Port = 9180
    """Port of the first worker's metrics, the next worker has the next port. Where the default is
    taken, a free one is used; a port that was asked for must be free."""


class Purge(Section):
    """Throwing objects away before their time: POST /purge?prefix=/main/ on the metrics port."""

    token: Annotated[str, Field(repr=False)] = ""
    """What a program on another machine has to show (Authorization: Bearer ...). Without one, only
    programs on this machine may purge."""


class Log(Section):
    """What is written about the edge itself, and about requests."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important line that is written to standard error."""
    access_sample: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of requests of which a line of JSON is written: 0 for none, 0.01 for one in a hundred,
    1 for all. A line costs more than most answers do."""
    access_file: Annotated[str, Field(min_length=1)] = "stderr"
    """Where to: stdout, stderr, or a file, which all workers share and which SIGHUP reopens."""


class Render(Section):
    """What `tidecast edge render` writes for nginx, Varnish or HAProxy beside all the rest."""

    edges: tuple[
        Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}$")], ...
    ] = ()
    """Edges behind the server, each as host:port; without any, the one that this file describes."""
    spread: Literal["by-stream", "evenly"] = "by-stream"
    """Which edge a viewer gets: that of the stream, so that each stream is fetched once, or any,
    for one stream that is too much for one edge."""
    port: Port = 443
    """Port that viewers connect to with TLS."""
    server_name: Annotated[str, Field(pattern=r"^(_|[A-Za-z0-9.*-]+)$")] = "_"
    """Name that viewers know the server by."""
    certificate: PlainPath = ""
    """File with the server's certificate and those above it (PEM)."""
    key: PlainPath = ""
    """File with the certificate's private key (PEM)."""
    longest_target_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    """Longest target duration of any stream; no server gives up within three of it."""
    cache_folder: PlainPath = "/var/cache/nginx/tidecast"
    """Folder for nginx's cache; on a tmpfs it costs no disk."""
    forwarded_for: bool = False
    """Whether edges are told viewers' addresses (X-Forwarded-For); Tidecast's do not need them."""


class EdgeSettings(Section):
    """All sections together, as in the TOML file."""

    origin: Origin
    listen: Listen = Listen()
    cache: Cache = Cache()
    rules: Rules = Rules()
    metrics: Metrics = Metrics()
    render: Render = Render()
    purge: Purge = Purge()
    log: Log = Log()
