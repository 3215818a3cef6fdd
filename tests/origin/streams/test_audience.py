"""Who watches over RTMP is shown what the publisher sent, and first what went before."""

from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    MediaKind,
    SequenceHeader,
)
from origin.media.timebase import Millis
from origin.rtmp.playback import metadata_body
from origin.streams.audience import GOP_BYTES, Audience, Tag
from tests.support.stations import Station

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO


class Watcher:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.tags: list[Tag] = []
        self.metadata: list[bytes] = []
        self.left: list[str] = []

    @property
    def bodies(self) -> list[bytes]:
        return [tag.body for tag in self.tags]

    def show(self, tag: Tag) -> None:
        self.tags.append(tag)

    def describe(self, metadata: bytes) -> None:
        self.metadata.append(metadata)

    def leave(self, reason: str) -> None:
        self.left.append(reason)


def picture(audience: Audience, at: int, *, key: bool = False, payload: bytes = b"nal") -> bytes:
    body = (b"\x17" if key else b"\x27") + b"\x01\x00\x00\x00" + payload
    unit = CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(0), key, payload)
    audience.take(VIDEO, at, memoryview(body), (unit,))
    return body


def sound(audience: Audience, at: int) -> bytes:
    body = b"\xaf\x01snd"
    unit = CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, b"snd")
    audience.take(AUDIO, at, body, (unit,))
    return body


def header(audience: Audience) -> bytes:
    body = b"\x17\x00\x00\x00\x00record"
    audience.take(VIDEO, 0, body, (SequenceHeader(VIDEO_TRACK, Codec.AVC, b"record"),))
    return body


def test_who_joins_is_told_the_headers_and_the_gop_under_way_and_then_what_comes() -> None:
    audience, watcher = Audience(), Watcher()
    audience.describe({"width": 320.0})
    first = header(audience)
    picture(audience, 0, key=True)
    picture(audience, 40)
    wanted = [first, picture(audience, 2000, key=True, payload=b"key"), sound(audience, 2010)]
    audience.join(watcher)
    assert watcher.bodies == wanted
    assert watcher.metadata == [metadata_body({"width": 320.0})]
    wanted.append(picture(audience, 2040))
    assert watcher.bodies == wanted
    assert [tag.at for tag in watcher.tags] == [0, 2000, 2010, 2040]
    assert [tag.begins_gop for tag in watcher.tags] == [False, True, False, False]


def test_a_payload_is_kept_as_the_very_bytes_that_the_packager_has() -> None:
    audience, watcher, payload = Audience(), Watcher(), bytes(1000)
    picture(audience, 0, key=True, payload=payload)
    audience.join(watcher)
    assert watcher.tags[0].payload is payload


def test_a_gop_that_outgrows_its_bound_is_let_go_of_until_the_next_one() -> None:
    audience, early, late = Audience(), Watcher(), Watcher()
    picture(audience, 0, key=True)
    picture(audience, 40, payload=bytes(GOP_BYTES))
    audience.join(early)
    assert early.tags == []
    picture(audience, 80)
    assert len(early.tags) == 1
    picture(audience, 120, key=True)
    audience.join(late)
    assert [tag.at for tag in late.tags] == [120]


def test_metadata_is_told_when_it_says_something_else() -> None:
    audience, watcher = Audience(), Watcher()
    audience.join(watcher)
    for width in (320.0, 320.0, 640.0, 640.0):
        audience.describe({"width": width})
    assert watcher.metadata == [metadata_body({"width": width}) for width in (320.0, 640.0)]


def test_players_are_not_told_an_index_of_keyframes_nor_anything_long() -> None:
    audience, watcher, index = Audience(), Watcher(), [1.0] * 28_800
    audience.join(watcher)
    audience.describe({"width": 320.0, "keyframes": {"times": index}, "others": index})
    assert watcher.metadata == [metadata_body({"width": 320.0, "keyframes": {}})]
    audience.describe({"title": "x" * 20_000})
    assert len(watcher.metadata) == 1


def test_sound_alone_is_shown_as_it_comes() -> None:
    audience, watcher = Audience(), Watcher()
    sound(audience, 0)
    audience.join(watcher)
    sound(audience, 23)
    assert [tag.at for tag in watcher.tags] == [23]


def test_what_holds_several_tracks_or_nothing_is_shown_whole() -> None:
    audience, watcher = Audience(), Watcher()
    picture(audience, 0, key=True)
    audience.join(watcher)
    frame = CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(0), False, b"x")
    held: tuple[Coded, ...] = (frame, frame)
    audience.take(VIDEO, 40, b"two tracks", held)
    audience.take(VIDEO, 80, b"metadata of colours", ())
    assert watcher.bodies[1:] == [b"two tracks", b"metadata of colours"]


def test_who_has_parted_is_shown_nothing_more() -> None:
    audience, watcher = Audience(), Watcher()
    audience.join(watcher)
    audience.part(watcher)
    audience.part(watcher)
    sound(audience, 0)
    assert (watcher.tags, len(audience)) == ([], 0)


async def test_a_stream_without_a_publisher_has_no_audience() -> None:
    station, watcher = Station(), Watcher()
    assert station.registry.audience_of("main") is None
    publication = await station.publish("main")
    audience = station.registry.audience_of("main")
    assert audience is not None
    audience.join(watcher)
    publication.describe({"width": 320.0})
    publication.relay(AUDIO, 0, b"\xaf\x01snd", ())
    publication.end(clean=True)
    assert (watcher.bodies, watcher.left) == ([b"\xaf\x01snd"], ["The publisher has left."])
    assert watcher.metadata == [metadata_body({"width": 320.0})]
    assert station.registry.audience_of("main") is None
    assert station.registry.audience_of("../etc") is None
