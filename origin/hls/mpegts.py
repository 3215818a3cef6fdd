"""A segment as a transport stream, made when someone asks for it.

This is the one module that feeds PyAV's muxer. It gets memory and a fixed format, never a name
or an address, and clean samples only: its muxers stop for good at a step back in DTS, so times
are made to rise strictly here, and no later than presentation, whatever the publisher sent.
What it writes is finished by ``hls.ts_packets``.

Times are the fMP4 timeline's, modulo 2**33 (ISO/IEC 13818-1, 2.4.3.7): the same presentation,
so a player may change between the two.
"""

import io
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from origin.errors import MediaError
from origin.hls.cuts import choose_leader
from origin.hls.elementary import ADTS_HEADER_BYTES, adts, annex_b
from origin.hls.segment import Segment
from origin.hls.ts_packets import (
    COUNTER_CYCLE,
    LONGEST_PCR_GAP,
    PACKET_BYTES,
    PAYLOAD_BYTES,
    PID_FIRST_MEDIA,
    PID_PMT,
    settle,
)
from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import Codec, MediaKind
from origin.media.configuration import AudioConfiguration, VideoConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.sample import Sample
from origin.media.timebase import VIDEO_TIMESCALE
from origin.media.track import Track

CARRIED = frozenset({Codec.AVC, Codec.AAC, Codec.MP3})
NAMES = {
    Codec.HEVC: "HEVC", Codec.AV1: "AV1", Codec.VP9: "VP9", Codec.OPUS: "Opus",
    Codec.FLAC: "FLAC", Codec.AC3: "AC-3", Codec.EAC3: "E-AC-3",
}  # fmt: skip
TIME_BASE = Fraction(1, VIDEO_TIMESCALE)
MUXER_OPTIONS = {
    "mpegts_copyts": "1",  # else a constant is added to all times
    "max_delay": "0",  # else small audio packets are put together again
    "mpegts_pmt_start_pid": str(PID_PMT),
    "mpegts_start_pid": str(PID_FIRST_MEDIA),
    "pes_payload_size": "0",  # one PES packet per packet that we hand over
    "pat_period": "3600",
    "sdt_period": "3600",
}
LONGEST_PES_HEADER = 19 + 8  # with PTS and DTS, and an adaptation field with a PCR
ANNEX_B_EXTRA = 10  # a delimiter, and a start code in place of the length
TABLE_PACKETS = 2
MOST_SOONER = VIDEO_TIMESCALE // 4
"""By so much one picture of several is decoded before another: a few frames that are reordered."""


class AccessUnit(NamedTuple):
    """What becomes one PES packet; times in ticks of 90 kHz."""

    dts: int
    pts: int
    stream: int
    is_sync: bool
    data: bytes


def refusal(tracks: Sequence[Track]) -> str | None:
    """Say why these tracks cannot be carried in a transport stream; None if they can."""
    for track in tracks:
        configuration = track.configuration
        if configuration.codec not in CARRIED:
            name = NAMES[configuration.codec]
            return f"{name} is not offered in MPEG-TS: players that need TS do not play it"
        if isinstance(configuration, AacConfiguration) and configuration.adts_index is None:
            return "this kind of AAC cannot be written as ADTS, which MPEG-TS needs"
    return None


