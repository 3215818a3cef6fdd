"""Broken sessions of F1 to F5: mistakes in the boxes and samples of fMP4."""

from collections.abc import Callable
from dataclasses import replace

from tests.validator.breaking import (
    Broken,
    Stage,
    in_parts,
    packaged,
    reframed,
    sent,
    with_bodies,
    with_body,
)
from tests.validator.content import Broadcast, Domain, Track, fmp4_broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.fmp4_writer import NOT_SYNC, CodedFrame, Odd, box, write_init
from tests.validator.media import Kind
from tests.validator.session import Session

FRAME = 3000
"""A picture at 30 per second, in ticks."""
GOP = 60
NAL_LENGTH = 4


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
