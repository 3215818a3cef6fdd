"""Sample entries, as FFmpeg reads them back."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import av
import pytest

from origin.hls.fmp4_init import initialization
from origin.hls.mpegts import refusal
from origin.media.coded import Codec, MediaKind
from origin.media.colour import Colour, ColourTold, LightLevel, MasteringDisplay
from origin.media.configuration import Configuration, VideoConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.track import Track
from tests.support.flv_files import flv_file, flv_files
from tests.support.frames import AUDIO, VIDEO

OPUS_HEAD = bytes.fromhex("4f7075734865616401")
HDR10 = ColourTold(
    Colour(9, 16, 9),
    MasteringDisplay(
        (34_000, 16_000), (13_250, 34_500), (7500, 3000), (15_635, 16_450), 10_000_000, 50
    ),
    LightLevel(1000, 400),
)


AS_FFPROBE_SAYS = {
    "red_x=34000/50000",
    "red_y=16000/50000",
    "green_x=13250/50000",
    "green_y=34500/50000",
    "blue_x=7500/50000",
    "blue_y=3000/50000",
    "white_point_x=15635/50000",
    "white_point_y=16450/50000",
    "min_luminance=50/10000",
    "max_luminance=10000000/10000",
    "max_content=1000",
    "max_average=400",
}


def every_configuration() -> list[tuple[str, Configuration]]:
    found: list[tuple[str, Configuration]] = [
        ("h264", VIDEO.configuration),
        ("aac", AUDIO.configuration),
        ("mp3", Mp3Configuration.parse(bytes.fromhex("fffb9064"))),
    ]
    for file in flv_files():
        if file.pictures:
            found.append((file.name, file.configuration(MediaKind.VIDEO)))
        if file.sounds:
            found.append((f"{file.name} sound", file.configuration(MediaKind.AUDIO)))
    return found


EVERY = [pytest.param(configuration, id=name) for name, configuration in every_configuration()]
NAMES = {
    Codec.AVC: "h264", Codec.HEVC: "hevc", Codec.AV1: "libdav1d", Codec.VP9: "vp9",
    Codec.AAC: "aac", Codec.MP3: "mp3float", Codec.OPUS: "opus", Codec.FLAC: "flac",
    Codec.AC3: "ac3", Codec.EAC3: "eac3",
}  # fmt: skip


@pytest.mark.parametrize("configuration", EVERY)
def test_every_codec_is_recognised_with_its_record(configuration: Configuration) -> None:
    content = initialization((Track(configuration),))
    with av.open(io.BytesIO(content), "r", format="mp4") as opened:
        (stream,) = opened.streams
        assert stream.type == configuration.kind.value
        assert stream.codec_context.name == NAMES[configuration.codec]
        expected = (b"", configuration.record)
        if configuration.codec is Codec.OPUS:  # FFmpeg makes an OpusHead of the box
            assert (stream.codec_context.extradata or b"").startswith(OPUS_HEAD)
        elif configuration.codec is Codec.FLAC:  # and hands on what follows the block header
            assert stream.codec_context.extradata == configuration.record[4:]
        elif configuration.codec not in (Codec.AC3, Codec.EAC3):
            assert (stream.codec_context.extradata or b"") in expected
        if isinstance(stream, av.VideoStream) and isinstance(configuration, VideoConfiguration):
            assert (stream.width, stream.height) == (configuration.width, configuration.height)
        if isinstance(stream, av.AudioStream):
            assert stream.time_base is not None
            assert stream.time_base.denominator == configuration.timescale


def probe(configuration: Configuration, directory: Path) -> str:
    file = directory / "init.mp4"
    file.write_bytes(initialization((Track(configuration),)))
    fields = "color_range,color_space,color_transfer,color_primaries:stream_side_data"
    asked = ["-show_entries", f"stream={fields}", "-of", "default=nw=1"]
    done = subprocess.run(
        ["ffprobe", "-v", "error", *asked, str(file)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_colour_is_written_where_the_stream_names_it(tmp_path: Path) -> None:
    said = probe(flv_file("av1_hlg").configuration(MediaKind.VIDEO), tmp_path)
    assert "color_space=bt2020nc" in said
    assert "color_transfer=arib-std-b67" in said
    assert "color_primaries=bt2020" in said
    plain = initialization((Track(flv_file("hevc_aac").configuration(MediaKind.VIDEO)),))
    assert b"colr" not in plain


def test_hdr10_is_written_where_metadata_tells_of_it(tmp_path: Path) -> None:
    configuration = flv_file("hevc_aac").configuration(MediaKind.VIDEO)
    assert isinstance(configuration, VideoConfiguration)
    told = replace(configuration, told=HDR10)
    assert b"colrnclx" + bytes.fromhex("00090010000900") in initialization((Track(told),))
    assert set(probe(told, tmp_path).splitlines()) >= AS_FFPROBE_SAYS


def test_hdr10_is_written_where_the_encoder_put_it_beside_the_parameter_sets(
    tmp_path: Path,
) -> None:
    configuration = flv_file("hevc_pq").configuration(MediaKind.VIDEO)
    assert isinstance(configuration, VideoConfiguration)
    assert (configuration.display, configuration.light) == (HDR10.display, HDR10.light)
    assert configuration.told.display is None
    without = flv_file("hevc_aac").configuration(MediaKind.VIDEO).record
    said = probe(replace(configuration, record=without), tmp_path)
    assert set(said.splitlines()) >= AS_FFPROBE_SAYS


@pytest.mark.parametrize("configuration", EVERY)
def test_what_mpegts_is_not_offered_in_is_said(configuration: Configuration) -> None:
    reason = refusal((VIDEO, Track(configuration), AUDIO))
    if configuration.codec in (Codec.AVC, Codec.AAC, Codec.MP3):
        assert reason is None
    else:
        assert reason is not None
        assert "is not offered in MPEG-TS" in reason
