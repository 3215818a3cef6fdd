"""The monitor of one publish: its findings go to the log in the words that streamers are shown."""

import structlog

from origin.observe.health.codes import Finding, Level
from origin.observe.health.monitor import Monitor
from origin.streams.clock import Clock

log = structlog.get_logger()


def watch(stream: str, clock: Clock, reconnects: int) -> Monitor:
    """Watch a publish of ``stream``, the session's first if ``reconnects`` is 0."""

    def tell(finding: Finding, is_raised: bool) -> None:
        if not is_raised:
            log.info("ingest is well again", stream=stream, code=finding.code.value)
            return
        say = log.info if finding.level is Level.NOTE else log.warning
        say("ingest is not well", stream=stream, code=finding.code.value, advice=finding.text)

    return Monitor(clock.monotonic, reconnects=reconnects, on_change=tell)
