"""fMP4's samples as what decodes them sees them: initialization segments, runs of frames."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from tests.validator.elementary import NAL_IDR, is_recovery_point, nal_units
from tests.validator.errors import UnreadableError
from tests.validator.media import Frame, Kind, Run
from tests.validator.mp4 import Fragments, Init, InitTrack, Sample, read_fragments, read_init


@dataclass(frozen=True, slots=True)
class Map:
    """An initialization segment under its address."""

    url: str
    body: bytes
    init: Init | None
    problem: str | None


def read_map(url: str, body: bytes | None) -> Map | None:
    if body is None:
        return None
    try:
        return Map(url, body, read_init(body), None)
    except UnreadableError as error:
        return Map(url, body, None, str(error))
    except (IndexError, StopIteration) as error:  # a field beyond the end of its structure
        return Map(url, body, None, f"cut short: {error!r}")


@lru_cache(maxsize=1024)  # one broken session differs from the next in a few bodies
def read_frames(body: bytes, init_body: bytes) -> tuple[Fragments, tuple[Run, ...]]:
    """Read a segment or a part with its initialization section."""
    init = read_init(init_body)
    fragments = read_fragments(body, init)
    return fragments, read_runs(fragments, init, body)


def read_runs(fragments: Fragments, init: Init, body: bytes) -> tuple[Run, ...]:
    """The frames of each track, in the order of the tracks' numbers."""
    rows: dict[int, list[Sample]] = defaultdict(list)
    for fragment in fragments.fragments:
        for traf in fragment.trafs:
            rows[traf.track] += traf.samples
    return tuple(_fmp4_run(init.tracks[track], rows[track], body) for track in sorted(rows))


def _fmp4_run(track: InitTrack, samples: list[Sample], body: bytes) -> Run:
    frames = tuple(
        Frame(
            dts=sample.dts,
            pts=sample.dts + sample.composition,
            duration=sample.duration,
            is_sync=is_sync(track, sample, body),
        )
        for sample in samples
    )
    return Run(track.track, track.kind, track.timescale, frames, track.format)


def is_sync(track: InitTrack, sample: Sample, body: bytes) -> bool:
    """Whether decoding can begin at the sample, by its NAL units and not by its flags."""
    if track.kind is Kind.AUDIO:
        return True
    nals = sample_nals(track, sample, body)
    return any(nal[0] & 31 == NAL_IDR or is_recovery_point(nal) for nal in nals)


def sample_nals(track: InitTrack, sample: Sample, body: bytes) -> list[bytes]:
    """The NAL units of a video sample."""
    return list(nal_units(body[sample.start : sample.start + sample.size], track.length_size))
