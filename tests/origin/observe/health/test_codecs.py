"""Codecs that not everybody can play, and what a configuration says in an encoder's words."""

import pytest

from origin.media.coded import (
    VIDEO_TRACK,
    Codec,
    CodedFrame,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
    TrackId,
)
from origin.media.timebase import Millis
from origin.observe.health.codecs import NAMES, profile_and_level
from origin.observe.health.codes import Code, Colour
from origin.observe.health.monitor import Monitor
from tests.support.broadcasts import AVC_HEADER
from tests.support.captures import captures
from tests.support.recordings import recording_of

(HEVC,) = (capture for capture in captures() if "hevc" in capture.name)
SECOND_VIDEO = TrackId(MediaKind.VIDEO, 1)


class Publish:
    """Sends HEVC's header, and then a picture a second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.monitor = Monitor(lambda: self.now)
        for at, unit in recording_of(HEVC).units:
            if isinstance(unit, SequenceHeader):
                self.monitor.take(at, unit)

    def go_on(self, seconds: int, codec: Codec) -> set[Code]:
        for _ in range(seconds):
            self.now += 1.0
            frame = CodedFrame(VIDEO_TRACK, codec, Millis(0), True, b"picture")
            self.monitor.take(round(self.now * 1000), frame)
        return {finding.code for finding in self.monitor.report().findings}


def test_hevc_is_told_of_until_the_encoder_is_set_to_h264() -> None:
    publish = Publish()
    assert Code.CODEC_NOT_EVERYWHERE in publish.go_on(3, Codec.HEVC)
    report = publish.monitor.report()
    assert report.colour is Colour.YELLOW
    assert "HEVC plays in Safari" in report.sentence
    assert (report.video_codec, report.profile) == ("HEVC", "Main")
    publish.monitor.take(0, SequenceEnd(VIDEO_TRACK))
    publish.monitor.take(0, AVC_HEADER)
    assert Code.CODEC_NOT_EVERYWHERE not in publish.go_on(3, Codec.AVC)
    assert publish.monitor.report().video_codec == "H.264"


def test_hevc_beside_an_h264_track_is_for_those_who_can() -> None:
    publish = Publish()
    publish.monitor.take(0, SequenceHeader(SECOND_VIDEO, Codec.AVC, AVC_HEADER.record))
    assert Code.CODEC_NOT_EVERYWHERE not in publish.go_on(3, Codec.HEVC)


@pytest.mark.parametrize(
    ("codecs", "profile", "level"),
    [
        ("avc1.64001f", "High", "3.1"),
        ("avc1.42c01e", "Constrained Baseline", "3.0"),
        ("avc1.42801e", "Baseline", "3.0"),
        ("avc1.4d0029", "Main", "4.1"),
        ("hvc1.1.6.L93.B0", "Main", "3.1"),
        ("hvc1.2.4.H150.B0", "Main 10", "5.0"),
        ("av01.0.04M.08", "Main", "3.0"),
        ("av01.0.13M.10", "Main", "5.1"),
        ("vp09.00.31.08", "Profile 0", "3.1"),
        ("avc1.no", None, None),
        ("hvc1", None, None),
        ("something.else", None, None),
    ],
)
def test_profile_and_level_are_read_from_the_codec_string(
    codecs: str, profile: str | None, level: str | None
) -> None:
    assert profile_and_level(codecs) == (profile, level)


def test_every_codec_has_a_name() -> None:
    assert set(NAMES) == set(Codec)
