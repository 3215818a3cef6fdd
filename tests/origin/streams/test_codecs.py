"""Real recordings of every codec, packaged as they come: nothing is lost, and FFmpeg agrees."""

import io
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import av
import pytest

from origin.errors import MediaError, ProtocolError
from origin.hls.playlist import Container
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import (
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    ColourInfo,
    MediaKind,
    SequenceHeader,
)
from origin.media.colour import Colour, ColourTold
from origin.rtmp.flv import read_audio, read_video
from origin.streams.packager import Packager
from tests.support.flv_files import VIDEO, FlvFile, flv_file, flv_files
from tests.support.packaging import NOON, initialization_of, segment_bodies, text

every_file = pytest.mark.parametrize("file", flv_files(), ids=lambda file: file.name)


def new_packager() -> Packager:
    rules = Rules(window=1000)
    presentation = Presentation(
        rules=rules,
        epoch="e1",
        first_msn=1,
        first_discontinuity_sequence=0,
        begins_with_discontinuity=False,
    )
    return Packager(rules, presentation, lambda: NOON)


def published(file: FlvFile) -> Presentation:
    """The whole recording as one session."""
    packager = new_packager()
    for at, unit in file.units():
        packager.push(at, unit)
    packager.flush()
    packager.presentation.end()
    return packager.presentation


def whole(presentation: Presentation) -> bytes:
    """The session in one piece, as a player appends it."""
    segments = segment_bodies(presentation.main, Container.FMP4)
    return initialization_of(presentation.main) + b"".join(segments)


@every_file
def test_every_picture_and_sound_is_decoded(file: FlvFile) -> None:
    pictures = samples = 0
    with av.open(io.BytesIO(whole(published(file))), "r", format="mp4") as opened:
        for packet in opened.demux():
            for frame in packet.decode():
                assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                assert not frame.is_corrupt
                if isinstance(frame, av.VideoFrame):
                    pictures += 1
                else:
                    samples += frame.samples
    assert pictures == file.pictures
    # A sound that begins before the first picture is not there; Opus's pre-skip is cut off.
    longest = file.samples // file.sounds if file.sounds else 0
    assert file.samples - 2 * longest <= samples <= file.samples


@every_file
def test_ffmpeg_decodes_without_a_complaint(file: FlvFile, tmp_path: Path) -> None:
    target = tmp_path / "session.mp4"
    target.write_bytes(whole(published(file)))
    strict = ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode"]
    done = subprocess.run(
        [*strict, "-i", str(target), "-map", "0", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        (
            "hevc_aac",
            'CODECS="hvc1.1.6.L30.90,mp4a.40.2",RESOLUTION=160x90,FRAME-RATE=25.000',
        ),
        (
            "hevc_pq",
            'CODECS="hvc1.2.4.L30.90",RESOLUTION=160x90,FRAME-RATE=25.000,VIDEO-RANGE=PQ',
        ),
        (
            "av1_hlg",
            'CODECS="av01.0.00M.10.0.110.09.18.09.0",RESOLUTION=160x90,FRAME-RATE=25.000'
            ",VIDEO-RANGE=HLG",
        ),
        (
            "vp9_bt709",
            'CODECS="vp09.00.10.08",RESOLUTION=160x90,FRAME-RATE=25.000,VIDEO-RANGE=SDR',
        ),
        ("flac", 'CODECS="fLaC"'),
    ],
)
def test_the_multivariant_playlist_says_what_it_is(name: str, attributes: str) -> None:
    presentation = published(flv_file(name))
    line = text(presentation.multivariant()).splitlines()[-2]
    assert line.endswith(attributes)
    assert presentation.ts_multivariant() is None


def test_colour_told_before_a_keyframe_begins_anew_and_repeated_headers_do_not() -> None:
    units = flv_file("hevc_aac").units()
    headers = [unit for _, unit in units if isinstance(unit, SequenceHeader)]
    told = ColourInfo(VIDEO_TRACK, ColourTold(Colour(9, 16, 9)))
    packager, keyframes = new_packager(), 0
    for at, unit in units:
        if isinstance(unit, CodedFrame) and unit.codec is Codec.HEVC and unit.is_keyframe:
            keyframes += 1
            beside: list[Coded] = [*headers]
            if keyframes == 2:
                beside += [told, told]
            for each in beside:
                packager.push(at, each)
        packager.push(at, unit)
    packager.flush()
    packager.presentation.end()
    assert keyframes == 2
    playlist = text(packager.presentation.main.playlist())
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert playlist.count("#EXT-X-MAP") == 2
    assert "VIDEO-RANGE=PQ" in text(packager.presentation.multivariant())


def test_a_header_behind_frames_that_wait_leaves_nothing_to_begin_with() -> None:
    file = flv_file("vp9_opus")
    header = next(unit for _, unit in file.units() if isinstance(unit, SequenceHeader))
    packager = new_packager()
    packager.push(0, header)
    packager.push(0, file.frames(MediaKind.VIDEO)[0])
    packager.push(0, header._replace(record=header.record + b"another"))
    packager.flush()
    assert packager.presentation.segment_count == 0


DAMAGED = 400


def test_damaged_recordings_are_packaged_or_refused() -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(DAMAGED):
        chance = Random(seed)
        packager = new_packager()
        try:
            for at, kind, body in damaged(chance.choice(flv_files()), chance):
                for unit in read_video(body) if kind == VIDEO else read_audio(body):
                    packager.push(at, unit)
            packager.flush()
            packager.presentation.end()
        except (MediaError, ProtocolError):
            outcomes["refused"] += 1
        else:
            outcomes["packaged"] += 1
    assert min(outcomes["refused"], outcomes["packaged"]) > DAMAGED // 20


def damaged(file: FlvFile, chance: Random) -> Iterator[tuple[int, int, bytes]]:
    """A recording's messages, with a few bytes changed, left out and put in near their heads."""
    tags = file.tags()
    places = {chance.randrange(min(len(tags), 12)) for _ in range(3)}
    for number, (at, kind, whole_body) in enumerate(tags):
        body = bytearray(whole_body)
        if number in places and body:
            place = chance.randrange(min(len(body), 48))
            size = chance.randrange(4)
            body[place : place + size] = chance.randbytes(chance.randrange(4))
        yield at, kind, bytes(body)
