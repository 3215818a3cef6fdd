"""F1 to F5: the boxes (ISO/IEC 14496-12 and 14496-15, CMAF in ISO/IEC 23000-19)."""

from collections.abc import Iterator
from itertools import groupby, pairwise

from tests.validator.elementary import NAL_IDR, NAL_PPS, NAL_SPS, AudioFormat
from tests.validator.media import Container, Kind, leading
from tests.validator.mp4 import (
    DEFAULT_BASE_IS_MOOF,
    Fragment,
    Init,
    InitTrack,
    Sample,
    Traf,
)
from tests.validator.playlist_rules import INDEPENDENT, is_independent
from tests.validator.reading import Recording, Rendition, Segment
from tests.validator.samples import Map, is_sync, sample_nals
from tests.validator.violation import Finding

BRANDS = frozenset({"iso6", "cmfc", "mp41"})
BESIDE_FRAGMENTS = frozenset({"styp", "prft", "emsg", "sidx"})
SYNC = 0x02000000
NOT_SYNC = 0x01010000
RESYNC_S = 0.06
"""An audio clock that is that far off may be set right by one odd duration."""
SAME_TIME = 0.25
"""Pictures closer than this part of the shortest step are shown at the same time."""
SKIPPED_TIME = 1.5
"""Pictures further apart than this many of the longest steps have one missing between them."""


def maps(recording: Recording) -> list[Map]:
    found = {
        segment.map.url: segment.map
        for rendition in recording.renditions
        for segment in rendition.segments
        if segment.map
    }
    return list(found.values())


def segments(recording: Recording) -> Iterator[Segment]:
    """The fMP4 segments that can be read."""
    for rendition in recording.renditions:
        yield from (segment for segment in rendition.segments if segment.fragments)


def initialization(recording: Recording) -> Iterator[Finding]:
    """F1: a movie without samples, whole in its configuration, the same for the same one."""
    known: dict[object, Map] = {}
    for each in maps(recording):
        if each.init is None:
            yield Finding(each.url, each.problem or "unreadable")
            continue
        for message in _init_faults(each.init):
            yield Finding(each.url, message)
        twin = known.setdefault(_configuration(each.init), each)
        if twin.body != each.body:
            yield Finding(each.url, f"other bytes for the same configuration as {twin.url}")
    for segment in segments(recording):
        for message in _strange_parameter_sets(segment):
            yield Finding(segment.name, message)


def _configuration(init: Init) -> object:
    tracks = init.tracks.values()
    return tuple((each.track, each.timescale, each.description) for each in tracks)


def _init_faults(init: Init) -> Iterator[str]:
    if not init.brands >= BRANDS:
        yield f"brands {sorted(init.brands)}, not all of {sorted(BRANDS)}"
    if init.top_level != ("ftyp", "moov"):
        yield f"boxes {init.top_level}"
    if init.duration:
        yield f"mvhd duration {init.duration}"
    if set(init.defaults) != set(init.tracks):
        yield f"trex for tracks {sorted(init.defaults)}, trak for {sorted(init.tracks)}"
    for track in init.tracks.values():
        if any(track.durations):
            yield f"track {track.track}: durations {track.durations} in tkhd and mdhd"
        if track.sample_rows:
            yield f"track {track.track}: {track.sample_rows} rows in the sample table"


def _strange_parameter_sets(segment: Segment) -> Iterator[str]:
    """``avc1`` keeps parameter sets out of band (ISO/IEC 14496-15, 5.3.2).

    Encoders repeat them in the stream, and a copy of what the record says does no harm; one
    that says something else means that the record is wrong.
    """
    for track, sample in samples(segment):
        if track.kind is Kind.VIDEO:
            for nal in sample_nals(track, sample, segment.body or b""):
                if nal[0] & 31 in (NAL_SPS, NAL_PPS) and nal not in track.parameter_sets:
                    yield f"parameter set at {sample.dts} that the record does not have"


def trafs(segment: Segment) -> Iterator[Traf]:
    for fragment in _fragments(segment):
        yield from fragment.trafs


def samples(segment: Segment) -> Iterator[tuple[InitTrack, Sample]]:
    if segment.map and segment.map.init:
        for traf in trafs(segment):
            for sample in traf.samples:
                yield segment.map.init.tracks[traf.track], sample


