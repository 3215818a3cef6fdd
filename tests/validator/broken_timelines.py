"""Broken sessions of W2: audio and video that do not stay together, or not gapless."""

from collections.abc import Callable
from dataclasses import replace

from tests.validator.breaking import (
    Broken,
    FrameChange,
    Stage,
    packaged,
    sent,
    with_frames,
)
from tests.validator.broken_fmp4 import oddly
from tests.validator.broken_ts import AUDIO_PID, each_packet, packets_of, pid_of
from tests.validator.content import Broadcast, Domain, Track, fmp4_broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.fmp4_writer import CodedFrame
from tests.validator.media import Kind
from tests.validator.session import Session

PAUSE_AT = 110
"""The frame that lasts as long as all that are missing after it."""


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
