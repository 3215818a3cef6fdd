"""Broken sessions of T1: mistakes in the packets of MPEG-TS, and audio that moves (P6)."""

from collections.abc import Callable
from dataclasses import replace

from tests.validator.breaking import packaged, sent, with_bodies, with_body
from tests.validator.content import Broadcast, Domain, ts_broadcast
from tests.validator.ts import PACKET, crc32

VIDEO_PID, AUDIO_PID = 0x100, 0x101
"""Of FFmpeg's muxer."""
PID_SDT = 17
PMT_PID = 0x1000


def packets_of(body: bytes) -> list[bytearray]:
    return [bytearray(body[at : at + PACKET]) for at in range(0, len(body), PACKET)]


def pid_of(packet: bytearray) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def each_packet(change: Callable[[int, bytearray], None]) -> Callable[[bytes], bytes]:
    """Change the packets in place, knowing their index."""

    def apply(body: bytes) -> bytes:
        packets = packets_of(body)
        for index, packet in enumerate(packets):
            change(index, packet)
        return b"".join(packets)

    return apply


def has_pcr(packet: bytearray) -> bool:
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x10)


def without_tables(body: bytes) -> bytes:
    return b"".join(packet for packet in packets_of(body) if pid_of(packet) >= VIDEO_PID)


def tables_behind(body: bytes) -> bytes:
    """The first packet of the video comes before the tables."""
    packets = packets_of(body)
    first = next(packet for packet in packets if pid_of(packet) == VIDEO_PID)
    packets.remove(first)
    return b"".join([first, *packets])


def unknown_pid(_: int, packet: bytearray) -> None:
    """The service description comes as a stream that is in no table."""
    if pid_of(packet) == PID_SDT:
        packet[1:3] = b"\x01\x99"


def counter_off(index: int, packet: bytearray) -> None:
    if index == 40:
        packet[3] ^= 8


def counters_restart(_: int, packet: bytearray) -> None:
    """Each segment is muxed by itself: the counters of this one are others."""
    packet[3] = packet[3] & 0xF0 | packet[3] + 5 & 0x0F


def rare_clock(_: int, packet: bytearray) -> None:
    """Only pictures where decoding can begin have a PCR."""
    if has_pcr(packet) and not packet[5] & 0x40:
        packet[5] &= ~0x10 & 0xFF


def slow_clock(body: bytes) -> bytes:
    """Three of four PCRs are left out."""
    packets = packets_of(body)
    for index, packet in enumerate([packet for packet in packets if has_pcr(packet)]):
        if index % 4:
            packet[5] &= ~0x10 & 0xFF
    return b"".join(packets)


def with_section(packet: bytearray, change: Callable[[bytearray], None]) -> None:
    """Change a table and make its checksum anew."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    at += 1 + packet[at]
    end = at + 3 + (int.from_bytes(packet[at + 1 : at + 3], "big") & 0xFFF)
    section = packet[at : end - 4]
    change(section)
    packet[at:end] = section + crc32(bytes(section)).to_bytes(4, "big")


def clock_of_the_audio(_: int, packet: bytearray) -> None:
    """The PMT says that the PCR is on the audio's PID, where it is not."""

    def change(section: bytearray) -> None:
        section[8:10] = bytes([0xE0 | AUDIO_PID >> 8, AUDIO_PID & 0xFF])

    if pid_of(packet) == PMT_PID:
        with_section(packet, change)


def audio_elsewhere(_: int, packet: bytearray) -> None:
    """The audio moves to the next PID."""

    def change(section: bytearray) -> None:
        at = section.index(bytes([0x0F, 0xE0 | AUDIO_PID >> 8, AUDIO_PID & 0xFF]))
        section[at + 2] += 1

    if pid_of(packet) == PMT_PID:
        with_section(packet, change)
    elif pid_of(packet) == AUDIO_PID:
        packet[2] += 1


def moved_audio(broadcast: Broadcast) -> Broadcast:
    pieces = list(broadcast.pieces)
    for index in range(3, 6):
        body = each_packet(audio_elsewhere)(pieces[index].body)
        pieces[index] = replace(pieces[index], body=body)
    return replace(broadcast, pieces=tuple(pieces))


def wrong_checksum(_: int, packet: bytearray) -> None:
    if pid_of(packet) == PMT_PID:
        packet[8] ^= 1


