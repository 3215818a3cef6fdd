"""The RTMP listener's settings, declared once."""

from dataclasses import dataclass, field

from origin.rtmp.limits import Limits
from origin.rtmp.wire import CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How the listener treats its connections."""

    limits: Limits = field(default_factory=Limits)
    """What one connection may cost."""

    chunk_size: int = CHUNK_SIZE
    """Announced to encoders; FFmpeg copies it for what it sends."""

    connections: int = 2000
    """Open at once, whoever they are. Each idle one costs some 10 KiB and a descriptor; a live
    publisher takes a second descriptor."""

    strangers_per_address: int = 50
    """Connections from one address that have not been let in to publish yet."""

    stranger_turns_per_s: int = 50
    """Beyond the first one of each, of all together who are not publishing. A turn takes up to
    3 ms, so these are 15 % of the loop's time at most; encoders need none of them."""

    players: int = 100
    """Who watch over RTMP: relays and tests. The audience has HLS."""

    decision_s: float = 5.0
    """For the decision on one publish, key check and takeover included."""

    write_buffer_bytes: int = 1024 * 1024
    """Of replies that a peer does not read, until it is cut off."""
