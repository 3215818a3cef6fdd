"""The reception: the door that listeners knock at, with a book on who came.

It lets in whom the registry lets in, and writes down each attempt with what came of it
(``origin.auth.attempts``). What was asked is masked here, before anybody writes it anywhere.
"""

import asyncio
from collections.abc import Callable

import structlog

from origin.auth.asking import Asked, masked, shown_encoder
from origin.auth.attempts import Attempt, AttemptLog, Outcome
from origin.auth.gate import Admission
from origin.errors import Refused
from origin.streams.clock import Clock
from origin.streams.door import Publication, PublishRequest, asked_by
from origin.streams.registry import Registry

log = structlog.get_logger()

TOO_SLOW = "it could not be decided in time"


class Reception:
    """Fulfils ``streams.door.Door`` in front of the registry."""

    def __init__(
        self,
        registry: Registry,
        admission: Admission,
        clock: Clock,
        attempts: AttemptLog | None = None,
    ) -> None:
        self._registry = registry
        self._admission = admission
        self._clock = clock
        self.attempts = attempts if attempts is not None else AttemptLog()

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> Publication:
        """Let ``request`` in, or raise ``Refused``; either is written down."""
        asked = asked_by(request)
        try:
            grant = await self._admission.admit(asked)
            publication = await self._registry.enter(grant, request, on_closed)
        except Refused as refusal:
            self._note(asked, Outcome.REFUSED, str(refusal), refusal.aside)
            raise
        except asyncio.CancelledError:  # the listener does not wait for ever
            self._note(asked, Outcome.REFUSED, TOO_SLOW)
            raise
        self._note(asked, Outcome.ACCEPTED, stream=grant.stream)
        return publication

    def _note(
        self,
        asked: Asked,
        outcome: Outcome,
        reason: str = "",
        hint: str = "",
        stream: str | None = None,
    ) -> None:
        may_show = self._admission.may_show
        attempt = Attempt(
            at=self._clock.wall(),
            address=asked.address,
            asked=masked(asked, may_show),
            encoder=shown_encoder(asked, may_show),
            outcome=outcome,
            stream=stream,
            reason=reason,
            hint=hint,
        )
        self.attempts.note(attempt)
        if outcome is Outcome.REFUSED:
            log.warning(
                "publish refused",
                address=attempt.address,
                asked=attempt.asked,
                reason=reason,
                hint=hint,
            )
