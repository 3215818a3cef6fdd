from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.hls.elementary import ACCESS_UNIT_DELIMITER, annex_b
from origin.hls.mpegts import expected_bytes, refusal, transport_stream
from origin.hls.playlist import Container
from origin.hls.rendition import Rendition
from origin.hls.segment import Segment
from origin.hls.ts_packets import PID_FIRST_MEDIA
from origin.media.avc import AvcConfiguration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from tests.support.frames import (
    AUDIO,
    START,
    UNFIT_AUDIO,
    VIDEO,
    interleaved,
    picture,
    pictures,
    sound,
    sounds,
)
from tests.support.media import Clip, clip, only
from tests.support.packaging import package, segment_bodies
from tests.validator.ts import Packet, Transport, describe_access_unit, read_transport

WRAP = 2**33
LONGEST_PCR_STEP = 9_000  # 100 ms
CLIPS = [
    pytest.param({}, id="no B-frames"),
    pytest.param({"b_frames": 2, "rate": 25, "keyframe_every": 50}, id="B-frames"),
    pytest.param({"rate": 5, "keyframe_every": 10}, id="5 per second"),
    pytest.param({"audio_codec": "libmp3lame"}, id="MP3"),
]
TRACKS = [
    pytest.param(None, id="both"),
    pytest.param(0, id="video alone"),
    pytest.param(1, id="audio alone"),
]


def make(settings: dict[str, Any], track: int | None) -> Clip:
    made = clip(**settings)
    return made if track is None else only(made, track)


def read(rendition: Rendition) -> list[Transport]:
    return [read_transport(content) for content in segment_bodies(rendition, Container.TS)]


def read_made(tracks: tuple[Track, ...], samples: list[tuple[int, Sample]]) -> list[Transport]:
    return read(package(tracks, samples))


def check_counters(transports: list[Transport]) -> None:
    """One stream, as it were: on each PID one more for each packet with payload."""
    last: dict[int, int] = {}
    for transport in transports:
        for packet in transport.packets:
            before = last.get(packet.pid)
            if before is not None:
                assert packet.counter == (before + packet.has_payload) % 16
            last[packet.pid] = packet.counter


def check_clock(transports: list[Transport]) -> None:
    """The first packet after the tables has it, and no two are further apart than allowed."""
    clocks = [
        each for transport in transports for each in transport.packets if each.pcr is not None
    ]
    for before, after in pairwise(clocks):
        assert before.pcr is not None
        assert after.pcr is not None
        assert 0 < (after.pcr - before.pcr) % WRAP <= LONGEST_PCR_STEP
    for transport in transports:
        assert {each.pid for each in transport.packets if each.pcr is not None} == {PID_FIRST_MEDIA}
        assert first_media(transport).pcr is not None


def first_media(transport: Transport) -> Packet:
    assert [packet.pid for packet in transport.packets[:2]] == [0, transport.program.pid]
    return transport.packets[2]


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("settings", CLIPS)
def test_counters_go_on_across_segments_that_were_made_independently(
    settings: dict[str, Any], track: int | None
) -> None:
    made = make(settings, track)
    check_counters(read(package(made.tracks, made.samples)))


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("settings", CLIPS)
def test_the_clock_is_in_the_first_packet_and_never_far_away(
    settings: dict[str, Any], track: int | None
) -> None:
    made = make(settings, track)
    check_clock(read(package(made.tracks, made.samples)))


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("settings", CLIPS)
def test_each_segment_begins_with_the_tables_and_a_random_access_point(
    settings: dict[str, Any], track: int | None
) -> None:
    made = make(settings, track)
    for transport in read(package(made.tracks, made.samples)):
        assert [packet.pid for packet in transport.packets].count(0) == 1
        assert [packet.pid for packet in transport.packets].count(transport.program.pid) == 1
        assert transport.program.pcr_pid == PID_FIRST_MEDIA
        assert first_media(transport).pid == PID_FIRST_MEDIA
        assert first_media(transport).starts
        assert first_media(transport).random_access


@pytest.mark.parametrize("settings", CLIPS)
def test_access_units_have_delimiters_and_keyframes_have_parameter_sets(
    settings: dict[str, Any],
) -> None:
    made = make(settings, 0)
    for transport in read(package(made.tracks, made.samples)):
        assert [describe_access_unit(pes) for pes in transport.pes] == [None] * len(transport.pes)
        assert all(pes.is_whole for pes in transport.pes)


