"""Engines that operators run already, each told what ``tidecast edge render`` printed for it.

The actors know the product only by its command line: the text is printed by a process, checked by
the engine itself, and run by it. Varnish's command line is the one in the text's own comment.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.servers import ADDRESS, ServerProcess, free_ports, running

SBIN = Path("/usr/sbin")
NGINX, VARNISHD, HAPROXY = SBIN / "nginx", SBIN / "varnishd", SBIN / "haproxy"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1, and its key beside it where all engines find it."""

    file: Path
    key: Path

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--certificate", str(self.file), "--key", str(self.key))


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine and where viewers reach it."""

    base: str
    process: ServerProcess


async def made_certificate(folder: Path) -> Certificate:
    """Have openssl make one."""
    certificate = Certificate(folder / "tls.pem", folder / "tls.pem.key")
    await said_by(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *(
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ),
        *("-keyout", str(certificate.key), "-out", str(certificate.file)),
    )
    return certificate


async def rendered(engine: str, *flags: str) -> str:
    """What the command prints."""
    return await said_by(sys.executable, "-m", "cdn", "render", engine, *flags)


async def said_by(*command: str) -> str:
    """Run a command that has to succeed; what it wrote to its standard output."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await asyncio.wait_for(process.communicate(), 30)
    if process.returncode != 0:
        raise AssertionError(f"{command[0]}: {complaints.decode()}")
    return output.decode()


@asynccontextmanager
async def nginx(
    folder: Path, certificate: Certificate | None, *flags: str
) -> AsyncIterator[Engine]:
    """In front of edges with a certificate, alone without; it makes ``folder`` for itself."""
    (port,) = free_ports(1)
    file, settings = open_folder(folder) / "nginx.conf", folder / "edge.toml"
    settings.write_text(f'[render]\ncache_folder = "{folder / "cache"}"\n')
    place = ["--alone", "--http-port", str(port)]
    if certificate is not None:
        place = ["--in-front", "--port", str(port), *certificate.flags]
    place += ["--host", ADDRESS, "--config", str(settings)]
    file.write_text(await rendered("nginx", *place, *flags))
    command = (str(NGINX), "-c", str(file), "-g", f"daemon off; pid {folder / 'pid'};")
    scheme = "http" if certificate is None else "https"
    async with _engine(command, folder, f"{scheme}://{ADDRESS}:{port}") as engine:
        yield engine


@asynccontextmanager
async def haproxy(folder: Path, certificate: Certificate, *flags: str) -> AsyncIterator[Engine]:
    """HAProxy in front of edges; it makes ``folder`` for itself."""
    (port,) = free_ports(1)
    file = open_folder(folder) / "haproxy.cfg"
    place = ("--host", ADDRESS, "--port", str(port), *certificate.flags)
    file.write_text(await rendered("haproxy", *place, *flags))
    command = (str(HAPROXY), "-db", "-f", str(file))
    async with _engine(command, folder, f"https://{ADDRESS}:{port}") as engine:
        yield engine


@asynccontextmanager
async def varnish(folder: Path, *flags: str) -> AsyncIterator[Engine]:
    """Varnish alone, started as its file says; it makes ``folder`` for itself."""
    (port,) = free_ports(1)
    file = open_folder(folder) / "tidecast.vcl"
    place = ("--host", ADDRESS, "--http-port", str(port))
    file.write_text(await rendered("varnish", *place, *flags))
    arguments = start_line(file.read_text()).replace("FILE", str(file)).split()
    command = (str(VARNISHD), "-n", str(folder / "work"), *arguments[1:])
    async with _engine(command, folder, f"http://{ADDRESS}:{port}") as engine:
        yield engine


@contextmanager
def room() -> Iterator[Path]:
    """A folder for engines: pytest's own are closed to other users, again and again."""
    with TemporaryDirectory(prefix="engines-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def open_folder(folder: Path) -> Path:
    """Make a folder that an engine's workers, who are another user, can write to."""
    (folder / "cache").mkdir(parents=True)
    (folder / "cache").chmod(0o777)
    folder.chmod(0o755)
    return folder


def start_line(vcl: str) -> str:
    """The command line in the comment at the top of the VCL."""
    found = re.search(r"^# Start it with:\n((?:#.*\n)+)", vcl, re.MULTILINE)
    assert found is not None
    return found[1].replace("#", "").replace("\\", "")


@asynccontextmanager
async def _engine(command: Sequence[str], folder: Path, base: str) -> AsyncIterator[Engine]:
    process = ServerProcess(command, folder / "engine.log", [f"{base}/healthz"])
    async with running(process):
        yield Engine(base, process)
