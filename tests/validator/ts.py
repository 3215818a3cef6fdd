"""A reader of MPEG transport streams (ISO/IEC 13818-1): packets, tables, PES and what is in them.

One segment at a time, since a segment has to stand alone; what holds from one segment to the
next (continuity counters, clocks) is the rules' to compare. Times are as they are in the stream,
modulo 2**33; ``reading`` continues them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tests.validator.elementary import (
    NAL_AUD,
    NAL_IDR,
    NAL_PPS,
    NAL_SPS,
    Adts,
    AudioFormat,
    Picture,
    is_recovery_point,
    nal_units_by_start_code,
    read_adts,
    read_mp3,
    read_sps,
)
from tests.validator.errors import UnreadableError
from tests.validator.media import Frame, Kind, Run

PACKET = 188
SYNC_BYTE = 0x47
PID_PAT = 0
PID_NULL = 0x1FFF
SERVICE_PIDS = range(0x10, 0x20)
"""DVB's tables (ETSI EN 300 468, 5.1.3), of which muxers like to send a few."""
CLOCK = 90_000
WRAP = 2**33

STREAM_MP3 = (0x03, 0x04)
STREAM_AAC = 0x0F
STREAM_AVC = 0x1B


class Packet(NamedTuple):
    """A transport packet."""

    pid: int
    starts: bool
    """payload_unit_start_indicator."""
    counter: int
    discontinuity: bool
    random_access: bool
    pcr: int | None
    """In ticks of 90 kHz."""
    payload: bytes
    """Empty where there is none."""
    has_payload: bool


@dataclass(frozen=True, slots=True)
class Pes:
    """A PES packet; ``first`` is the index of its first transport packet."""

    pid: int
    first: int
    pts: int
    dts: int
    is_whole: bool
    """Its length, where it gives one, is the length of what is there."""
    payload: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """What the PMT says."""

    pid: int
    pcr_pid: int
    streams: dict[int, int]
    """Stream type by PID."""

    def pids(self, kind: Kind) -> list[int]:
        return [pid for pid, stream in self.streams.items() if _kind(stream) is kind]


@dataclass(frozen=True, slots=True)
class Transport:
    """A segment, read."""

    packets: tuple[Packet, ...]
    program: Program
    pes: tuple[Pes, ...]
    """In the order in which they begin."""
    runs: tuple[Run, ...]


@lru_cache(maxsize=128)  # one broken session differs from the next in a few bodies
def read_transport(data: bytes, picture: Picture | None = None) -> Transport:
    """Read a whole segment.

    It has to be playable from its start, or else ``UnreadableError`` is raised; only where no
    picture in it can be decoded alone may it rely on ``picture``, that of the segment before.
    """
    packets = tuple(read_packets(data))
    program = _read_program(packets)
    pes = tuple(_gather(packets, program))
    runs = tuple(_read_run(pid, stream, pes, picture) for pid, stream in program.streams.items())
    return Transport(packets, program, pes, tuple(run for run in runs if run is not None))


def read_packets(data: bytes) -> Iterator[Packet]:
    """Split into packets (2.4.3.2)."""
    if len(data) % PACKET or not data:
        raise UnreadableError(f"{len(data)} bytes are no whole number of packets")
    for at in range(0, len(data), PACKET):
        yield _read_packet(data[at : at + PACKET], at)


def _read_packet(packet: bytes, at: int) -> Packet:
    if packet[0] != SYNC_BYTE:
        raise UnreadableError(f"no sync byte at {at}")
    pid = (packet[1] & 0x1F) << 8 | packet[2]
    control = packet[3] >> 4 & 3
    flags, pcr, begin = 0, None, 4
    if control & 2:
        length = packet[4]
        begin = 5 + length
        if begin > PACKET:
            raise UnreadableError(f"adaptation field of {length} bytes at {at}")
        flags = packet[5] if length else 0
        if flags & 0x10:
            pcr = int.from_bytes(packet[6:11], "big") >> 7
    payload = packet[begin:] if control & 1 else b""
    return Packet(
        pid=pid,
        starts=bool(packet[1] & 0x40),
        counter=packet[3] & 15,
        discontinuity=bool(flags & 0x80),
        random_access=bool(flags & 0x40),
        pcr=pcr,
        payload=payload,
        has_payload=bool(control & 1),
    )


def _read_program(packets: tuple[Packet, ...]) -> Program:
    pat = _section(packets, PID_PAT)
    programs = [pat[at : at + 4] for at in range(8, len(pat) - 4, 4)]
    pids = [int.from_bytes(row[2:], "big") & 0x1FFF for row in programs if row[:2] != b"\0\0"]
    if len(pids) != 1:
        raise UnreadableError(f"{len(pids)} programs")
    pmt = _section(packets, pids[0])
    pcr_pid = int.from_bytes(pmt[8:10], "big") & 0x1FFF
    at = 12 + (int.from_bytes(pmt[10:12], "big") & 0xFFF)
    streams = {}
    while at < len(pmt) - 4:
        streams[int.from_bytes(pmt[at + 1 : at + 3], "big") & 0x1FFF] = pmt[at]
        at += 5 + (int.from_bytes(pmt[at + 3 : at + 5], "big") & 0xFFF)
    return Program(pids[0], pcr_pid, streams)


def _section(packets: tuple[Packet, ...], pid: int) -> bytes:
    """The first table section on ``pid`` (2.4.4); tables of one packet are all there is here."""
    for packet in packets:
        if packet.pid == pid and packet.starts:
            body = packet.payload[1 + packet.payload[0] :]
            section = body[: 3 + (int.from_bytes(body[1:3], "big") & 0xFFF)]
            if crc32(section) != 0:
                raise UnreadableError(f"table on PID {pid} with a wrong checksum")
            return section
    raise UnreadableError(f"no table on PID {pid}")


