"""Asking the door about one publish: what came of it, however the door behaves.

A door may refuse, take too long, or have a bug. The connection that asks only wants to know
whether there is a publication, and if not, what to tell the streamer.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from origin.errors import Refused
from origin.ingest.shared import Shared
from origin.rtmp.events import PublishRequested
from origin.rtmp.replies import Status
from origin.streams.door import Publication, PublishRequest


class Refusal(NamedTuple):
    """Why not."""

    code: Status
    reason: str


async def decide(
    shared: Shared,
    wish: PublishRequested,
    peer: str,
    on_closed: Callable[[str], None],
    log: FilteringBoundLogger,
) -> Publication | Refusal:
    """Ask whether ``wish`` is granted; nothing is raised."""
    if (shortage := shared.shortage()) is not None:
        return Refusal(Status.FAILED, shortage)
    request = PublishRequest(
        app=wish.app,
        name=wish.name,
        query=wish.query,
        peer=peer,
        encoder=wish.encoder,
        tc_url=wish.tc_url,
    )
    try:
        async with asyncio.timeout(shared.settings.decision_s):
            return await shared.door.publish(request, on_closed)
    except Refused as refusal:
        return Refusal(Status.BAD_NAME, str(refusal))
    except TimeoutError:
        return Refusal(Status.FAILED, "The server is busy: try again.")
    except Exception:
        log.exception("publish failed: the door broke")
        return Refusal(Status.FAILED, "The server failed: try again.")
