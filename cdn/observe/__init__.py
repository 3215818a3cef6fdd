"""What an operator sees of an edge: metrics on a port of their own, a log, and an access log.

::

    event loop ── counts ──> Metrics, PlaylistAges, LoopLag      plain numbers, no waiting
                                 ^
    Prometheus ── scrapes ──> MetricsServer (a thread) ── reads them; hands /purge over to the loop

Nothing here decides what a viewer gets.
"""

from cdn.observe.log import set_up_logging
from cdn.observe.metrics import Metrics
from cdn.observe.port import MetricsServer

__all__ = ["Metrics", "MetricsServer", "set_up_logging"]