def test_the_order_of_asking_does_not_matter() -> None:
    made = clip(b_frames=2)
    rendition = package(made.tracks, made.samples)
    forwards = [transport_stream(segment) for segment in rendition.listed]
    backwards = [transport_stream(segment) for segment in reversed(rendition.listed)]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("settings", CLIPS)
def test_the_size_is_known_before_the_stream_is_made(
    settings: dict[str, Any], track: int | None
) -> None:
    made = make(settings, track)
    for segment in package(made.tracks, made.samples).listed:
        actual = len(transport_stream(segment))
        assert actual <= expected_bytes(segment) <= actual * 1.1 + 16 * 188


def test_times_are_those_of_fmp4() -> None:
    made = clip(b_frames=2)
    rendition = package(made.tracks, made.samples)
    for segment, transport in zip(rendition.listed, read(rendition), strict=True):
        video = [pes for pes in transport.pes if pes.pid == PID_FIRST_MEDIA]
        assert [(pes.dts, pes.pts) for pes in video] == [
            (each.dts, each.dts + each.composition_offset) for each in segment.run(0)
        ]


def test_times_wrap_after_33_bits() -> None:
    begin = WRAP - START
    samples = interleaved(
        pictures(120, begin=begin, keyframe_every=60), sounds(180, begin=begin * 48 // 90 + 1)
    )
    transports = read_made((VIDEO, AUDIO), samples)
    check_clock(transports)
    check_counters(transports)
    video = [each.dts for each in transports[0].pes if each.pid == PID_FIRST_MEDIA]
    assert video[:2] == [begin, begin + 3000]
    assert transports[1].pes[0].dts == (begin + 180_000) % WRAP


def test_audio_that_is_earlier_than_the_keyframe_does_not_come_before_it() -> None:
    samples = interleaved(pictures(120), sounds(180), audio_late_s=0.3)
    transports = read_made((VIDEO, AUDIO), samples)
    early = [pes.dts for pes in transports[1].pes if pes.pid != PID_FIRST_MEDIA]
    assert min(early) < transports[1].pes[0].dts
    assert first_media(transports[1]).pid == PID_FIRST_MEDIA
    check_counters(transports)
    check_clock(transports)


def test_frames_that_begin_together_are_presented_in_their_order() -> None:
    twins = [picture(START, key=True), picture(START), picture(START), picture(START + 3000)]
    transport = read_made((VIDEO,), [(0, each) for each in twins])[0]
    assert [pes.dts for pes in transport.pes] == [START, START + 1, START + 2, START + 3000]
    assert all(pes.pts >= pes.dts for pes in transport.pes)


def test_a_picture_is_never_decoded_after_it_is_shown() -> None:
    offsets = [0, 6000, -3000, -3000, 0]
    frames = [
        Sample(Ticks(START + 3000 * number), Ticks(offset), Ticks(3000), number == 0, b"\0\0\0\1A")
        for number, offset in enumerate(offsets)
    ]
    transport = read_made((VIDEO,), [(0, each) for each in frames])[0]
    for pes, frame in zip(transport.pes, frames, strict=True):
        assert pes.dts <= pes.pts
        assert abs(pes.pts - frame.dts - frame.composition_offset) <= 2


def test_segments_without_video_keep_the_clock_and_the_counters() -> None:
    samples = interleaved(pictures(30, keyframe_every=9999), sounds(700))
    transports = read_made((VIDEO, AUDIO), samples)
    assert all(pes.pid != PID_FIRST_MEDIA for pes in transports[-1].pes)
    check_counters(transports)
    check_clock(transports)


def test_segments_without_audio_keep_the_counters() -> None:
    transports = read_made((VIDEO, AUDIO), interleaved(pictures(180), sounds(20)))
    assert all(pes.pid == PID_FIRST_MEDIA for pes in transports[-1].pes)
    check_counters(transports)


def test_audio_after_a_gap_begins_a_pes_packet_of_its_own() -> None:
    before = [sound(48_000), sound(49_024, duration=9_000)]
    samples = [(0, each) for each in [*before, *sounds(3, begin=58_024)]]
    transport = read_made((AUDIO,), samples)[0]
    assert [pes.pts for pes in transport.pes] == [START, 58_024 * 90 // 48]


def test_one_byte_of_audio_is_enough_for_sixteen_packets() -> None:
    only_one = Sample(Ticks(48_000), Ticks(0), Ticks(1024), True, b"\x21")
    transport = read_made((AUDIO,), [(0, only_one)])[0]
    counters = [each.counter for each in transport.packets if each.pid == PID_FIRST_MEDIA]
    assert counters == list(range(16))
    assert transport.pes[0].payload[7:] == b"\x21"


def test_empty_frames_are_left_out() -> None:
    frames = [picture(START, key=True), picture(START + 3000, payload=b""), picture(START + 6000)]
    transport = read_made((VIDEO,), [(0, each) for each in frames])[0]
    assert [pes.dts for pes in transport.pes] == [START, START + 6000]


def test_nothing_but_empty_frames_is_no_transport_stream() -> None:
    rendition = package((VIDEO,), [(0, picture(START, key=True, payload=b""))])
    with pytest.raises(MediaError):
        transport_stream(rendition.listed[0])
    assert rendition.find_ts(f"{rendition.listed[0].stem}.ts") is None


def test_a_frame_too_long_for_adts_is_left_out() -> None:
    long = Sample(Ticks(48_000), Ticks(0), Ticks(1024), True, bytes(8192))
    transport = read_made((AUDIO,), [(0, long), (0, sound(49_024))])[0]
    assert sum(len(run.frames) for run in transport.runs) == 1


def test_audio_that_adts_cannot_say_is_refused_with_a_reason() -> None:
    assert "ADTS" in (refusal((VIDEO, UNFIT_AUDIO)) or "")
    assert refusal((VIDEO, AUDIO)) is None


def test_parameter_sets_in_the_stream_are_not_doubled() -> None:
    configuration = VIDEO.configuration
    assert isinstance(configuration, AvcConfiguration)
    units = [configuration.sps[0], configuration.pps[0], b"\x65key"]
    payload = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    unit = annex_b(configuration, payload, is_sync=True)
    assert unit.count(configuration.sps[0]) == 1


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        pytest.param("00000002419a", ["419a"], id="whole"),
        pytest.param("0000000209f000000002419a", ["419a"], id="with a delimiter"),
        pytest.param("00000002419a0000000941", ["419a"], id="a length beyond the end"),
        pytest.param("0000000000000002419a", ["419a"], id="a unit of no bytes"),
        pytest.param("00000002419a0000", ["419a"], id="half a length"),
        pytest.param("ffffffff41", [], id="nothing that is whole"),
    ],
)
def test_lengths_become_start_codes(payload: str, kept: list[str]) -> None:
    configuration = VIDEO.configuration
    assert isinstance(configuration, AvcConfiguration)
    written = annex_b(configuration, bytes.fromhex(payload), is_sync=False)
    assert written == ACCESS_UNIT_DELIMITER + b"".join(
        b"\0\0\0\1" + bytes.fromhex(unit) for unit in kept
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(-9_000, 90_000), st.binary(max_size=900)),
        min_size=1,
        max_size=30,
    ),
    st.lists(st.binary(max_size=700), max_size=40),
    st.integers(0, WRAP),
)
def test_whatever_was_published_makes_whole_packets_in_order(
    rows: list[tuple[int, int, bytes]], audio: list[bytes], begin: int
) -> None:
    samples: list[tuple[int, Sample]] = []
    at = begin
    for number, (step, offset, payload) in enumerate(rows):
        frame = Sample(Ticks(at), Ticks(offset), Ticks(step), number == 0, b"\0\0\0\1A" + payload)
        samples.append((0, frame))
        at += step
    first = -(-begin * 48 // 90)
    for number, payload in enumerate(audio):
        sounding = Sample(Ticks(first + number * 1024), Ticks(0), Ticks(1024), True, payload)
        samples.append((1, sounding))
    samples.sort(key=lambda entry: entry[1].dts / (90_000, 48_000)[entry[0]])
    transports = [
        read_transport(transport_stream(each)) for each in _with_video(package_all(samples))
    ]
    check_counters(transports)
    for transport in transports:
        assert first_media(transport).pid == PID_FIRST_MEDIA


def package_all(samples: list[tuple[int, Sample]]) -> Rendition:
    return package((VIDEO, AUDIO), samples)


def _with_video(rendition: Rendition) -> list[Segment]:
    return [segment for segment in rendition.listed if segment.run(0)]
