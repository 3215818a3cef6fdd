"""Feeds one input to everything that a stranger's bytes reach, and says what came of it.

::

    SESSION   session -> flv -> stream -> packager, segmenter, playlists, and sometimes TS
    TAGS                 flv -> stream -> ...
    AMF       one of the message types that carry it

The path is the product's: bytes in one shared buffer that is written over, as the listener has
it. What may come out is ``ProtocolError`` or ``MediaError``; everything else is a finding, and so
is a publish that did not end exactly once, or a session that asks for more turns than its bytes
could ever cost.
"""

from collections.abc import Coroutine
from enum import Enum
from random import Random
from typing import TypeVar

from origin.errors import MediaError, ProtocolError, Refused
from origin.hls.rendition import Rendition
from origin.hls.resource import Resource
from origin.media.coded import MediaKind
from origin.rtmp.chunk import Message
from origin.rtmp.events import Event, PublishEnded, PublishRequested
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.limits import Limits
from origin.rtmp.messages import MEDIA, Media, Metadata, Type, read, split_aggregate
from origin.rtmp.replies import Status
from origin.rtmp.session import ServerSession, State
from origin.streams.door import Publication
from tests.fuzz.inputs import Input, Kind
from tests.support.sessions import NONCE
from tests.support.stations import Station

T = TypeVar("T")

_buffer = memoryview(bytearray(256 * 1024))
_limits = Limits()
_CARRIERS = (Type.AMF0_COMMAND, Type.AMF3_COMMAND, Type.AMF0_DATA)


class Outcome(Enum):
    """How an input ended."""

    TAKEN = "taken to its end"
    PROTOCOL = "protocol error"
    MEDIA = "media error"


def feed(given: Input, number: int = 0) -> Outcome:
    """Feed ``given``; whatever is raised is a finding."""
    match given.kind:
        case Kind.SESSION:
            return _Client(Random(number)).send(given.data)
        case Kind.TAGS:
            return _feed_tags(given.data, number)
        case Kind.AMF:
            return _feed_amf(given.data, _CARRIERS[number % 3])


class _Client:
    """One connection with its publications, as the listener runs them."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._session = ServerSession(nonce=NONCE, limits=_limits, now=0.0)
        self._station = Station()
        self._publication: Publication | None = None
        self._outcome = Outcome.TAKEN

    def send(self, data: bytes) -> Outcome:
        pieces = self._chance.choice((1, 1, 2, 7, 40))
        size = min(len(_buffer), max(1, len(data) // pieces))
        now = 0.0
        try:
            for at in range(0, len(data), size):
                piece = data[at : at + size]
                _buffer[: len(piece)] = piece
                self._session.receive(_buffer[: len(piece)], now)
                self._take(len(piece))
                self._session.keep()
                self._session.bytes_to_send()
                now += 0.01
        except ProtocolError:
            self._outcome = Outcome.PROTOCOL
        self._session.abandon()
        self._take(0)
        assert self._session.state is State.CLOSED
        assert self._publication is None, "a publish that never ended"
        if self._chance.random() < 0.2:
            look(self._station, with_ts=self._chance.random() < 0.1)
        return self._outcome

    def _take(self, received: int) -> None:
        turns_left = 1000 + 2 * received
        while (event := self._session.next_event()) is not None:
            turns_left -= 1
            assert turns_left, "more turns than there were bytes"
            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case PublishRequested():
                self._decide(event)
            case Media(kind, at, body):
                assert self._publication is not None
                try:
                    push(self._publication, kind, at, body)
                except MediaError as error:
                    self._outcome = Outcome.MEDIA
                    if self._session.state is State.LIVE:
                        self._session.end_publish(Status.FAILED, str(error), 0.0)
            case Metadata(values):
                assert self._publication is not None
                self._publication.describe(values)
            case PublishEnded(clean):
                publication, self._publication = self._publication, None
                assert publication is not None, "a publish that ended twice"
                publication.end(clean=clean)
            case _:
                pass

    def _decide(self, wish: PublishRequested) -> None:
        assert self._publication is None
        try:
            self._publication = at_once(self._station.publish(wish.name))
        except Refused as refusal:
            self._session.reject(wish.request_id, Status.BAD_NAME, str(refusal), 0.0)
        else:
            self._session.accept(wish.request_id, 0.0)


def push(publication: Publication, kind: MediaKind, at: int, body: memoryview | bytes) -> None:
    """Push what a media message holds, as the listener does."""
    for unit in read_video(body) if kind is MediaKind.VIDEO else read_audio(body):
        publication.push(at, unit)


def look(station: Station, *, with_ts: bool) -> None:
    """Ask for everything that a viewer could ask for."""
    for stream in station.registry:
        if stream.session is None:
            continue
        presentation = stream.session.presentation
        presentation.multivariant()
        presentation.ts_multivariant()
        for rendition in presentation.renditions.values():
            _look_at(rendition, with_ts=with_ts)


def _look_at(rendition: Rendition, *, with_ts: bool) -> None:
    rendition.playlist(skips=True)
    for name in _listed(rendition.playlist()):
        assert rendition.find(name) is not None, name
    listed_in_ts = _listed(rendition.ts_playlist())
    for name in listed_in_ts if with_ts else []:
        assert rendition.find_ts(name) is not None, name


def _listed(playlist: Resource | None) -> list[str]:
    """The segments in a playlist, but for those that it says are missing."""
    if playlist is None:
        return []
    names: list[str] = []
    is_gap = False
    for line in b"".join(playlist.pieces).decode().splitlines():
        is_gap |= line == "#EXT-X-GAP"
        if not line.startswith("#"):
            names += [] if is_gap else [line]
            is_gap = False
    return names


def _feed_tags(data: bytes, number: int) -> Outcome:
    station = Station()
    publication = at_once(station.publish())
    outcome = Outcome.TAKEN
    try:
        for message in split_aggregate(Message(Type.AGGREGATE, 1, 0, data)):
            if message.type_id in MEDIA:
                push(publication, MEDIA[message.type_id], message.timestamp, message.payload)
            elif isinstance(words := read(message, _limits), Metadata):
                publication.describe(words.values)
        publication.end(clean=True)
    except ProtocolError:
        outcome = Outcome.PROTOCOL
        publication.end(clean=False)
    except MediaError:
        outcome = Outcome.MEDIA
        publication.end(clean=False)
    look(station, with_ts=number % 50 == 0)
    return outcome


def _feed_amf(data: bytes, type_id: int) -> Outcome:
    try:
        read(Message(type_id, 0, 0, data), _limits)
    except ProtocolError:
        return Outcome.PROTOCOL
    return Outcome.TAKEN


def at_once(coroutine: Coroutine[object, None, T]) -> T:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("the door waits for something")
