"""Broken sessions of F1 to F5, T1 and W2: mistakes in the media itself."""

from collections.abc import Callable
from dataclasses import replace

from tests.validator.breaking import (
    Broken,
    FrameChange,
    Stage,
    in_parts,
    packaged,
    reframed,
    sent,
    with_bodies,
    with_body,
    with_frames,
)
from tests.validator.content import Broadcast, Domain, Track, fmp4_broadcast, ts_broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.fmp4_writer import (
    NOT_SYNC,
    CodedFrame,
    Odd,
    box,
    write_init,
)
from tests.validator.media import Kind
from tests.validator.session import Session
from tests.validator.ts import PACKET, crc32

FRAME = 3000
"""A picture at 30 per second, in ticks."""
GOP = 60
VIDEO_PID, AUDIO_PID = 0x100, 0x101
"""Of FFmpeg's muxer."""
PID_SDT = 17
PMT_PID = 0x1000
NAL_LENGTH = 4
PAUSE_AT = 110


# fMP4


def oddly(**mistakes: object) -> Callable[[Domain], Broadcast]:
    """Package with one of the writer's mistakes."""
    odd = replace(Odd(), **mistakes)  # type: ignore[arg-type]  # the tables below name the fields
    return lambda domain: fmp4_broadcast([domain], odd)


def init_of_another_make(domain: Domain) -> Broadcast:
    """The same configuration, written in other bytes when the publisher comes back."""
    broadcast = fmp4_broadcast([domain, domain])
    ((name, init),) = broadcast.maps.items()
    other = write_init([track.spec for track in domain.tracks]).replace(
        bytes([0, 0, 0, 99]), b"\0\0\0\x09", 1
    )
    middle = len(broadcast.pieces) // 2
    pieces = [
        replace(piece, map_uri="init-0123456789ab.mp4") if index >= middle else piece
        for index, piece in enumerate(broadcast.pieces)
    ]
    maps = {name: init, "init-0123456789ab.mp4": other}
    return replace(broadcast, pieces=tuple(pieces), maps=maps)


def with_strange_parameters(index: int, frame: CodedFrame) -> CodedFrame:
    """A picture parameter set in the stream that is not the record's."""
    strange = bytes([0x68, 0xEE, 0x06, 0xE2, 0xC0])
    if index != GOP:
        return frame
    return frame._replace(
        payload=len(strange).to_bytes(NAL_LENGTH, "big") + strange + frame.payload
    )


def renumbered(body: bytes) -> bytes:
    """The first fragment says that it is another."""
    at = body.index(b"mfhd") + 8
    return body[:at] + bytes([0, 1, 2, 3]) + body[at + 4 :]


def longer_mdat(body: bytes) -> bytes:
    """A byte in the mdat that belongs to no sample."""
    at = body.rindex(b"mdat") - 4
    size = int.from_bytes(body[at : at + 4], "big")
    return body[:at] + (size + 1).to_bytes(4, "big") + body[at + 4 :] + b"\0"


def segment_that_is_not_its_parts(stage: Stage) -> Session:
    """A segment that carries a fragment's header of its own before its parts."""
    broadcast, fault = in_parts(stage.broadcasts["fmp4 video"], "1.00000")
    changed = with_body(1, lambda body: box(b"styp", b"msdh", bytes(4), b"msdh") + body)
    return record(FakeOrigin(changed(broadcast), fault))


def one_tick_late(index: int, frame: CodedFrame) -> CodedFrame:
    late = 1 if index >= 2 * GOP else 0
    return frame._replace(dts=frame.dts + late, pts=frame.pts + late)


def a_sample_short(index: int, frame: CodedFrame) -> CodedFrame:
    """Audio that is timed by something else than its samples."""
    return frame._replace(dts=frame.dts - index, pts=frame.pts - index, duration=frame.duration - 1)


def frames_of_a_tenth_of_a_second(index: int, frame: CodedFrame) -> CodedFrame:
    """As if each were a correction of the clock."""
    at = index * 4800
    return frame._replace(dts=at, pts=at, duration=4800)


