"""What is packaged plays: PyAV, FFmpeg and ffprobe decode it without an error or a lost frame."""

import io
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from origin.hls.playlist import Container
from origin.hls.rendition import Rendition
from origin.media.sample import Sample
from origin.media.track import Track
from tests.support.media import Clip, clip, only
from tests.support.packaging import body, initialization_of, package, segment_bodies
from tests.validator.mp4 import read_fragments, read_init

PLAYS = [
    pytest.param({}, id="no B-frames"),
    pytest.param({"b_frames": 2}, id="B-frames"),
    pytest.param({"b_frames": 3, "rate": 25, "keyframe_every": 60}, id="25 per second"),
    pytest.param({"rate": 60, "sample_rate": 44_100}, id="60 per second and 44.1 kHz"),
    pytest.param({"rate": 5, "keyframe_every": 5}, id="5 per second"),
    pytest.param({"audio_codec": "libmp3lame"}, id="MP3"),
]
CONTAINERS = [pytest.param(container, id=container.name) for container in Container]


def make(settings: dict[str, Any]) -> Clip:
    return clip(**settings)


def presentation(rendition: Rendition, container: Container) -> bytes:
    """The whole session in one piece, as a player appends it."""
    segments = b"".join(segment_bodies(rendition, container))
    return initialization_of(rendition) + segments if container is Container.FMP4 else segments


def published(made: Clip, index: int) -> list[Sample]:
    """What is there to be decoded: from the first keyframe's time on."""
    begin_s = made.samples[0][1].dts / made.tracks[made.samples[0][0]].timescale
    if len(made.tracks) > 1:
        begin_s = made.run(0)[0].dts / made.tracks[0].timescale
    return [each for each in made.run(index) if each.dts / made.tracks[index].timescale >= begin_s]


def decode(data: bytes, container: Container) -> dict[str, list[float]]:
    """Decode everything; return the times that pictures and sounds are presented at."""
    name = "mp4" if container is Container.FMP4 else "mpegts"
    times: dict[str, list[float]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(data), "r", format=name) as opened:
        for packet in opened.demux():
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                assert not frame.is_corrupt
                times[packet.stream.type].append(float(frame.time or 0))
    return times


def times_of(track: Track, samples: list[Sample]) -> list[float]:
    return sorted((each.dts + each.composition_offset) / track.timescale for each in samples)


def check_all_decoded(made: Clip, container: Container) -> None:
    rendition = package(made.tracks, made.samples)
    decoded = decode(presentation(rendition, container), container)
    for index, track in enumerate(made.tracks):
        expected = times_of(track, published(made, index))
        got = decoded[track.kind.value]
        assert len(got) == len(expected)
        assert got == pytest.approx(expected, abs=0.0001)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("settings", PLAYS)
def test_every_frame_is_decoded_at_its_time(settings: dict[str, Any], container: Container) -> None:
    check_all_decoded(make(settings), container)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("settings", PLAYS)
@pytest.mark.parametrize("track", [0, 1], ids=["video", "audio"])
def test_one_track_alone_is_decoded_as_well(
    settings: dict[str, Any], track: int, container: Container
) -> None:
    check_all_decoded(only(make(settings), track), container)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("settings", PLAYS)
def test_ffmpeg_finds_no_error(
    settings: dict[str, Any], container: Container, tmp_path: Path
) -> None:
    made = make(settings)
    file = tmp_path / "session"
    file.write_bytes(presentation(package(made.tracks, made.samples), container))
    strict = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode"]
    done = subprocess.run(
        [*strict, "-i", str(file), "-map", "0", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("settings", PLAYS)
def test_ffprobe_counts_every_frame(
    settings: dict[str, Any], container: Container, tmp_path: Path
) -> None:
    made = make(settings)
    file = tmp_path / "session"
    file.write_bytes(presentation(package(made.tracks, made.samples), container))
    asked = ["-count_frames", "-show_entries", "stream=codec_type,nb_read_frames"]
    done = subprocess.run(
        ["ffprobe", "-v", "error", *asked, "-of", "compact=p=0", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    for index, track in enumerate(made.tracks):
        line = f"codec_type={track.kind.value}|nb_read_frames={len(published(made, index))}"
        assert line in done.stdout.splitlines()


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_player_may_begin_at_any_segment(container: Container) -> None:
    made = clip(b_frames=2)
    rendition = package(made.tracks, made.samples)
    head = initialization_of(rendition) if container is Container.FMP4 else b""
    for segment, content in zip(
        rendition.listed, segment_bodies(rendition, container), strict=True
    ):
        decoded = decode(head + content, container)
        assert len(decoded["video"]) == len(segment.run(0))
        assert len(decoded["audio"]) == len(segment.run(1))


@pytest.mark.parametrize("settings", PLAYS)
def test_parts_in_a_row_are_the_segment_byte_for_byte(settings: dict[str, Any]) -> None:
    made = make(settings)
    rendition = package(made.tracks, made.samples)
    for segment in rendition.listed:
        parts = [body(rendition.find(part.name)) for part in segment.parts]
        assert b"".join(parts) == body(rendition.find(segment.name))


@pytest.mark.parametrize("settings", PLAYS)
def test_decode_times_go_on_from_part_to_part_and_sequences_count(
    settings: dict[str, Any],
) -> None:
    made = make(settings)
    rendition = package(made.tracks, made.samples)
    init = read_init(initialization_of(rendition))
    media = b"".join(segment_bodies(rendition, Container.FMP4))
    fragments = read_fragments(media, init).fragments
    assert [each.sequence for each in fragments] == list(range(1, len(fragments) + 1))
    for track in init.tracks:
        runs = [traf.samples for each in fragments for traf in each.trafs if traf.track == track]
        for before, after in pairwise(runs):
            assert before[-1].dts + before[-1].duration == after[0].dts