def transport_stream(segment: Segment) -> bytes:
    """Make the transport stream of a segment whose tracks are not refused."""
    order = _clock_first(segment.tracks)
    units = [
        unit
        for stream, index in enumerate(order)
        for unit in _access_units(segment.tracks[index], segment.run(index), stream)
    ]
    muxed = _mux([segment.tracks[index] for index in order], sorted(units))
    end = segment.start + segment.duration
    return settle(
        muxed,
        sequence=segment.msn,
        media_pids=len(order),
        begins_at=segment.start * VIDEO_TIMESCALE // segment.timescale,
        ends_at=_end_of_clock(segment, order[0], end * VIDEO_TIMESCALE // segment.timescale),
    )


def _end_of_clock(segment: Segment, index: int, ends_at: int) -> int:
    """Return when the next segment's clock begins: of a picture that is decoded sooner, sooner."""
    run = segment.run(index)
    if not run or segment.tracks[index].kind is not MediaKind.VIDEO:
        return ends_at
    own = run[-1].dts + run[-1].duration
    return own if ends_at - MOST_SOONER <= own < ends_at else ends_at


def expected_bytes(segment: Segment) -> int:
    """Return how large the segment's transport stream will be, or slightly more.

    BANDWIDTH must be known without making it.
    """
    total = TABLE_PACKETS
    order = _clock_first(segment.tracks)
    for index in order:
        sizes = _pes_sizes(segment.tracks[index], segment.run(index))
        packets = sum([-(-(size + LONGEST_PES_HEADER) // PAYLOAD_BYTES) for size in sizes])
        total += -(-packets // COUNTER_CYCLE) * COUNTER_CYCLE
    return (total + _clock_packets(segment, segment.run(order[0]))) * PACKET_BYTES


def _clock_packets(segment: Segment, run: Sequence[Sample]) -> int:
    """Count the packets that carry only the clock, between frames that are far apart."""
    longest = LONGEST_PCR_GAP * segment.timescale / VIDEO_TIMESCALE
    gaps = [sample.duration for sample in run] or [segment.duration]
    return sum([math.ceil(gap / longest) for gap in gaps if gap > longest])


def _clock_first(tracks: Sequence[Track]) -> list[int]:
    """List the tracks' indexes, the one that carries the clock first."""
    leader = choose_leader(tracks)
    return [leader, *(index for index in range(len(tracks)) if index != leader)]


def _access_units(track: Track, run: Sequence[Sample], stream: int) -> Iterator[AccessUnit]:
    configuration = track.configuration
    if isinstance(configuration, AvcConfiguration):
        return _pictures(configuration, run, stream)
    assert isinstance(configuration, AudioConfiguration), "refused"
    return _sounds(configuration, run, stream)


def _pictures(
    configuration: AvcConfiguration, run: Sequence[Sample], stream: int
) -> Iterator[AccessUnit]:
    previous = None
    for sample in run:
        if not sample.payload:
            continue
        pts = sample.dts + sample.composition_offset
        dts = min(sample.dts, pts)
        if previous is not None and dts <= previous:
            dts = previous + 1
        previous = dts
        data = annex_b(configuration, sample.payload, is_sync=sample.is_sync)
        yield AccessUnit(dts, max(pts, dts), stream, sample.is_sync, data)


def _sounds(
    configuration: AudioConfiguration, run: Sequence[Sample], stream: int
) -> Iterator[AccessUnit]:
    previous = -1
    for group in _groups(configuration, run):
        dts = group[0].dts * VIDEO_TIMESCALE // configuration.sample_rate
        dts = previous = max(dts, previous + 1)
        if isinstance(configuration, AacConfiguration):
            data = b"".join([adts(configuration, sample.payload) for sample in group])
        else:
            data = b"".join([sample.payload for sample in group])
        if data:
            yield AccessUnit(dts, dts, stream, True, data)


def _groups(configuration: AudioConfiguration, run: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Gather frames that follow one another without a gap into PES packets.

    Only the first one's time is written, so a frame that does not follow begins another; and
    where there is no video, each of them carries a PCR.
    """
    longest = LONGEST_PCR_GAP * configuration.sample_rate // VIDEO_TIMESCALE
    frame = configuration.samples_per_frame
    group: list[Sample] = []
    for sample in run:
        if not sample.payload:
            continue
        if group:
            length = len(group) * frame
            if length + frame > longest or sample.dts != group[0].dts + length:
                yield group
                group = []
        group.append(sample)
    if group:
        yield group


def _pes_sizes(track: Track, run: Sequence[Sample]) -> list[int]:
    configuration = track.configuration
    if isinstance(configuration, VideoConfiguration):
        if not isinstance(configuration, AvcConfiguration):
            return []  # refused: nobody will ask
        parameter_sets = sum(len(unit) + 4 for unit in configuration.sps + configuration.pps)
        return [
            len(sample.payload) + ANNEX_B_EXTRA + (parameter_sets if sample.is_sync else 0)
            for sample in run
        ]
    return [
        sum([len(sample.payload) + ADTS_HEADER_BYTES for sample in group])
        for group in _groups(configuration, run)
    ]


def _mux(tracks: Sequence[Track], units: Sequence[AccessUnit]) -> bytes:
    output = io.BytesIO()
    try:
        with av.open(output, "w", format="mpegts", options=MUXER_OPTIONS) as container:
            streams = [_add_stream(container, track) for track in tracks]
            for unit in units:
                packet = Packet(unit.data)
                packet.stream = streams[unit.stream]
                packet.time_base = TIME_BASE
                packet.dts, packet.pts = unit.dts, unit.pts
                packet.is_keyframe = unit.is_sync
                container.mux_one(packet)  # pyright: ignore[reportUnknownMemberType]
    except FFmpegError as error:
        raise MediaError(f"the segment cannot be written as MPEG-TS: {error}") from error
    return output.getvalue()


def _add_stream(container: OutputContainer, track: Track) -> Stream:
    """Add a stream without a codec context: nothing here encodes."""
    match track.configuration:
        case AvcConfiguration():
            name, rate = "h264", None
        case AacConfiguration(sample_rate=rate):
            name = "aac"
        case Mp3Configuration(sample_rate=rate):
            name = "mp3"
        case _:
            raise MediaError(refusal([track]) or "unknown tracks")
    return container.add_mux_stream(name, rate)  # pyright: ignore[reportUnknownMemberType]
