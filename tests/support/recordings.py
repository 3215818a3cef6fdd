"""What the recorded encoders of tests/corpus/rtmp said, as the units that a publication takes."""

from typing import NamedTuple

from origin.media.coded import Coded, MediaKind
from origin.rtmp.events import PublishRequested
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media, Metadata
from origin.rtmp.session import ServerSession
from tests.support.captures import Capture


class Recording(NamedTuple):
    """A whole session."""

    metadata: list[dict[str, object]]
    units: list[tuple[int, Coded]]


def recording_of(capture: Capture) -> Recording:
    """Everything that a recorded encoder said."""
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    session.receive(memoryview(capture.read()), 0.0)
    recording = Recording([], [])
    while (event := session.next_event()) is not None:
        if isinstance(event, PublishRequested):
            session.accept(event.request_id, 0.0)
        elif isinstance(event, Metadata):
            recording.metadata.append(dict(event.values))
        elif isinstance(event, Media):
            read = read_video if event.kind is MediaKind.VIDEO else read_audio
            recording.units.extend((event.at, unit) for unit in read(event.body))
    return recording