def counted_in_ticks(domain: Domain) -> Broadcast:
    """Audio on the clock of the video."""
    video, audio = domain.tracks
    spec = replace(audio.spec, timescale=90_000)
    start = audio.frames[0].dts * 90_000 // 48_000
    frames = [
        frame._replace(dts=start + index * 1920, pts=start + index * 1920, duration=1920)
        for index, frame in enumerate(audio.frames)
    ]
    return fmp4_broadcast([replace(domain, tracks=(video, Track(spec, tuple(frames))))])


def shown_with_the_next(index: int, frame: CodedFrame) -> CodedFrame:
    return frame._replace(pts=frame.pts + FRAME) if index == GOP else frame


def gops_shown_later(index: int, frame: CodedFrame) -> CodedFrame:
    """Each GOP has another offset, as when each is muxed by itself."""
    return frame._replace(pts=frame.pts + index // GOP * FRAME)


def keyframe_denied(index: int, frame: CodedFrame) -> CodedFrame:
    return frame._replace(is_sync=False) if index == GOP else frame


def keyframe_pretended(index: int, frame: CodedFrame) -> CodedFrame:
    return frame._replace(is_sync=True) if index == GOP + 1 else frame


def flags_of_nothing(body: bytes) -> bytes:
    """Samples that are not sync, and do not say that they depend on others."""
    end = body.index(b"mdat")
    return body[:end].replace(NOT_SYNC.to_bytes(4, "big"), bytes([0, 1, 0, 0])) + body[end:]


def with_maps(change: Callable[[bytes], bytes]) -> Callable[[Broadcast], Broadcast]:
    return lambda broadcast: replace(
        broadcast, maps={name: change(body) for name, body in broadcast.maps.items()}
    )


def audio_off_by_a_byte(stage: Stage) -> Session:
    return record(FakeOrigin(fmp4_broadcast([stage.domains["audio"]], Odd(data_offset=1))))


FMP4 = [
    packaged("F1", "a track with a duration", oddly(track_duration=1000)),
    sent("F1", "a map that is cut short", with_maps(lambda body: body[:-4])),
    sent("F1", "a strange box in the map", with_maps(lambda body: body + box(b"free"))),
    sent("F1", "no defaults", with_maps(lambda body: body.replace(b"trex", b"free"))),
    Broken("F2", "audio that is off by a byte", audio_off_by_a_byte),
    packaged(
        "F5",
        "audio that is not sync",
        reframed(Kind.AUDIO, lambda _, frame: frame._replace(is_sync=False)),
    ),
    packaged("F1", "a brand missing", oddly(brands=(b"iso6", b"mp41"))),
    packaged("F1", "a movie with a duration", oddly(movie_duration=1000)),
    packaged("F1", "samples in the sample table", oddly(sample_rows=1)),
    packaged("F1", "other bytes for the same configuration", init_of_another_make),
    packaged(
        "F1",
        "parameter sets that the record has not",
        reframed(Kind.VIDEO, with_strange_parameters),
    ),
    packaged("F2", "a data offset that is off by one", oddly(data_offset=1)),
    packaged("F2", "a base that is not the moof", oddly(default_base_is_moof=False)),
    packaged("F2", "a decode time of 32 bits", oddly(decode_time_version=0)),
    sent("F2", "a sequence number out of order", with_body(2, renumbered)),
    sent("F2", "bytes that are in no sample", with_body(2, longer_mdat)),
    sent(
        "F2", "a strange box behind the fragments", with_body(2, lambda body: body + box(b"free"))
    ),
    sent(
        "F2",
        "a fragment without its mdat",
        with_body(2, lambda body: body[: body.rindex(b"mdat") - 4]),
    ),
    sent("F2", "a segment that is cut short", with_body(2, lambda body: body[:-9])),
    Broken("F2", "a segment that is not its parts", segment_that_is_not_its_parts),
    packaged("F3", "video that is late by a tick", reframed(Kind.VIDEO, one_tick_late)),
    packaged("F3", "audio that is late by a sample", reframed(Kind.AUDIO, one_tick_late)),
    packaged("F3", "audio frames of 1023 samples", reframed(Kind.AUDIO, a_sample_short)),
    packaged("F3", "audio counted in ticks of video", counted_in_ticks),
    packaged(
        "F3", "audio set right all the time", reframed(Kind.AUDIO, frames_of_a_tenth_of_a_second)
    ),
    packaged("F4", "an edit list", oddly(edit_list=True)),
    packaged("F4", "unsigned composition offsets", oddly(track_run_version=0)),
    packaged("F4", "two pictures at one time", reframed(Kind.VIDEO, shown_with_the_next)),
    packaged("F4", "offsets that grow with each GOP", reframed(Kind.VIDEO, gops_shown_later)),
    packaged("F5", "an IDR that is not flagged", reframed(Kind.VIDEO, keyframe_denied)),
    packaged("F5", "a flag without an IDR", reframed(Kind.VIDEO, keyframe_pretended)),
    sent("F5", "flags that say half", with_bodies(flags_of_nothing)),
]


# TS


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


# Both


def shifted(pid: int, ticks: int) -> Callable[[bytes], bytes]:
    """Every PTS of the track is later."""

    def shift(_: int, packet: bytearray) -> None:
        if pid_of(packet) != pid or not packet[1] & 0x40:
            return
        at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
        field = int.from_bytes(packet[at + 9 : at + 14], "big")
        pts = (field >> 33 & 7) << 30 | (field >> 17 & 0x7FFF) << 15 | field >> 1 & 0x7FFF
        pts += ticks
        pieces = (pts >> 30 & 7) << 33 | (pts >> 15 & 0x7FFF) << 17 | (pts & 0x7FFF) << 1
        packet[at + 9 : at + 14] = (field & 0xF1_0001_0001 | pieces).to_bytes(5, "big")

    return each_packet(shift)


def audio_late(ticks: int) -> Callable[[Broadcast], Broadcast]:
    """The audio of the first domain jumps, from its third segment on."""

    def apply(broadcast: Broadcast) -> Broadcast:
        pieces = list(broadcast.pieces)
        for index in range(2, 6):
            body = shifted(AUDIO_PID, ticks)(pieces[index].body)
            pieces[index] = replace(pieces[index], body=body)
        return replace(broadcast, pieces=tuple(pieces))

    return apply


def audio_for_a_while_gone(broadcast: Broadcast) -> Broadcast:
    """A segment without its audio, and counters that hide the loss."""
    pieces = list(broadcast.pieces)
    lost = 0
    for index in range(2, 6):
        packets = packets_of(pieces[index].body)
        audio = [packet for packet in packets if pid_of(packet) == AUDIO_PID]
        for packet in audio:
            packet[3] = packet[3] & 0xF0 | packet[3] - lost & 0x0F
        if index == 2:
            lost = len(audio)
            packets = [packet for packet in packets if pid_of(packet) != AUDIO_PID]
        pieces[index] = replace(pieces[index], body=b"".join(packets))
    return replace(broadcast, pieces=tuple(pieces))


def until_the_last_cut(domain: Domain, change: FrameChange) -> Domain:
    """Change the audio, and leave away what comes to lie behind the end."""
    changed = with_frames(domain, Kind.AUDIO, change)
    tracks = [
        Track(track.spec, tuple(frame for frame in track.frames if frame.dts < domain.cuts[-1]))
        for track in changed.tracks
    ]
    return replace(changed, tracks=tuple(tracks))


def audio_that_pauses(stage: Stage) -> Session:
    """Frames are missing for one and a half seconds; the one before lasts as long."""
    domain = stage.domains["audio"]
    pause = 72 * 1024

    def later(index: int, frame: CodedFrame) -> CodedFrame:
        if index == PAUSE_AT:
            return frame._replace(duration=frame.duration + pause)
        late = pause if index > PAUSE_AT else 0
        return frame._replace(dts=frame.dts + late, pts=frame.pts + late)

    return record(FakeOrigin(fmp4_broadcast([until_the_last_cut(domain, later)])))


TIMELINES = [
    Broken("W2", "a pause inside a segment", audio_that_pauses),
    sent("W2", "a segment without its audio", audio_for_a_while_gone, "ts"),
    packaged("W2", "audio that belongs elsewhere", oddly(audio_late=72_000)),
    sent("W2", "a gap in the audio", audio_late(9000), "ts"),
    sent("W2", "an overlap in the audio", audio_late(-9000), "ts"),
]
