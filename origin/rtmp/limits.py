"""Every bound of the RTMP core in one place, each with the reason for its size.

Anyone who reaches the port can send anything before a key has been checked. What a connection
may cost is therefore decided here and nowhere else: bytes held, work done in one turn of the
caller's loop, and time spent in each phase.
"""

from dataclasses import dataclass
from typing import NamedTuple

KIB = 1024
MIB = 1024 * KIB


class AmfBounds(NamedTuple):
    """What one message's values may cost, and what to call it where they cost more."""

    most_bytes: int
    most_values: int
    depth: int
    what: str
    """What kind of message it is."""
    are_settings: bool = True
    """``limits.{what}_bytes`` and ``_values`` are where they come from."""


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

    longest_message_before_publish_bytes: int = 16 * KIB
    """Commands are some hundred bytes, an address with a token in it two thousand; nobody has
    shown a key yet."""

    longest_message_bytes: int = 8 * MIB
    """A keyframe at 60 Mbit/s and 4K stays under 2 MiB; the format allows 16 MiB."""

    unfinished_before_publish_bytes: int = 32 * KIB
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

    command_bytes: int = 16 * KIB
    """Of one command. OBS's connect has 191, one with an address of 4 KiB in every field 9,000."""

    command_values: int = 256
    """Of one command, nested ones included, and of all that comes before a publish is let in. The
    longest that was recorded has 11; Enhanced RTMP's lists of codecs may add some fifty."""

    metadata_bytes: int = 512 * KIB
    """Of one metadata message. OBS's is under 1 KiB, but a file's may come with the index of its
    keyframes, at 18 bytes for each: eight hours of them, one a second."""

    metadata_values: int = 1000
    """Of one metadata message, nested ones included; numbers in an array count for a 64th each,
    as what they cost. OBS sends 23; a hundred tracks with their names and languages 400."""

    amf_depth: int = 32
    """Of nesting. ``connect`` and ``onMetaData`` need 2; Python's own stack ends near 1,000."""

    @property
    def command(self) -> AmfBounds:
        """For a command, and for whatever comes before a publish is let in."""
        return AmfBounds(self.command_bytes, self.command_values, self.amf_depth, "command")

    @property
    def metadata(self) -> AmfBounds:
        """For metadata of who has been let in to publish."""
        return AmfBounds(self.metadata_bytes, self.metadata_values, self.amf_depth, "metadata")
