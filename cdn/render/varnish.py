"""Varnish (7.1 or newer), alone in front of an origin, in the place of an edge.

Of the engines that exist it is the one that understands live streams best: viewers share an object
that is still on its way, and a held playlist is asked for once. Two things it does not do:

- it wakes those who wait one by one, in a chain: each that is answered wakes a few more. With
  thousands of viewers at one held playlist the last is late, so some of them stall;
- it does not speak TLS, to viewers or origins, nor HTTP/2 to browsers (which want TLS for it).

When the origin fails: what has expired is used for ``req.grace`` while the next fetch runs. If that
fetch fails, the request is restarted without that bound, and takes the object for as long as it was
promised (``beresp.grace``, from stale_if_error_s). An error is never kept, so it never hides the
object that it came instead of.
"""

from dataclasses import dataclass

from cdn.errors import SettingsError
from cdn.http.keys import DIRECTIVES, RESERVED, Kind
from cdn.render.site import PART, KindRule, Rendered, Site
from cdn.render.text import notes, render

CHECK = "varnishd -C -f /whole/path/of/FILE"

SHORT_GRACE_S = 0.5
LONGEST_NEGATIVE_S = 0.5
"""Playlists list a part as soon as it is there; half a second of "not found" is a part lost."""
REUSE_S = 4
"""The origin closes a connection that has rested for five seconds. What is asked on it at that very
moment is asked twice."""

WAKES_ONE_BY_ONE = (
    "Varnish wakes the viewers that wait for one object one after the other. A few hundred at a "
    "held playlist do not notice; with thousands the last ones get each part late, and stall. "
    "Tidecast's edge answers them all at once."
)

NO_TLS = (
    "Varnish speaks neither TLS nor, to browsers, HTTP/2: put a TLS proxy in front of it. Apple's "
    "players ask for HTTP/2 where streams are low latency."
)


@dataclass(frozen=True, slots=True)
class VclRule:
    """A kind's rule in VCL's words; the pattern is for a URL, which may have a query."""

    kind: Kind
    pattern: str
    fresh: str | None
    stale: str

    @property
    def url_pattern(self) -> str:
        """The path's end is the URL's end or the query's beginning."""
        return self.pattern.removesuffix("$") + (r"(?:\?|$)" if self.pattern.endswith("$") else "")


def varnish(site: Site) -> Rendered:
    """Render the VCL, with the command line that goes with it."""
    _check(site)
    warnings = (WAKES_ONE_BY_ONE, NO_TLS)
    text = render(
        "varnish/alone.vcl",
        site,
        notes=notes("varnish", site, CHECK, warnings),
        command=command_line(site),
        reserved="|".join(name.replace(".", r"\.") for name in RESERVED),
        directives=DIRECTIVES,
        part=PART,
        rules=tuple(map(_vcl, site.rules.values())),
        connect=_duration(site.connect_s),
        wait=_duration(site.wait_s),
        pause=_duration(site.pause_s),
        short_grace=_duration(SHORT_GRACE_S),
        negative=_duration(min(site.negative_s, LONGEST_NEGATIVE_S)),
        host=site.servers[0].host,
    )
    return Rendered(text, warnings)


def command_line(site: Site) -> tuple[str, ...]:
    """Return the lines of the command that starts it: parameters are not in the VCL."""
    return (
        f"varnishd -F -f FILE -a {site.listens} \\",
        f"    -s malloc,{site.memory_bytes} -s Transient=malloc,256m \\",
        f"    -p thread_pool_min=200 -p thread_pool_max=5000 -p listen_depth={site.backlog} \\",
        f"    -p timeout_idle={site.keep_alive_s} -p idle_send_timeout={site.slow_reader_s} \\",
        f"    -p backend_idle_timeout={REUSE_S}",
    )


def _check(site: Site) -> None:
    if not site.alone:
        raise SettingsError(
            "varnish stands alone (--alone): in front of Tidecast's edges it would add a hop, and "
            "neither TLS nor HTTP/2; nginx and haproxy go in front"
        )
    if site.tls:
        raise SettingsError(
            "render.certificate: Varnish does not speak TLS; leave it out, and put a TLS proxy "
            "in front of it"
        )
    if site.servers_tls:
        raise SettingsError(
            "origin.url: Varnish does not speak TLS to an origin; give it an http:// address, or "
            "use nginx or Tidecast's edge"
        )


def _vcl(rule: KindRule) -> VclRule:
    fresh = None if rule.fresh_s is None else _duration(rule.fresh_s)
    return VclRule(rule.kind, rule.pattern, fresh, _duration(rule.stale_s))


def _duration(seconds: float) -> str:
    return f"{seconds:.3f}s"
