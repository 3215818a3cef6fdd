"""Who watches a stream over RTMP: relays, players of that kind, and tests. Everybody else has HLS.

What a player is shown is what the publisher sent, tag by tag. Whoever joins is first told what
went before: the metadata, each track's sequence header, and the GOP that is under way, so that
the picture is there at once.

The GOP costs nearly nothing to keep: its payloads are the very bytes that the packager has taken
out of the messages, and are shared with it; of the tags only the heads are copied. A GOP that
outgrows its bound is let go of, and who joins meanwhile waits for the next keyframe.

It belongs to its stream and lives in the loop's thread. A player that cannot keep up is the
player's business (``Player.show``): nothing waits here.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from origin.media.coded import Coded, CodedFrame, MediaKind, SequenceHeader, TrackId
from origin.rtmp.playback import metadata_body

GOP_BYTES = 4 * 1024 * 1024
"""Five seconds of 6 Mbit/s."""

GOP_TAGS = 4000
"""Ten seconds of sound and of 240 pictures a second, and some to spare."""

HEADERS = 32
"""Tracks whose headers are kept; encoders send five at the most."""

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame


class Tag(NamedTuple):
    """A media message as it came, in two pieces."""

    kind: MediaKind
    at: int
    head: bytes
    payload: bytes
    begins_gop: bool

    @property
    def body(self) -> bytes:
        return self.head + self.payload


class Player(Protocol):
    """One who watches. Nothing of this may raise or wait."""

    def show(self, tag: Tag) -> None: ...

    def describe(self, metadata: bytes) -> None:
        """Take ``onMetaData``, as ``rtmp.playback`` makes it."""

    def leave(self, reason: str) -> None:
        """The stream is over."""


class Audience:
    """The players of one stream, and what the next one has to be told."""

    def __init__(self) -> None:
        self._players: dict[Player, None] = {}  # in the order in which they came
        self._metadata: bytes | None = None
        self._headers: dict[TrackId, Tag] = {}
        self._gop: list[Tag] = []
        self._gop_bytes = 0

    def __len__(self) -> int:
        return len(self._players)

    def join(self, player: Player) -> None:
        """Show ``player`` what there is, and whatever comes."""
        if self._metadata is not None:
            player.describe(self._metadata)
        for tag in (*self._headers.values(), *self._gop):
            player.show(tag)
        self._players[player] = None

    def part(self, player: Player) -> None:
        """``player`` is gone; harmless if it was not there."""
        self._players.pop(player, None)

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Tell what the publisher says, unless it has said so before: some go on and on."""
        body = metadata_body(metadata)
        if body is None or body == self._metadata:
            return
        self._metadata = body
        for player in self._players:
            player.describe(body)

    def take(
        self, kind: MediaKind, at: int, body: memoryview | bytes, held: tuple[Coded, ...]
    ) -> None:
        """Take a media message and what was found in it."""
        if len(held) == 1 and type(unit := held[0]) is CodedFrame:
            payload = unit.payload
            if begins := kind is _VIDEO and unit.is_keyframe and not unit.track.number:
                self._drop_gop()
            elif not (self._gop or self._players):
                return
            head = bytes(body[: len(body) - len(payload)])
            tag = Tag(kind, at, head, payload, begins)
            if begins or self._gop:
                self._keep(tag)
        else:
            tag = Tag(kind, at, bytes(body), b"", False)
            self._keep_whole(tag, held)
        for player in self._players:
            player.show(tag)

    def end(self, reason: str) -> None:
        """The publisher is gone: so are the players, and what is known."""
        players, self._players = list(self._players), {}
        self._metadata = None
        self._headers.clear()
        self._drop_gop()
        for player in players:
            player.leave(reason)

    def _keep_whole(self, tag: Tag, held: tuple[Coded, ...]) -> None:
        """Keep a message that is not one frame: a track's header, or several tracks at once."""
        if len(held) == 1 and isinstance(unit := held[0], SequenceHeader):
            if unit.track in self._headers or len(self._headers) < HEADERS:
                self._headers[unit.track] = tag
        elif held and self._gop:
            self._keep(tag)

    def _keep(self, tag: Tag) -> None:
        self._gop.append(tag)
        self._gop_bytes += len(tag.payload)
        if self._gop_bytes > GOP_BYTES or len(self._gop) > GOP_TAGS:
            self._drop_gop()

    def _drop_gop(self) -> None:
        self._gop = []
        self._gop_bytes = 0
