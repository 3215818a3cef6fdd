"""A player on an RTMP connection: shown what the stream has, for as long as it keeps up.

What it has not taken yet waits in the transport's buffer, up to ``BACKLOG_BYTES``. Beyond that it
is shown nothing until it has taken most of that, and then goes on at the next keyframe. One who
takes so little for ``patience_s`` is let go of. The publisher never notices any of it.
"""

import asyncio
import socket
from collections.abc import Callable

from origin.ingest.shared import Shared
from origin.rtmp import playback
from origin.rtmp.chunk import Message
from origin.rtmp.events import PlayRequested
from origin.rtmp.replies import Status
from origin.rtmp.session import ServerSession, State
from origin.streams.audience import Audience, Tag

BACKLOG_BYTES = 8 * 1024 * 1024
"""Ten seconds of 6 Mbit/s, and more than a GOP that is shown at once."""

KERNEL_BYTES = 1024 * 1024
"""That the kernel may hold of it, for lines that are long and fast."""

NO_LIMIT = 2**30
"""For the transport: what waits is counted here."""


def seat(
    shared: Shared,
    session: ServerSession,
    transport: asyncio.Transport,
    wish: PlayRequested,
    now: Callable[[], float],
) -> "RtmpPlayer | None":
    """Let a player in, or tell it why not."""
    audience = shared.audience_of(wish.name)
    if audience is None or shared.counters.players >= shared.settings.players:
        why = "Nobody publishes it now." if audience is None else "Too many players: use HLS."
        session.reject(wish.request_id, Status.NOT_FOUND, why, now())
        return None
    shared.counters.players += 1
    session.play(wish.request_id)
    return RtmpPlayer(session, transport, audience, shared.settings.limits.silence_s, now)


class RtmpPlayer:
    """Fulfils ``streams.audience.Player`` for one connection."""

    def __init__(
        self,
        session: ServerSession,
        transport: asyncio.Transport,
        audience: Audience,
        patience_s: float,
        now: Callable[[], float],
    ) -> None:
        self._session = session
        self._transport = transport
        self._audience = audience
        self._patience_s = patience_s
        self._now = now
        self._behind_since: float | None = None
        transport.set_write_buffer_limits(high=NO_LIMIT)
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        audience.join(self)

    def show(self, tag: Tag) -> None:
        """Send ``tag``, or leave it out where the player is too far behind."""
        if self._session.state is not State.PLAYING or self._transport.is_closing():
            return
        if not self._keeps_up(tag):
            return
        self._send(playback.media(self._session.stream_id, tag.kind, tag.at, tag.body))

    def describe(self, metadata: bytes) -> None:
        """Send what the publisher says of the stream, if the player keeps up."""
        if self._session.state is not State.PLAYING or self._transport.is_closing():
            return
        keeps_up = self._transport.get_write_buffer_size() <= BACKLOG_BYTES
        if keeps_up and self._behind_since is None:
            self._send(playback.metadata(self._session.stream_id, metadata))

    def leave(self, reason: str) -> None:
        """Tell the player that nothing comes any more."""
        if self._session.state is State.PLAYING and not self._transport.is_closing():
            self._session.end_play(reason, self._now())
            self._transport.write(self._session.bytes_to_send())
            self._transport.close()

    def part(self) -> None:
        """The player has left by itself."""
        self._audience.part(self)

    def _send(self, message: Message) -> None:
        self._session.show(message)
        self._transport.write(self._session.bytes_to_send())

    def _keeps_up(self, tag: Tag) -> bool:
        waiting_bytes = self._transport.get_write_buffer_size()
        if self._behind_since is None:
            if waiting_bytes <= BACKLOG_BYTES:
                return True
            self._behind_since = self._now()
        elif waiting_bytes < BACKLOG_BYTES // 4 and tag.begins_gop:
            self._behind_since = None
            return True
        elif self._now() - self._behind_since > self._patience_s:
            self._transport.abort()
        return False
