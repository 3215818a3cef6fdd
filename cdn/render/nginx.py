"""nginx (1.18 or newer): in front of Tidecast's edges, or alone in front of an origin.

In front it does what the edges do not: TLS, HTTP/2, and the bytes of whole segments, which it keeps
itself. What is live by the half second (playlists, parts) it passes, because its cache is not
made for that, and the edges' is:

- ``proxy_cache_lock`` looks every 500 ms whether the object has come (nginx/nginx#1189);
- it does not cover what has expired: ``proxy_cache_use_stale updating`` and
  ``proxy_cache_background_update`` have to, at the price of one old answer;
- what cannot be cached, asked for under the lock, lets one request after the other through;
- a second viewer does not share an object that is still on its way (nginx/nginx#237);
- lifetimes are whole seconds.

Alone it can carry classic HLS well, and low latency only by asking the origin for each viewer. The
rendered file and the command say so.

Stale answers: nginx bounds their age by nothing but ``inactive``, the time since somebody asked. So
what is live has a zone of its own with a short one.
"""

from cdn.errors import SettingsError
from cdn.http.keys import RESERVED, Kind
from cdn.render.site import PART, KindRule, Rendered, Site, whole_up
from cdn.render.text import notes, render

CHECK = "nginx -t -c FILE (as root: nginx reads the key and makes its folders)"

MEDIA_INACTIVE_S = 600
"""A segment that nobody has asked for in ten minutes makes room."""

SHORTEST_INACTIVE_S = 10

LOW_LATENCY = (
    "nginx alone does not carry low latency: its cache lock looks only every 500 ms, it does not "
    "lock what has expired, viewers do not share an object that is on its way, and lifetimes are "
    "whole seconds. So parts, and playlists that may be held, are passed without a cache: the "
    "origin answers each of them once for every viewer, and its load grows with the audience. For "
    "low latency, put nginx in front of Tidecast's edges (--in-front)."
)

UNBOUNDED = (
    "nginx bounds how long a stale answer stands in for a failing origin only by the time since "
    "somebody asked for it, not by its age: a stream that viewers keep asking for stays as it was "
    "for as long as the origin is down."
)


def nginx(site: Site) -> Rendered:
    """Render nginx's main configuration file."""
    if site.tls is None and not site.alone:
        raise SettingsError(
            "render.certificate: nginx stands in front of edges for TLS and HTTP/2, which need a "
            "certificate and a key (--certificate FILE --key FILE)"
        )
    warnings = tuple(_warnings(site))
    text = render(
        f"nginx/{site.place.value}.conf",
        site,
        notes=notes("nginx", site, CHECK, warnings),
        reserved="|".join(name.replace(".", r"\.") for name in RESERVED),
        part=PART,
        rules=tuple(site.rules.values()),
        cached=(site.rules[Kind.ASSET], site.rules[Kind.MEDIA]),
        scheme="https" if site.servers_tls else "http",
        host=site.servers[0].host if site.servers_tls else "tidecast",
        connect=f"{whole_up(site.connect_s * 1000)}ms",
        wait=f"{whole_up(site.wait_s)}s",
        reuse_s=max(1, site.keep_alive_s - 5) if not site.alone else 4,
        negative_s=whole_up(site.negative_s),
        media_inactive_s=MEDIA_INACTIVE_S,
        live_inactive_s=_live_inactive_s(site),
    )
    return Rendered(text, warnings)


def _warnings(site: Site) -> list[str]:
    if not site.alone:
        kinds = [site.rules[Kind.ASSET], site.rules[Kind.MEDIA]]
        return _too_short(kinds)
    live = [rule for rule in site.rules.values() if rule.kind not in (Kind.MEDIA, Kind.ASSET)]
    warnings = [LOW_LATENCY]
    if any(rule.stale_s for rule in live):
        warnings.append(UNBOUNDED)
    return warnings + _too_short(list(site.rules.values()))


def _too_short(rules: list[KindRule]) -> list[str]:
    return [
        f"rules.{rule.kind.value}.fresh_s is {rule.fresh_s:g} s, and nginx counts in whole "
        "seconds: every request for this kind is passed."
        for rule in rules
        if rule.fresh_s is not None and rule.fresh_s < 1
    ]


def _live_inactive_s(site: Site) -> int:
    longest = max(rule.stale_s for rule in site.rules.values())
    return max(SHORTEST_INACTIVE_S, whole_up(longest))