def wrong_length(body: bytes) -> bytes:
    """An audio PES packet that says that it is longer than it is."""
    packets = packets_of(body)
    first = next(each for each in packets if pid_of(each) == AUDIO_PID and each[1] & 0x40)
    at = first.index(b"\0\0\1\xc0") + 4
    first[at + 1] ^= 1
    return b"".join(packets)


def no_sync_byte(index: int, packet: bytearray) -> None:
    if index == 40:
        packet[0] = 0


def late_clock(_: int, packet: bytearray) -> None:
    """Every PCR is two seconds later than it should be."""
    if has_pcr(packet):
        base = (int.from_bytes(packet[6:11], "big") >> 7) + 180_000
        packet[6:11] = (base << 7 | packet[10] & 0x7F).to_bytes(5, "big")


def no_random_access(_: int, packet: bytearray) -> None:
    if packet[3] & 0x20 and packet[4]:
        packet[5] &= ~0x40 & 0xFF


def no_first_clock(body: bytes) -> bytes:
    packets = packets_of(body)
    first = next(packet for packet in packets if has_pcr(packet))
    first[5] &= ~0x10 & 0xFF
    return b"".join(packets)


def delimiters_replaced(body: bytes) -> bytes:
    """The access unit delimiters become filler."""
    return body.replace(b"\0\0\0\x01\x09\xf0", b"\0\0\0\x01\x0c\xf0")


def parameters_replaced(body: bytes) -> bytes:
    """The picture parameter sets become filler, so the IDR has none."""
    return body.replace(b"\0\0\0\x01\x68", b"\0\0\0\x01\x6c").replace(
        b"\0\0\x01\x68", b"\0\0\x01\x6c"
    )


def audio_astray(domain: Domain) -> Broadcast:
    """The last packet of audio comes with the next segment."""
    broadcast = ts_broadcast([domain])
    pieces = list(broadcast.pieces)
    packets = packets_of(pieces[2].body)
    last = next(each for each in reversed(packets) if pid_of(each) == AUDIO_PID)
    packets.remove(last)
    pieces[2] = replace(pieces[2], body=b"".join(packets))
    pieces[3] = replace(pieces[3], body=bytes(last) + pieces[3].body)
    return replace(broadcast, pieces=tuple(pieces))


def adts_broken(body: bytes) -> bytes:
    """One audio frame without its header."""
    packets = packets_of(body)
    first = next(each for each in packets if pid_of(each) == AUDIO_PID)
    at = first.index(b"\xff\xf1")
    first[at] = 0
    return b"".join(packets)


TS = [
    sent("T1", "a clock that is told too slowly", with_body(2, slow_clock), "ts"),
    sent("T1", "a clock on another PID", with_bodies(each_packet(clock_of_the_audio)), "ts"),
    sent("T1", "a table with a wrong checksum", with_body(2, each_packet(wrong_checksum)), "ts"),
    sent("T1", "a PES packet of a wrong length", with_body(2, wrong_length), "ts"),
    sent("T1", "a packet without its sync byte", with_body(2, each_packet(no_sync_byte)), "ts"),
    sent("P6", "audio that moves without DISCONTINUITY", moved_audio, "ts"),
    sent("T1", "no tables", with_body(2, without_tables), "ts"),
    sent("T1", "tables behind the first picture", with_body(2, tables_behind), "ts"),
    sent("T1", "a stream that is in no table", with_bodies(each_packet(unknown_pid)), "ts"),
    sent("T1", "a counter that is off", with_body(2, each_packet(counter_off)), "ts"),
    sent("T1", "counters that start again", with_body(2, each_packet(counters_restart)), "ts"),
    sent("T1", "a clock that is told rarely", with_bodies(each_packet(rare_clock)), "ts"),
    sent("T1", "a clock that is ahead of its pictures", with_bodies(each_packet(late_clock)), "ts"),
    sent("T1", "a segment without a clock at first", with_body(2, no_first_clock), "ts"),
    sent("T1", "no random access", with_body(2, each_packet(no_random_access)), "ts"),
    sent("T1", "no delimiters", with_body(2, delimiters_replaced), "ts"),
    sent("T1", "an IDR without parameters", with_body(2, parameters_replaced), "ts"),
    sent("T1", "a packet that is cut short", with_body(2, lambda body: body[:-1]), "ts"),
    packaged("T1", "audio that straddles segments", audio_astray),
    sent("T1", "audio without a header", with_body(2, adts_broken), "ts"),
]
