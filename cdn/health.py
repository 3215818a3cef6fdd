"""Whether this edge should get viewers: alive, ready, or on its way out.

``/healthz`` says that the process runs its loop, and nothing else: a supervisor that restarted an
edge because the *origin* is down would throw away the copies that viewers still live on.
``/readyz`` says whether a balancer should send viewers here: the origin has answered lately and
the edge is neither draining nor out of descriptors.

Nobody asks the origin in the background. Fetches tell how it is; where the last word is older than
``RECENT_S`` or was bad, a question for readiness asks the origin, and all others share the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cdn.clock import Clock

RECENT_S = 5.0
"""How long an answer of the origin counts as "lately"; probes of balancers come as often."""

LOG_EVERY_S = 10.0
"""No more than one outage is logged in this time: an origin that fails at every other object would
else fill the log."""

PROBE_EVERY_S = 1.0
"""No more than one probe in this time, however many ask whether the edge is ready."""


class Health:
    """What is known about the origin and about this process."""

    def __init__(self, clock: Clock) -> None:
        self.draining = False
        self.shortage: str | None = None
        """What this process has run out of, in a sentence."""
        self._clock = clock
        self._answered_at: float | None = None
        self._probed_at: float | None = None
        self._reason: str | None = None
        self._logged_at: float | None = None
        self._is_logged = False
        self._probing = asyncio.Lock()
        self._log = structlog.get_logger("edge")

    @property
    def is_ready(self) -> bool:
        """Whether viewers may be sent here, as far as is known without asking the origin."""
        return not self.draining and self.shortage is None and self._reason is None

    def answered(self) -> None:
        """Note that the origin has answered; log it if its failure was logged."""
        self._answered_at = self._clock.monotonic()
        self._reason = None
        if self._is_logged:
            self._is_logged = False
            self._log.info("the origin is back")

    def failed(self, reason: str) -> None:
        """Note that the origin has failed; log it once, not for every viewer."""
        if not self._is_logged and not self._within(self._logged_at, LOG_EVERY_S):
            self._is_logged, self._logged_at = True, self._clock.monotonic()
            self._log.warning("the origin fails", reason=reason)
        self._reason = reason

    async def obstacle(self, probe: Callable[[], Awaitable[None]]) -> str | None:
        """Return why no viewer should be sent here, or None."""
        if self.draining:
            return "The edge is draining."
        if self.shortage is not None:
            return self.shortage
        async with self._probing:
            if not self._heard_lately() and not self._probed_lately():
                self._probed_at = self._clock.monotonic()
                await probe()
        if self._heard_lately():
            return None
        return "The origin does not answer; the log says why."

    def _heard_lately(self) -> bool:
        return self._reason is None and self._within(self._answered_at, RECENT_S)

    def _probed_lately(self) -> bool:
        return self._within(self._probed_at, PROBE_EVERY_S)

    def _within(self, then: float | None, seconds: float) -> bool:
        return then is not None and self._clock.monotonic() - then < seconds
