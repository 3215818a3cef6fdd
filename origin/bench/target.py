"""What is behind the address that was given: asked once, before any load is made.

Everything that can be wrong is said here in one sentence: nothing listens, the answer is an
error, it is no playlist, it is over, it needs TLS. A load of ten thousand would only count the
same failure ten thousand times.
"""

import http.client
import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import Request, urlopen

from origin.bench.errors import CannotMeasure

TIMEOUT_S = 10.0
LARGEST_PLAYLIST_BYTES = 8 << 20
MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """A server and a playlist on it that viewers can follow."""

    url: str
    """As viewers ask for it, after any redirect; a multivariant playlist stays one."""
    address: str
    """The server's, as a number."""
    port: int
    host: str
    """What the Host header says."""
    path: str
    is_low_latency: bool
    """Whether the media playlist lists parts and holds blocking reloads."""

    @property
    def is_loopback(self) -> bool:
        """Whether source addresses are to be had for nothing."""
        return ipaddress.ip_address(self.address).is_loopback


def inspect(url: str) -> Target:
    """Look at a playlist as the first viewer would; raise what is wrong with it."""
    final, text = _fetch(url)
    media = text
    for _ in range(MOST_HOPS):
        if not (variant := re.search(r"#EXT-X-STREAM-INF:[^\n]*\n(?:#[^\n]*\n)*([^\n#]+)", media)):
            break
        media = _fetch(urljoin(final, variant[1].strip()))[1]
    if "#EXT-X-TARGETDURATION:" not in media:
        raise CannotMeasure(f"{url} is a playlist without EXT-X-TARGETDURATION.")
    if "#EXT-X-ENDLIST" in media:
        raise CannotMeasure(f"{url} has ended (EXT-X-ENDLIST): nobody could stall. Publish to it.")
    parts = urlsplit(final)
    return Target(
        url=final,
        address=_resolve(parts),
        port=parts.port or 80,
        host=parts.netloc,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        is_low_latency="#EXT-X-PART-INF:" in media and "CAN-BLOCK-RELOAD=YES" in media,
    )


def _fetch(url: str) -> tuple[str, str]:
    """Return the address in the end, and the playlist that is there."""
    if urlsplit(url).scheme != "http" or not urlsplit(url).hostname:
        raise CannotMeasure(
            f"{url} is not an http:// address. The load speaks plain HTTP only: measure behind "
            "what ends TLS, or compare TLS with another tool (wrk, h2load)."
        )
    asked = Request(url, headers={"User-Agent": "tidecast-bench", "Accept": "*/*"})
    try:
        with urlopen(asked, timeout=TIMEOUT_S) as answer:
            final = str(answer.url)
            text = bytes(answer.read(LARGEST_PLAYLIST_BYTES)).decode("utf-8", "replace")
    except HTTPError as error:
        error.close()  # it is an answer, too, with its connection
        raise CannotMeasure(
            f"{url} is answered with {error.code} ({error.reason}). Is a stream live under that "
            "name?"
        ) from error
    except (URLError, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise CannotMeasure(f"Nothing answers at {url}: {reason}") from error
    except http.client.HTTPException as error:
        raise CannotMeasure(f"What answers at {url} does not speak HTTP: {error!r}") from error
    if not text.startswith("#EXTM3U"):
        raise CannotMeasure(f"{url} is not a playlist: it begins with {text[:40]!r}.")
    return final, text


def _resolve(url: SplitResult) -> str:
    try:
        found = socket.getaddrinfo(url.hostname, url.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotMeasure(f"{url.hostname} has no address: {error}") from error
    return str(found[0][4][0])