def fragments(recording: Recording) -> Iterator[Finding]:
    """F2: fragments of one moof and one mdat, numbered, addressed from the moof."""
    for rendition in recording.renditions:
        for segment in rendition.segments:
            if segment.container is Container.FMP4 and segment.problem:
                yield Finding(segment.name, segment.problem)
        for domain in _readable_domains(rendition):
            numbers = [each.sequence for segment in domain for each in _fragments(segment)]
            for before, after in pairwise(numbers):
                if after != before + 1:
                    yield Finding(domain[0].name, f"mfhd sequence goes from {before} to {after}")
    for segment in segments(recording):
        for message in _fragment_faults(segment):
            yield Finding(segment.name, message)
    yield from _parts(recording)


def _readable_domains(rendition: Rendition) -> Iterator[list[Segment]]:
    """Domains, and what a segment that cannot be read leaves of them."""
    for domain in rendition.domains():
        for is_readable, alike in groupby(domain, key=lambda segment: bool(segment.fragments)):
            if is_readable:
                yield list(alike)


def _fragments(segment: Segment) -> tuple[Fragment, ...]:
    return segment.fragments.fragments if segment.fragments else ()


def _fragment_faults(segment: Segment) -> Iterator[str]:
    if segment.fragments is None:
        return
    media = [kind for kind in segment.fragments.top_level if kind not in BESIDE_FRAGMENTS]
    if media != ["moof", "mdat"] * (len(media) // 2):
        yield f"boxes {segment.fragments.top_level}"
    for fragment in _fragments(segment):
        for traf in fragment.trafs:
            yield from _traf_faults(traf)
        if _uncovered(fragment):
            yield f"the samples of fragment {fragment.sequence} are not the bytes of its mdat"


def _traf_faults(traf: Traf) -> Iterator[str]:
    if not traf.flags & DEFAULT_BASE_IS_MOOF or traf.flags & 1:
        yield f"track {traf.track}: tfhd flags {traf.flags:#x}"
    if traf.decode_version != 1:
        yield f"track {traf.track}: tfdt version {traf.decode_version}"


def _uncovered(fragment: Fragment) -> bool:
    """Whether the samples, put in the order of their bytes, are anything but the whole mdat."""
    spans = sorted(
        (sample.start, sample.start + sample.size)
        for traf in fragment.trafs
        for sample in traf.samples
        if sample.size
    )
    at = fragment.data.start
    for start, end in spans:
        if start != at:
            return True
        at = end
    return at != fragment.data.stop


def _parts(recording: Recording) -> Iterator[Finding]:
    """A part is one fragment, and a segment is its parts, one behind the other."""
    for rendition in recording.renditions:
        for part in rendition.parts:
            if part.problem or (part.fragments and len(part.fragments.fragments) != 1):
                top_level = part.fragments.top_level if part.fragments else part.problem
                yield Finding(part.name, f"no part of one fragment: {top_level}")
        shown = _shown_in_parts(rendition)
        for segment in rendition.segments:
            if segment.msn not in shown:
                continue
            of_it = [part for part in rendition.parts if part.msn == segment.msn]
            known = [part.body for part in of_it if part.body is not None]
            is_known = segment.body and of_it and len(known) == len(of_it)
            if is_known and b"".join(known) != segment.body:
                yield Finding(segment.name, "is not the sum of its parts")


def _shown_in_parts(rendition: Rendition) -> set[int]:
    """Segments that were listed whole with all of their parts; at the end some never are."""
    versions = rendition.all_versions
    return {each.msn for version in versions for each in version.playlist.segments if each.parts}


def decode_times(recording: Recording) -> Iterator[Finding]:
    """F3: each track's decode times go on without a seam; audio counts its samples."""
    for rendition in recording.renditions:
        for domain in _readable_domains(rendition):
            expected: dict[int, int] = {}
            for segment in domain:
                for traf in trafs(segment):
                    first, last = traf.samples[0], traf.samples[-1]
                    if first.dts != expected.get(traf.track, first.dts):
                        jump = f"tfdt {first.dts}, not {expected[traf.track]}"
                        yield Finding(segment.name, f"track {traf.track}: {jump}")
                    expected[traf.track] = last.dts + last.duration
    for segment in segments(recording):
        for fault in _audio_clock_faults(segment):
            yield Finding(segment.name, fault)


def _audio_clock_faults(segment: Segment) -> Iterator[str]:
    odd = []
    for track, sample in samples(segment):
        form = track.format
        if not isinstance(form, AudioFormat):
            continue
        if track.timescale != form.sample_rate:
            yield f"audio at {form.sample_rate} Hz counted in {track.timescale}"
            return
        off = abs(sample.duration - form.frame_samples)
        if 0 < off <= RESYNC_S * form.sample_rate:
            yield f"audio frame of {sample.duration} samples, not {form.frame_samples}"
        elif off:
            odd.append(sample.duration)
    if len(odd) > 1:
        yield f"audio frames of {odd} samples: set right more than once"


def composition(recording: Recording) -> Iterator[Finding]:
    """F4: signed offsets on one presentation timeline: no picture twice or missing."""
    for each in maps(recording):
        for track in each.init.tracks.values() if each.init else ():
            if track.has_edit_list:
                yield Finding(each.url, f"track {track.track} has an edit list")
    for segment in segments(recording):
        for traf in trafs(segment):
            if any(sample.composition for sample in traf.samples) and set(traf.trun_versions) != {
                1
            }:
                versions = traf.trun_versions
                yield Finding(segment.name, f"track {traf.track}: trun versions {versions}")
    for rendition in recording.renditions:
        if rendition.container is Container.FMP4:
            for domain in _readable_domains(rendition):
                yield from _presentation_faults(domain)


def _presentation_faults(domain: list[Segment]) -> Iterator[Finding]:
    runs = [run for segment in domain for run in segment.runs if run.kind is Kind.VIDEO]
    frames = [frame for run in runs for frame in run.frames]
    steps = [after.dts - before.dts for before, after in pairwise(frames)]
    if not steps or min(steps) <= 0:
        return  # no timeline at all: decode_times and continuity say why
    # What is shown after the last decoding time may still be on its way, or was when the
    # publisher vanished.
    settled = frames[-1].dts
    shown = sorted(frame.pts for frame in frames)
    for before, after in pairwise(shown):
        step = after - before
        if step < SAME_TIME * min(steps):
            yield Finding(domain[0].name, f"two pictures at {after}")
        elif step > SKIPPED_TIME * max(steps) and after <= settled:
            yield Finding(domain[0].name, f"no picture from {before} to {after}")


def flags(recording: Recording) -> Iterator[Finding]:
    """F5: what is flagged as sync is, nothing else is, and independent segments begin so.

    Segments that promise to be independent and are not are P8's.
    """
    for segment in segments(recording):
        for track, sample in samples(segment):
            message = _flag_fault(track, sample, segment.body or b"")
            if message:
                yield Finding(segment.name, f"sample at {sample.dts}: {message}")
    for rendition in recording.renditions:
        promised = _promised(rendition)
        for segment in rendition.segments:
            first = _first_of_leading(segment)
            is_meant = segment.listed.uri in promised and is_independent(segment)
            if is_meant and first and first.flags != SYNC:
                yield Finding(segment.name, "begins with a sample not flagged as sync")


def _first_of_leading(segment: Segment) -> Sample | None:
    lead = leading(segment.runs)
    return next(
        (row for track, row in samples(segment) if lead and track.track == lead.track), None
    )


def _promised(rendition: Rendition) -> set[str]:
    return {
        segment.uri
        for version in rendition.versions
        if version.playlist.all(INDEPENDENT)
        for segment in version.playlist.segments
    }


def _flag_fault(track: InitTrack, sample: Sample, body: bytes) -> str | None:
    if sample.flags not in (SYNC, NOT_SYNC):
        return f"flags {sample.flags:#010x}"
    if sample.flags == SYNC:
        return None if is_sync(track, sample, body) else "flagged as sync, and is not"
    if track.kind is Kind.AUDIO:
        return "audio flagged as not sync"
    is_idr = any(nal[0] & 31 == NAL_IDR for nal in sample_nals(track, sample, body))
    return "an IDR flagged as not sync" if is_idr else None