def crc32(data: bytes) -> int:
    """CRC_32 of annex A; 0 over a section that carries its own."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 1 << 31 else 0)) & 0xFFFFFFFF
    return value


def _gather(packets: tuple[Packet, ...], program: Program) -> Iterator[Pes]:
    begun: dict[int, int] = {}
    bodies: dict[int, bytearray] = {}
    found: list[tuple[int, int, bytes]] = []
    for index, packet in enumerate(packets):
        if packet.pid not in program.streams or not packet.has_payload:
            continue
        if packet.starts:
            if packet.pid in begun:
                found.append((begun[packet.pid], packet.pid, bytes(bodies[packet.pid])))
            begun[packet.pid], bodies[packet.pid] = index, bytearray()
        elif packet.pid not in begun:
            raise UnreadableError(f"PID {packet.pid} begins in the middle of a PES packet")
        bodies[packet.pid] += packet.payload
    found += [(first, pid, bytes(bodies[pid])) for pid, first in begun.items()]
    for first, pid, body in sorted(found):
        yield _read_pes(body, pid, first)


def _read_pes(body: bytes, pid: int, first: int) -> Pes:
    """A PES header (2.4.3.6)."""
    if body[:3] != b"\0\0\1" or len(body) < 9:
        raise UnreadableError(f"PES packet on PID {pid} without a start code")
    length, flags = int.from_bytes(body[4:6], "big"), body[7] >> 6
    if not flags & 2:
        raise UnreadableError(f"PES packet on PID {pid} without a PTS")
    pts = _timestamp(body[9:14])
    dts = _timestamp(body[14:19]) if flags == 3 else pts
    is_whole = length in (0, len(body) - 6)
    return Pes(pid, first, pts, dts, is_whole, body[9 + body[8] :])


def _timestamp(field: bytes) -> int:
    """33 bits in three pieces, with marker bits between them."""
    value = int.from_bytes(field, "big")
    return (value >> 33 & 7) << 30 | (value >> 17 & 0x7FFF) << 15 | value >> 1 & 0x7FFF


def _kind(stream: int) -> Kind | None:
    if stream == STREAM_AVC:
        return Kind.VIDEO
    return Kind.AUDIO if stream == STREAM_AAC or stream in STREAM_MP3 else None


def _read_run(pid: int, stream: int, pes: tuple[Pes, ...], before: Picture | None) -> Run | None:
    mine = [each for each in pes if each.pid == pid]
    kind = _kind(stream)
    if kind is None:
        raise UnreadableError(f"stream type {stream:#x}")
    if not mine:
        return None
    if kind is Kind.VIDEO:
        frames = tuple(_video_frame(each) for each in mine)
        is_dependent = not any(frame.is_sync for frame in frames)
        picture = _read_picture(mine, before if is_dependent else None)
        return Run(pid, kind, CLOCK, frames, picture)
    frames, form = _read_audio(mine, stream)
    return Run(pid, kind, CLOCK, frames, form)


def video_nals(pes: Pes) -> list[bytes]:
    """The NAL units of an access unit."""
    return [nal for nal in nal_units_by_start_code(pes.payload) if nal]


def _read_picture(pes: list[Pes], before: Picture | None) -> Picture:
    found = {read_sps(nal) for each in pes for nal in video_nals(each) if nal[0] & 31 == NAL_SPS}
    if not found and before is not None:
        return before
    if len(found) != 1:
        raise UnreadableError(f"{len(found)} different pictures in the segment")
    return found.pop()


def _video_frame(pes: Pes) -> Frame:
    nals = video_nals(pes)
    is_sync = any(nal[0] & 31 == NAL_IDR or is_recovery_point(nal) for nal in nals)
    return Frame(pes.dts, pes.pts, None, is_sync)


def audio_frames(pes: Pes, stream: int) -> Iterator[Adts]:
    """The frames of an audio PES packet, which has to hold whole ones."""
    at = 0
    while at < len(pes.payload):
        frame = read_adts(pes.payload, at) if stream == STREAM_AAC else read_mp3(pes.payload, at)
        yield frame
        at += frame.size


def _read_audio(pes: list[Pes], stream: int) -> tuple[tuple[Frame, ...], AudioFormat]:
    """Frames of one PES packet follow the first by the length of a frame (2.7.4)."""
    frames = []
    form: AudioFormat | None = None
    for each in pes:
        for index, frame in enumerate(audio_frames(each, stream)):
            form = form or frame.format
            if frame.format != form:
                raise UnreadableError(f"audio changes from {form} to {frame.format}")
            length = CLOCK * form.frame_samples
            at = (each.pts + index * length // form.sample_rate) % WRAP
            frames.append(Frame(at, at, round(length / form.sample_rate), True))
    if form is None:
        raise UnreadableError("audio without a frame")
    return tuple(frames), form


def describe_access_unit(pes: Pes) -> str | None:
    """What is wrong with the order of NAL units, if anything is."""
    kinds = [nal[0] & 31 for nal in video_nals(pes)]
    if kinds[:1] != [NAL_AUD]:
        return "access unit without a delimiter before it"
    if kinds.count(NAL_AUD) > 1:
        return "more than one access unit in a PES packet"
    if NAL_IDR in kinds:
        before = kinds[: kinds.index(NAL_IDR)]
        if NAL_SPS not in before or NAL_PPS not in before:
            return "IDR without parameter sets before it"
    return None
