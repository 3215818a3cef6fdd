"""What docker-compose.yml describes, as processes: a push, an origin, two edges, nginx with TLS and
HTTP/2 in front, Prometheus with its alerts; and a viewer who comes through all of it.

The files are those that containers get. Names of machines, ports and folders are replaced, and
nothing else; what a container engine adds (users, read-only file systems, networks, health checks)
is not shown here.
"""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import m3u8
import pytest

from tests.support.pushers import pushing
from tests.support.servers import (
    ADDRESS,
    NO_EDGE,
    EdgeProcess,
    ServerProcess,
    TidecastProcess,
    free_ports,
    running,
    tidecast,
)

DEPLOY = Path(__file__).parents[2] / "deploy"
pytestmark = pytest.mark.timeout(300)

PATIENCE_S = 60.0
ASK_EVERY_S = 0.2


class ComposedEdge(EdgeProcess):
    """An edge with the composed settings: its origin, its ports and nothing else are its own."""

    def __init__(self, directory: Path, origin: TidecastProcess) -> None:
        (self.metrics_port,) = free_ports(1)
        flags = ("--metrics-host", ADDRESS, "--metrics-port", str(self.metrics_port))
        config = ("--config", str(DEPLOY / "edge.toml"))
        super().__init__(directory, origin.control, *config, *flags)

    @property
    def metrics(self) -> str:
        return f"{ADDRESS}:{self.metrics_port}"


class Balancer(ServerProcess):
    """nginx with the composed configuration."""

    def __init__(self, directory: Path, edges: list[ComposedEdge]) -> None:
        (self.port,) = free_ports(1)
        certificate, cache = directory / "certificate", directory / "cache"
        for folder in (certificate, cache):
            folder.mkdir()
        make = [str(DEPLOY / "certificate" / "make-certificate"), str(certificate)]
        subprocess.run(make, check=True, capture_output=True, timeout=30)
        self.certificate = certificate / "certificate.pem"
        config = directory / "nginx.conf"
        config.write_text(
            replaced(
                (DEPLOY / "nginx.conf").read_text(),
                {
                    "server edge-a:8080 ": f"server {ADDRESS}:{edges[0].port} ",
                    "server edge-b:8080 ": f"server {ADDRESS}:{edges[1].port} ",
                    "listen 0.0.0.0:8443 ": f"listen {ADDRESS}:{self.port} ",
                    " /certificate/certificate.pem;": f" {self.certificate};",
                    " /certificate/key.pem;": f" {certificate / 'key.pem'};",
                    " /var/cache/nginx/media ": f" {cache}/media ",
                },
            )
        )
        # In its container all of nginx is one user, and so it is here.
        user = "user root;" if os.geteuid() == 0 else ""
        foreground = f"{user} pid {directory}/nginx.pid; daemon off; error_log stderr;"
        self.command = ["nginx", "-e", "stderr", "-c", str(config), "-g", foreground]
        super().__init__(self.command, directory / "nginx.log", [])

    @property
    def base(self) -> str:
        return f"https://localhost:{self.port}"

    def check(self) -> subprocess.CompletedProcess[str]:
        """Have nginx look at the file, as an operator would before a reload."""
        return subprocess.run(
            [*self.command, "-t"], capture_output=True, text=True, check=False, timeout=30
        )


