"""The door between a listener and the streams: how a publisher asks to come in.

A listener (``origin.ingest``) knows bytes and events; it does not know keys, names, who is live
and who takes over from whom. It asks the ``Door``, and is given a ``Publication`` to push into.

The rules both sides keep:

- ``publish`` raises ``Refused`` with a text for the streamer, or returns a publication.
- ``Publication.end`` is called exactly once for every publication that was returned, and nothing
  is called after it. That holds also after ``on_closed``, and if the listener's peer left while
  ``publish`` was still under way.
- ``on_closed`` may be called once, from the loop's thread, at any time before ``end``: the stream
  does not want this publisher any more.
- All calls come from the loop's thread; ``push`` does not block and keeps no reference to
  anything but the unit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from origin.auth.asking import Asked
from origin.media.coded import Coded, MediaKind


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """What a publisher says about itself before anything is believed of it.

    ``name`` and ``query`` may be the key, and ``app`` and ``tc_url`` may hold one where a user
    pasted everything into one field; none of them shows in the representation.
    """

    app: str = field(repr=False)
    name: str = field(repr=False)
    """The publish name as it was sent, its query removed."""
    query: str = field(repr=False)
    """What follows the first "?" of the publish name; empty if nothing does."""
    peer: str
    """Address and port, "192.0.2.7:53122"."""
    encoder: str
    """How the encoder names itself (flashVer); empty if it does not."""
    tc_url: str = field(repr=False)


def asked_by(request: PublishRequest) -> Asked:
    """``request``, as far as it bears on leave to publish."""
    return Asked(
        app=request.app,
        name=request.name,
        query=request.query,
        tc_url=request.tc_url,
        address=request.peer.rpartition(":")[0].strip("[]"),
        encoder=request.encoder,
    )


class Publication(Protocol):
    """An accepted publish, as the listener sees it."""

    def push(self, at: int, unit: Coded) -> None:
        """Take one coded value with its raw 32-bit RTMP time in milliseconds.

        Raises ``MediaError`` with a text for the streamer if it cannot be packaged; the listener
        then ends the publication.
        """
        ...

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Take what ``onMetaData`` says; some encoders repeat it several times a second."""
        ...

    def relay(
        self, kind: MediaKind, at: int, body: memoryview | bytes, held: tuple[Coded, ...]
    ) -> None:
        """Take a media message as it came, once all that it ``held`` has been pushed."""
        ...

    def end(self, *, clean: bool) -> None:
        """The publisher is gone; ``clean`` if it said so itself rather than broke off."""
        ...


class Door(Protocol):
    """Decides who may publish."""

    async def publish(
        self, request: PublishRequest, on_closed: Callable[[str], None]
    ) -> Publication:
        """Let the publisher in, or raise ``Refused``; ``on_closed`` takes a reason for it."""
        ...
