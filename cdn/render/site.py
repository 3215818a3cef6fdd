"""What every engine has to be told: where it listens, whom it asks, how long it waits.

The settings describe a Tidecast edge. A rendered configuration either stands in front of such edges
(TLS, HTTP/2, and some of the bytes) or alone in the place of one, in front of the origin. That
decides which of the settings are the engine's own address and which are the servers behind it, and
how long it waits for them:

- alone, as long as the edge would: ``origin.first_byte_timeout_s``;
- in front, a little longer than the edge waits for its origin, so that a viewer gets the edge's
  answer (the last good playlist) and not the engine's error;
- and never less than three target durations, since that is how long a blocked playlist may be held
  (draft-pantos-hls-rfc8216bis, section 6.2.5.2).
"""

import math
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from cdn.errors import SettingsError
from cdn.http.keys import Kind
from cdn.settings import EdgeSettings, Rule

TARGETS_HELD = 3
"""A server holds a request for a playlist for at most three target durations (6.2.5.2)."""

LONGER_THAN_THE_EDGE_S = 2.0
"""What an engine in front waits beyond its edge: long enough for the edge to give up and answer."""

MEDIA_EXTENSIONS = ("m4s", "mp4", "m4v", "m4a", "cmfv", "cmfa", "ts", "aac", "mp3", "vtt")

PART = r"\.[0-9]+\.m4s$"
"""A part's name is its segment's and a number: ab-7.m4s consists of ab-7.0.m4s, ab-7.1.m4s, ..."""

PATTERNS: dict[Kind, str] = {
    Kind.PLAYLIST: r"/[apv][0-9]+/[^/]+\.m3u8$",
    Kind.MULTIVARIANT: r"[^/]\.m3u8$",
    Kind.ASSET: r"^/assets/",
    Kind.MEDIA: rf"[^/]\.(?:{'|'.join(MEDIA_EXTENSIONS)})$",
    Kind.STATUS: r"[^/]\.json$",
}
"""Regular expressions that tell kinds apart, to be tried in this order; what is left is a page."""


