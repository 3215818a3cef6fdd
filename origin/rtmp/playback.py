"""What a player is told and shown (RTMP 1.0, 7.2.2.1): the messages of the play side.

::

    StreamBegin, Play.Reset, Play.Start        the play begins
    onMetaData, sequence headers, one GOP      what there is
    audio, video                               live, as the publisher's tags came
    Play.UnpublishNotify                       the publisher is gone

Audio, video and data each have a chunk stream of their own, as every server has had them.
"""

from collections.abc import Mapping
from typing import cast

from origin.media.coded import MediaKind
from origin.rtmp.amf0 import AmfValue, EcmaArray, TypedObject, encode
from origin.rtmp.chunk import Message
from origin.rtmp.limits import KIB
from origin.rtmp.messages import Type
from origin.rtmp.replies import Status, on_status, stream_begin

LONGEST_METADATA_BYTES = 16 * KIB
"""OBS's has 410. Every player is sent it as often as the publisher says something else."""

_TYPES = {MediaKind.VIDEO: Type.VIDEO, MediaKind.AUDIO: Type.AUDIO}


def beginning(stream_id: int) -> tuple[Message, ...]:
    """The play is granted. Adobe's players wait for Reset, everybody for Start."""
    return (
        stream_begin(stream_id),
        on_status(stream_id, Status.PLAY_RESET, "Resetting."),
        on_status(stream_id, Status.PLAY_STARTED, "Playing."),
    )


def media(stream_id: int, kind: MediaKind, at: int, body: bytes) -> Message:
    """A media message, as it came from the publisher."""
    return Message(_TYPES[kind], stream_id, at, body)


def metadata_body(values: Mapping[str, object]) -> bytes | None:
    """``onMetaData``, which holds what AMF0 can: it came as such. None if it is too long to tell.

    Arrays are left out. They are indices of a file's keyframes, mean nothing here, and may be
    half a megabyte; one body goes to all players.
    """
    known = EcmaArray(_without_arrays(cast("Mapping[str, AmfValue]", values)))
    body = encode("onMetaData", known)
    return body if len(body) <= LONGEST_METADATA_BYTES else None


def metadata(stream_id: int, body: bytes) -> Message:
    """What ``metadata_body`` has made."""
    return Message(Type.AMF0_DATA, stream_id, 0, body)


def _without_arrays(values: Mapping[str, AmfValue]) -> dict[str, AmfValue]:
    return {
        key: _without_arrays(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if not isinstance(value, list | TypedObject)
    }
