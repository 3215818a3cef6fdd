"""The edge as real processes, on ports that are free."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from tests.support.processes import Child, python
from tests.support.viewers import Viewers

NOBODY = "http://127.0.0.1:9"


def command(origin_url: str, *flags: str) -> tuple[str, ...]:
    """A whole edge on ports that are free; flags may choose others, or a file the origin."""
    free = ("--host", "127.0.0.1", "--http-port", "0", "--metrics-port", "0")
    origin = ("--origin", origin_url) if origin_url else ()
    return ("-m", "cdn", *origin, *free, *flags)


@asynccontextmanager
async def edge_process(
    origin_url: str,
    *flags: str,
    workers: int = 1,
    drain_notice_s: float = 0.0,
    environment: Mapping[str, str] | None = None,
) -> AsyncGenerator[tuple[Child, Viewers]]:
    """An edge, open on all of its workers."""
    notice = {"TIDECAST_EDGE__LISTEN__DRAIN_NOTICE_S": str(drain_notice_s)}
    arguments = command(origin_url, "--workers", str(workers), *flags)
    async with python(*arguments, environment={**notice, **(environment or {})}) as child:
        for _ in range(workers):
            line = await child.line("the edge is open")
        yield child, Viewers(port_in(line))


def port_in(line: str) -> int:
    found = re.search(r"listen=[\d.]+:(\d+)", line)
    assert found is not None, line
    return int(found[1])
