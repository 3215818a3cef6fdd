"""Decoder configurations of what real encoders sent, and CODECS as others write it."""

from pathlib import Path

import av
import pytest

from origin.media.coded import Codec, MediaKind
from origin.media.colour import Colour, VideoRange
from origin.media.configuration import AudioConfiguration, VideoConfiguration
from tests.support.flv_files import FlvFile, flv_file, flv_files

PICTURES = [file for file in flv_files() if file.pictures]
SOUNDS = [file for file in flv_files() if file.sounds]


def video(name: str) -> VideoConfiguration:
    configuration = flv_file(name).configuration(MediaKind.VIDEO)
    assert isinstance(configuration, VideoConfiguration)
    return configuration


def audio(name: str) -> AudioConfiguration:
    configuration = flv_file(name).configuration(MediaKind.AUDIO)
    assert isinstance(configuration, AudioConfiguration)
    return configuration


@pytest.mark.parametrize("file", PICTURES, ids=lambda file: file.name)
def test_the_size_of_the_picture_is_found(file: FlvFile) -> None:
    configuration = video(file.name)
    assert (configuration.width, configuration.height) == (160, 90)
    assert configuration.pixel_aspect == (1, 1)
    assert configuration.timescale == 90_000


@pytest.mark.parametrize("file", SOUNDS, ids=lambda file: file.name)
def test_frames_say_how_many_samples_they_hold(file: FlvFile) -> None:
    configuration = audio(file.name)
    frames = file.frames(MediaKind.AUDIO)
    assert len(frames) == file.sounds
    assert sum(configuration.samples_in(frame.payload) for frame in frames) == file.samples


@pytest.mark.parametrize(
    ("name", "codec", "rate", "channels", "bits"),
    [
        ("hevc_aac", Codec.AAC, 48_000, 2, None),
        ("av1_opus", Codec.OPUS, 48_000, 2, None),
        ("vp9_opus", Codec.OPUS, 48_000, 1, None),
        ("ac3", Codec.AC3, 48_000, 2, None),
        ("eac3", Codec.EAC3, 48_000, 6, None),
        ("flac", Codec.FLAC, 44_100, 2, 16),
    ],
)
def test_rate_and_channels_are_found(
    name: str, codec: Codec, rate: int, channels: int, bits: int | None
) -> None:
    configuration = audio(name)
    assert configuration.codec is codec
    assert (configuration.sample_rate, configuration.channels) == (rate, channels)
    assert configuration.timescale == rate
    assert getattr(configuration, "bits_per_sample", None) == bits


@pytest.mark.parametrize(
    ("name", "colour", "video_range"),
    [
        ("hevc_aac", None, None),
        ("hevc_pq", Colour(9, 16, 9), VideoRange.PQ),
        ("av1_hlg", Colour(9, 18, 9), VideoRange.HLG),
        ("vp9_bt709", Colour(1, 1, 1), VideoRange.SDR),
    ],
)
def test_colours_are_those_that_the_stream_names(
    name: str, colour: Colour | None, video_range: VideoRange | None
) -> None:
    configuration = video(name)
    assert configuration.colour == configuration.shown_colour == colour
    assert (colour.video_range if colour else None) == video_range


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        # Main 10 with level 1 (30 thirds), compatible with profile 2 alone.
        ("hevc_pq", "hvc1.2.4.L30.90"),
        ("hevc_aac", "hvc1.1.6.L30.90"),
        # The example of AV1 in ISO BMFF, 5: av01.0.04M.10.0.112.09.16.09.0, for another level.
        ("av1_hlg", "av01.0.00M.10.0.110.09.18.09.0"),
        ("vp9_bt709", "vp09.00.10.08"),
    ],
)
def test_codecs_is_what_the_codec_s_own_document_says(name: str, codecs: str) -> None:
    assert video(name).codecs == codecs


@pytest.mark.parametrize("name", ["av1_opus", "vp9_opus", "ac3", "eac3", "flac"])
def test_codecs_is_what_ffmpeg_announces(name: str, tmp_path: Path) -> None:
    file = flv_file(name)
    kinds = [MediaKind.VIDEO] * bool(file.pictures) + [MediaKind.AUDIO] * bool(file.sounds)
    ours = ",".join(file.configuration(kind).codecs for kind in kinds)
    # FFmpeg writes FLAC in small letters; the registered name is the sample entry's.
    assert as_ffmpeg_announces(file, tmp_path) == ours.replace("fLaC", "flac")


def as_ffmpeg_announces(file: FlvFile, directory: Path) -> str:
    """CODECS of the multivariant playlist that FFmpeg writes for the same recording."""
    options = {"hls_segment_type": "fmp4", "master_pl_name": "all.m3u8", "strict": "-2"}
    with (
        av.open(str(file.path)) as source,
        av.open(str(directory / "media.m3u8"), "w", format="hls", options=options) as target,
    ):
        streams = {
            stream.index: target.add_stream_from_template(stream, opaque=True)
            for stream in source.streams
        }
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    written = (directory / "all.m3u8").read_text()
    return written.split('CODECS="')[1].split('"')[0]
