"""The command ``tidecast edge purge``: throw objects away before their time, in every worker.

Each worker has a cache of its own and a port of its own, counted up from the first, so a purge is
one request to each of them. What each says is printed; whoever could not be asked is named, and
the exit code is 1 then: a purge that reached all but one is one that some viewers never see.

What is purged is what begins with the prefix: ``/main/`` is the stream main, ``/main`` mainland,
too. Whoever waits for an object while it is purged still gets it; whoever comes after has it
fetched anew.
"""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import click

from cdn.errors import RequestRefused, SettingsError
from cdn.flags import given_above, sections
from cdn.layers import load
from cdn.observe.port import HANDOVER_S, checked_prefix
from cdn.settings import EdgeSettings, Metrics

UNUSABLE = 2
FAILED = 1

PATIENCE_S = HANDOVER_S + 5.0
"""Longer than the worker takes to say that it is too busy."""

HELP = """Throw away every object whose path begins with PREFIX, such as /main/, in all workers.

Without --at, the workers are those of the edge on this machine that runs with the same settings
(--config, and the edge's flags before the word purge). With --at, any edge that can be reached;
that takes the token in [purge] token."""


class Port(NamedTuple):
    """Where a worker serves its metrics, and takes purges."""

    host: str
    number: int

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.number}"


def ports_of(metrics: Metrics, workers: int) -> list[Port]:
    """Return the ports of the workers of an edge on this machine."""
    if not metrics.enabled:
        raise SettingsError("metrics.enabled is false: there is no port to purge by")
    if metrics.port == 0:
        raise SettingsError("metrics.port is 0: name the ports with --at, as the log says them")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(metrics.host, metrics.host)
    return [Port(host, metrics.port + index) for index in range(workers)]


def port_of(text: str) -> Port:
    """Read HOST:PORT."""
    host, colon, number = text.rpartition(":")
    if not (colon and host and number.isascii() and number.isdigit() and 0 < int(number) < 65536):
        raise SettingsError(f"--at: an edge's metrics port looks like 10.0.0.5:9180, not {text!r}")
    return Port(host.removeprefix("[").removesuffix("]"), int(number))


def purge_at(port: Port, prefix: str, token: str) -> int:
    """Purge one worker; return how many objects went; raise ``RequestRefused`` or ``OSError``."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = http.client.HTTPConnection(port.host, port.number, timeout=PATIENCE_S)
    try:
        connection.request("POST", f"/purge?prefix={quote(prefix, safe='/')}", headers=headers)
        answer = connection.getresponse()
        return _count(answer.status, answer.read(65_536))
    except http.client.HTTPException as error:
        raise OSError(f"not an edge: {error!r}") from error
    finally:
        connection.close()


def _count(status: int, body: bytes) -> int:
    try:
        document = json.loads(body)
        if status == 200:
            return int(document["purged"])
        detail = str(document["detail"])
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"not an edge: it answered {status}") from error
    raise RequestRefused(status, detail)


def _purge(prefix: str, config: Path | None, at: tuple[str, ...], token: str | None) -> None:
    try:
        prefix = checked_prefix(prefix)
        settings = _settings(config)
        local = () if at else ports_of(settings.metrics, settings.listen.workers)
        ports = [port_of(text) for text in at] or list(local)
    except (SettingsError, RequestRefused) as error:
        for line in str(error).splitlines():
            click.echo(f"tidecast edge purge: {line}", err=True)
        sys.exit(UNUSABLE)
    counts = list(_purge_all(ports, prefix, settings.purge.token if token is None else token))
    if None in counts:
        sys.exit(FAILED)


def _purge_all(ports: list[Port], prefix: str, token: str) -> Iterator[int | None]:
    for port in ports:
        try:
            count = purge_at(port, prefix, token)
        except (RequestRefused, OSError) as error:
            click.echo(f"{port}: NOT purged: {error}", err=True)
            yield None
        else:
            click.echo(f"{port}: {count} object{'' if count == 1 else 's'} purged")
            yield count


def _settings(config: Path | None) -> EdgeSettings:
    above = given_above()
    file, flags = config or above.config, sections(above.flags)
    if file is None:  # purging needs no origin: without a file there need not be one
        flags.setdefault("origin", {}).setdefault("url", "http://127.0.0.1")
    return load(file, flags)


purge_command = click.Command(
    "purge",
    callback=_purge,
    help=HELP,
    params=[
        click.Argument(["prefix"]),
        click.Option(["--config"], type=click.Path(path_type=Path), help="The edge's TOML file."),
        click.Option(
            ["--at"], multiple=True, metavar="HOST:PORT", help="A metrics port; once for each."
        ),
        click.Option(["--token"], help="Instead of [purge] token, which does not show in ps."),
    ],
)
