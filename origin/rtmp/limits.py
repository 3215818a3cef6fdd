"""Every bound of the RTMP core in one place, each with the reason for its size.

Anyone who reaches the port can send anything before a key has been checked. What a connection
may cost is therefore decided here and nowhere else: bytes held, work done in one turn of the
caller's loop, and time spent in each phase.
"""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may cost. The defaults suit every encoder that we know."""

    handshake_s: float = 5.0
    """Until C2 is complete, from the connection's start. A round trip and 3 KiB: seconds only
    on a dying line; a port scanner is gone by then."""

    connect_s: float = 10.0
    """Until ``connect``, from the connection's start."""

    publish_s: float = 15.0
    """Until ``publish``, from the connection's start or from the end of the last publish. OBS and
    FFmpeg need three round trips for it."""

    silence_s: float = 20.0
    """Without a whole media message while live. An uplink that changes from Wi-Fi to cellular
    comes back within it; longer, and a half-open connection holds the name for nothing."""

    unfinished_message_s: float = 10.0
    """For one message to become complete while bytes flow. Time in which nothing arrives at all
    is not counted: that is silence, which has its own bound."""

    closing_s: float = 5.0
    """For the peer to read the reason for which it is being closed."""

    longest_message_before_publish_bytes: int = 64 * KIB
    """Commands are some hundred bytes; nobody has shown a key yet."""

    longest_message_bytes: int = 8 * MIB
    """A keyframe at 60 Mbit/s and 4K stays under 2 MiB; the format allows 16 MiB."""

    unfinished_before_publish_bytes: int = 128 * KIB
    """Held in incomplete messages before a publish is let in: two of the longest. With the bound
    for afterwards, 2,000 strangers could hold gigabytes of them."""

    unfinished_bytes: int = 16 * MIB
    """Held in incomplete messages over all chunk streams: two of the longest. They grow with
    the bytes received, never with the length that a header declares."""

    chunk_streams: int = 64
    """Alive at once. OBS uses 3, FFmpeg 5; the format allows 65,597."""

    chunks_per_turn: int = 512
    """Read by one ``next_event()`` before it gives the loop back. A chunk may be one byte long,
    so a bound in bytes alone would let 64 KiB of input cost 65,536 rounds of parsing."""

    amf_bytes: int = 64 * KIB
    """Of one command or metadata message. OBS's metadata is under 1 KiB."""

    amf_values: int = 10_000
    """Of one command or metadata message, nested ones included."""

    amf_depth: int = 32
    """Of nesting. ``connect`` and ``onMetaData`` need 2; Python's own stack ends near 1,000."""