class Place(Enum):
    """Where the engine stands."""

    IN_FRONT = "in-front"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Address:
    """A server behind the engine."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files on the machine that the engine runs on."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class KindRule:
    """How long one kind is kept; ``fresh_s`` is None where the origin's headers decide."""

    kind: Kind
    fresh_s: float | None
    stale_s: float

    @property
    def pattern(self) -> str:
        """The regular expression of its paths; a page is what no other pattern fits."""
        return PATTERNS.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Site:
    """One engine at its place; durations in seconds.

    ``connections`` are those to each server behind, ``viewers`` those of viewers in total; 0 is as
    many as there can be.
    """

    place: Place
    source: str
    host: str
    port: int
    server_name: str
    tls: Tls | None
    servers: tuple[Address, ...]
    servers_tls: bool
    by_stream: bool
    in_order: bool
    connect_s: float
    wait_s: float
    pause_s: float
    keep_alive_s: int
    head_s: int
    slow_reader_s: int
    backlog: int
    viewers: int
    connections: int
    memory_bytes: int
    negative_s: float
    rules: dict[Kind, KindRule]
    cache_folder: str
    forwarded_for: bool

    @property
    def alone(self) -> bool:
        """Whether the engine stands in the place of an edge."""
        return self.place is Place.ALONE

    @property
    def listens(self) -> str:
        """The engine's own address, as all of them write it."""
        return str(Address(self.host, self.port))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A configuration, and what its operator must know about it; the text says it, too."""

    text: str
    warnings: tuple[str, ...] = ()


def site_of(settings: EdgeSettings, place: Place, source: str) -> Site:
    """Read the settings for an engine at this place; raise ``SettingsError`` if they do not fit."""
    listen, origin, render = settings.listen, settings.origin, settings.render
    alone = place is Place.ALONE
    tls = _tls(settings, place)
    port = render.port if render.certificate or not alone else listen.http_port
    if port == 0:
        name = "render.port" if render.certificate or not alone else "listen.http_port"
        raise SettingsError(f"{name}: 0 (any free port) cannot stand in a configuration")
    servers = _origins(settings) if alone else _edges(settings, port)
    held_s = TARGETS_HELD * render.longest_target_s
    patient_s = origin.first_byte_timeout_s
    if not alone:
        patient_s += origin.connect_timeout_s + LONGER_THAN_THE_EDGE_S
    return Site(
        place=place,
        source=source,
        host=listen.host,
        port=port,
        server_name=render.server_name,
        tls=tls,
        servers=servers,
        servers_tls=alone and urlsplit(origin.url[0]).scheme == "https",
        by_stream=origin.choice == "by-stream" if alone else render.spread == "by-stream",
        in_order=alone and origin.choice == "in-order",
        connect_s=max(origin.connect_timeout_s, 0.1),
        wait_s=max(held_s, patient_s),
        pause_s=max(origin.read_timeout_s, 0.1),
        keep_alive_s=listen.keep_alive_s,
        head_s=listen.head_timeout_s,
        slow_reader_s=listen.slow_reader_s,
        backlog=listen.backlog,
        viewers=listen.connections * listen.workers,
        connections=origin.connections,
        memory_bytes=settings.cache.memory * listen.workers,
        negative_s=settings.cache.negative_s,
        rules=_rules(settings),
        cache_folder=render.cache_folder,
        forwarded_for=render.forwarded_for,
    )


def whole_up(seconds: float) -> int:
    """Round up: for how long something is waited for."""
    return math.ceil(seconds)


def _tls(settings: EdgeSettings, place: Place) -> Tls | None:
    certificate, key = settings.render.certificate, settings.render.key
    if bool(certificate) != bool(key):
        missing = "key" if certificate else "certificate"
        raise SettingsError(f"render.{missing}: TLS needs a certificate and its key (PEM files)")
    own = settings.listen.tls_certificate, settings.listen.tls_key
    if own[0] and place is Place.IN_FRONT:
        raise SettingsError(
            "listen.tls_certificate: edges behind a server that ends TLS speak plain HTTP; "
            "give the certificate and its key to that server (render.certificate, render.key)"
        )
    if not certificate and own[0] and own[1]:
        certificate, key = _plain("tls_certificate", own[0]), _plain("tls_key", own[1])
    return Tls(certificate, key) if certificate else None


def _plain(name: str, path: Path) -> str:
    # It stands in other languages, whose quotes and comments it must not begin or end.
    if not re.fullmatch(r"/[A-Za-z0-9._/-]+", str(path)):
        raise SettingsError(
            f"listen.{name}: {path} cannot stand in a configuration; "
            "a whole path of letters, digits, dots and dashes can"
        )
    return str(path)


def _edges(settings: EdgeSettings, port: int) -> tuple[Address, ...]:
    if settings.render.edges:
        return tuple(map(_address, settings.render.edges))
    own = settings.listen.http_port
    if own == 0:
        raise SettingsError(
            "render.edges: say where the edges are; listen.http_port is 0, which is any free port"
        )
    if own == port:
        raise SettingsError(
            f"render.port: {port} is taken by the edge itself (listen.http_port); "
            "what stands in front of it needs another port, or other edges (render.edges)"
        )
    return (Address("127.0.0.1", own),)


def _origins(settings: EdgeSettings) -> tuple[Address, ...]:
    urls = [urlsplit(url) for url in settings.origin.url]
    if len({url.scheme for url in urls}) > 1:
        raise SettingsError("origin.url: a configuration has one scheme for all origins")
    if urls[0].scheme == "https" and len({url.hostname for url in urls}) > 1:
        raise SettingsError(
            "origin.url: origins with different names over https need an edge of ours; "
            "a configuration checks one name for all"
        )
    default = 443 if urls[0].scheme == "https" else 80
    return tuple(Address(url.hostname or "", url.port or default) for url in urls)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.strip("[]"), int(port))


def _rules(settings: EdgeSettings) -> dict[Kind, KindRule]:
    rules, stale_s = settings.rules, settings.cache.stale_if_error_s
    given: dict[Kind, Rule] = {
        Kind.PLAYLIST: rules.playlist,
        Kind.MULTIVARIANT: rules.multivariant,
        Kind.ASSET: rules.asset,
        Kind.MEDIA: rules.media,
        Kind.STATUS: rules.status,
        Kind.PAGE: rules.page,
    }
    return {
        kind: KindRule(
            kind,
            rule.fresh_s,
            stale_s if rule.stale_if_error_s is None else rule.stale_if_error_s,
        )
        for kind, rule in given.items()
    }
