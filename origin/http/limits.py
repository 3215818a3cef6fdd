"""What a connection to the control port may cost, declared once, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The port is meant for edges and operators, but may be reached by others."""

    request_s: float = 10.0
    """For a request to arrive as a whole. Edges and browsers take a round trip."""

    request_bytes: int = 64 * 1024
    """Of one request: it has fields, and no body worth mentioning."""

    slow_reader_s: float = 30.0
    """For a client to take something of what it is sent. A phone in a tunnel comes back sooner."""