class Prometheus(ServerProcess):
    """Prometheus with the composed configuration and alerts."""

    def __init__(self, directory: Path, edges: list[ComposedEdge], origin: TidecastProcess) -> None:
        (port,) = free_ports(1)
        self.base = f"http://{ADDRESS}:{port}"
        config = directory / "prometheus.yml"
        config.write_text(
            replaced(
                (DEPLOY / "prometheus" / "prometheus.yml").read_text(),
                {
                    '"edge-a:9180"': f'"{edges[0].metrics}"',
                    '"edge-b:9180"': f'"{edges[1].metrics}"',
                    '"origin:8081"': f'"{origin.control.removeprefix("http://")}"',
                    "scrape_interval: 5s": "scrape_interval: 1s",
                    "scrape_timeout: 4s": "scrape_timeout: 1s",
                    "evaluation_interval: 5s": "evaluation_interval: 1s",
                },
            )
        )
        (directory / "alerts.yml").write_text((DEPLOY / "prometheus" / "alerts.yml").read_text())
        command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address={ADDRESS}:{port}",
        ]
        super().__init__(command, directory / "prometheus.log", [f"{self.base}/-/ready"])

    async def targets(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Return the health of each target, by its address."""
        found = (await client.get(f"{self.base}/api/v1/targets")).json()
        return {
            target["labels"]["instance"]: target["health"]
            for target in found["data"]["activeTargets"]
        }

    async def value(self, client: httpx.AsyncClient, query: str) -> float | None:
        """Return the one value of a query, if there is one by now."""
        asked = await client.get(f"{self.base}/api/v1/query", params={"query": query})
        result = asked.json()["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    async def rules(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Return the health of each rule, by its name."""
        found = (await client.get(f"{self.base}/api/v1/rules")).json()["data"]["groups"]
        return {rule["name"]: rule["health"] for group in found for rule in group["rules"]}

    async def until(self, client: httpx.AsyncClient, query: str, wanted: float) -> None:
        """Wait until a query has this value."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.value(client, query) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)  # another process gives no event

    async def until_all_is_well(self, client: httpx.AsyncClient) -> None:
        """Wait until everything has been asked and every rule has been looked at, with success."""
        async with asyncio.timeout(PATIENCE_S):
            while {*(await self.targets(client)).values()} != {"up"} or {  # noqa: ASYNC110
                *(await self.rules(client)).values()
            } != {"ok"}:
                await asyncio.sleep(ASK_EVERY_S)


@dataclass(frozen=True, slots=True)
class Topology:
    origin: TidecastProcess
    edges: list[ComposedEdge]
    balancer: Balancer
    prometheus: Prometheus


def replaced(text: str, changes: dict[str, str]) -> str:
    """Replace each of these, of which there is exactly one."""
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


@asynccontextmanager
async def composed(folder: Path) -> AsyncIterator[Topology]:
    """Start everything in the order that the compose file asks for."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(tidecast(folder, "--open", *NO_EDGE))
        edges = [ComposedEdge(folder, origin) for _ in range(2)]
        for edge in edges:
            await stack.enter_async_context(running(edge))
        balancer = Balancer(folder, edges)
        await stack.enter_async_context(running(balancer))
        prometheus = Prometheus(folder, edges, origin)
        await stack.enter_async_context(running(prometheus))
        yield Topology(origin, edges, balancer, prometheus)


async def test_the_composed_services_serve_a_viewer_and_know_how_they_do(tmp_path: Path) -> None:
    async with composed(tmp_path) as all_of_it:
        checked = all_of_it.balancer.check()
        assert checked.returncode == 0, checked.stderr
        viewer = httpx.AsyncClient(
            http2=True,
            verify=ssl.create_default_context(cafile=all_of_it.balancer.certificate),
            timeout=PATIENCE_S,
        )
        operator = httpx.AsyncClient(timeout=PATIENCE_S)
        async with pushing(all_of_it.origin.rtmp_url("main")), viewer, operator:
            await all_of_it.origin.until("main", "live")
            await watch(viewer, all_of_it.balancer.base)
            await look(operator, all_of_it)


async def watch(viewer: httpx.AsyncClient, base: str) -> None:
    """Read the page, playlists, held playlists, hinted parts and segments, all over HTTP/2."""

    async def get(url: str) -> httpx.Response:
        answer = await viewer.get(url)
        assert (answer.status_code, answer.http_version) == (200, "HTTP/2"), url
        return answer

    await get(f"{base}/main")
    whole = await get(f"{base}/main/index.m3u8")
    url = urljoin(str(whole.url), m3u8.loads(whole.text).playlists[0].uri)
    for _ in range(3):
        now = m3u8.loads((await get(url)).text)
        complete = [segment for segment in now.segments if segment.uri]
        held = await get(f"{url}?_HLS_msn={now.media_sequence + len(complete)}")
        assert complete[-1].uri in held.text
        assert len((await get(urljoin(url, now.preload_hint.uri))).content) > 100
        assert len((await get(urljoin(url, complete[0].uri))).content) > 1000
    assert (await viewer.get(f"{base}/metrics")).status_code == 404
    assert (await viewer.post(url)).status_code == 405


async def look(operator: httpx.AsyncClient, all_of_it: Topology) -> None:
    """See in Prometheus what the viewer has done, and that nothing is wrong."""
    prometheus, edges = all_of_it.prometheus, all_of_it.edges
    await prometheus.until(
        operator, 'sum(tidecast_edge_requests_total{kind="playlist"}) > bool 0', 1
    )
    ages = "count(tidecast_edge_playlist_age_seconds{stream='main'} < 15)"
    await prometheus.until(operator, ages, 1)  # one edge for each stream
    await prometheus.until(operator, "sum(tidecast_edge_ready)", len(edges))
    await prometheus.until(operator, "tidecast_stream_state{state='live'}", 1)
    await prometheus.until_all_is_well(operator)
    assert (await prometheus.targets(operator)).keys() == {
        *(edge.metrics for edge in edges),
        all_of_it.origin.control.removeprefix("http://"),
    }
    assert len(await prometheus.rules(operator)) >= 12
    assert await prometheus.value(operator, 'ALERTS{alertstate="firing"}') is None
