"""Which numbers of which part are exported under which name.

The parts keep plain integers and know nothing of metrics; here each gets its name and its meaning.
What is read here is read by a scrape, from another thread: nothing may be changed, and a collection
may only be measured or copied in one step.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cdn.cache.cache import Cache
from cdn.clock import Clock
from cdn.fetch.failover import Failover
from cdn.front.hall import Hall
from cdn.health import Health
from cdn.observe.access_log import AccessLog
from cdn.observe.ages import PlaylistAges
from cdn.observe.fetches import Fetches
from cdn.observe.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to read off."""

    cache: Cache
    health: Health
    fetches: Fetches
    ages: PlaylistAges
    access_log: AccessLog | None


def export(metrics: Metrics, parts: Parts, clock: Clock) -> None:
    """Have every number read at each scrape."""
    _export_cache(metrics, parts.cache)
    health, fetches, ages = parts.health, parts.fetches, parts.ages
    metrics.watch(
        "origin_fetches_in_flight", "Requests to the origin now.", lambda: parts.cache.flights
    )
    metrics.watch(
        "origin_oldest_fetch_seconds",
        "For how long the oldest request to the origin has been under way; 0 without one.",
        fetches.oldest_s,
    )
    metrics.watch("draining", "1 while the edge is on its way out.", lambda: health.draining)
    metrics.watch(
        "ready",
        "1 while /readyz would say yes, as far as is known without asking the origin.",
        lambda: health.is_ready,
    )
    metrics.watch_each(
        "playlist_age_seconds",
        "Since when the oldest media playlist of a stream that viewers ask for is unchanged.",
        "stream",
        lambda: ages.by_stream(clock.monotonic()),
    )
    metrics.watch_total(
        "playlists_unwatched",
        "Playlists whose age is not watched, because too many are.",
        lambda: ages.left_out,
    )
    log = parts.access_log
    metrics.watch_total(
        "access_log_lost_lines",
        "Lines of the access log that could not be written in time.",
        lambda: 0 if log is None else log.lost,
    )


def export_origins(metrics: Metrics, failover: Callable[[], Failover]) -> None:
    """Have the condition of each origin read; a reload may put others in their place."""
    metrics.watch_each(
        "origin_up",
        "1 while an origin counts as well, 0 while it counts as down.",
        "origin",
        lambda: {member.url: float(is_well) for member, is_well in failover().conditions()},
    )
    metrics.watch_each_total(
        "origin_requests",
        "Fetches that an origin was asked for, the second tries for another one included.",
        "origin",
        lambda: {member.url: member.fetches for member in failover().members},
    )
    metrics.watch_each_total(
        "origin_failures",
        "Fetches and probes that an origin did not answer, or not with a whole answer.",
        "origin",
        lambda: {member.url: member.failures for member in failover().members},
    )


def export_connections(metrics: Metrics, hall: Hall) -> None:
    """Have the number of connections read, and what became of those that were not wanted."""
    metrics.watch("connections_open", "Viewers' connections now.", lambda: hall.guests)
    metrics.watch(
        "connections_limit",
        "How many connections there may be; 0 is no limit.",
        lambda: hall.door.most,
    )
    metrics.watch_total(
        "connections_refused",
        "Connections beyond a limit, answered with 503.",
        lambda: hall.door.turned_away,
    )
    metrics.watch_total(
        "slow_readers_cut",
        "Connections that were cut because nothing of an answer was taken for too long.",
        lambda: hall.slow_readers_cut,
    )


def _export_cache(metrics: Metrics, cache: Cache) -> None:
    metrics.watch("cache_objects", "Objects in the cache.", lambda: cache.objects)
    metrics.watch(
        "cache_bytes", "Memory that objects take, finished or not.", lambda: cache.used_bytes
    )
    metrics.watch_total(
        "cache_evictions", "Objects that had to go for want of memory.", lambda: cache.evicted
    )
    metrics.watch(
        "held_requests",
        "Requests that wait for the origin, held playlists among them.",
        lambda: cache.waiting,
    )
