"""V1: the multivariant playlist tells the truth about the media below it.

Of bit rates HLS asks that BANDWIDTH be no less than the peak, over any run of segments of half
to one and a half target durations (RFC 8216, 4.3.4.2). A live packager has to say it before
it knows: after the first segments, with something to spare, and then hold it. So it may be too
much by ``HEADROOM``, and never too little.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from urllib.parse import urljoin, urlsplit

from tests.validator.elementary import AudioFormat, Picture
from tests.validator.media import Kind, Run
from tests.validator.playlist import MultivariantPlaylist, Variant, as_seconds
from tests.validator.playlist_rules import INDEPENDENT, is_independent
from tests.validator.reading import OK, Multivariant, Recording, Rendition, Segment
from tests.validator.session import Probe, Purpose
from tests.validator.violation import Finding

HEADROOM = 1.5
AVERAGE_OFF, AVERAGE_OFF_AT_FIRST = 0.25, 0.5
"""AVERAGE-BANDWIDTH, too, is said from the first segments, and the picture changes; while there
is but one GOP, it is a guess."""
SETTLED_SEGMENTS = 3
RATE_OFF = 0.01
FRAME_RATE_DECIMALS = 3
ABSENT = ("SUPPLEMENTAL-CODECS",)
"""For Dolby Vision and HDR10+ alone, which are not carried."""
GROUPS = {"AUDIO": "AUDIO", "VIDEO": "VIDEO", "SUBTITLES": "SUBTITLES"}


def multivariant(recording: Recording) -> Iterator[Finding]:
    """V1."""
    for each in recording.multivariants:
        where = f"{urlsplit(each.exchange.request.url).path} at {each.exchange.wall}"
        if each.playlist is None:
            yield Finding(where, each.problem or "unreadable")
            continue
        for message in _playlist_faults(recording, each.playlist):
            yield Finding(where, message)
        for variant in each.playlist.variants:
            for message in _variant_faults(recording, each, variant):
                yield Finding(f"{where}, {variant.uri}", message)
    yield from _unsteady(recording)
    yield from _missing_playlists(recording)


def _playlist_faults(recording: Recording, playlist: MultivariantPlaylist) -> Iterator[str]:
    if not playlist.variants:
        yield "no variant"
    for name in ("EXTM3U", "EXT-X-VERSION", INDEPENDENT):
        if len(playlist.all(name)) > 1:
            yield f"{name} more than once"
    segments = [each for rendition in recording.renditions for each in rendition.segments]
    is_always = all(is_independent(segment) is not False for segment in segments)
    if is_always and not playlist.all(INDEPENDENT):
        yield f"{INDEPENDENT} is missing"
    media = [tag.attributes for tag in playlist.all("EXT-X-MEDIA")]
    for variant in playlist.variants:
        for name, kind in GROUPS.items():
            group = variant.attributes.get(name)
            known = [row.get("GROUP-ID") for row in media if row.get("TYPE") == kind]
            if group is not None and group not in known:
                yield f"{name} group {group!r} does not exist"
    yield from _group_faults(media)


def _group_faults(media: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """RFC 8216, 4.3.4.1.1."""
    names = Counter((row.get("GROUP-ID"), row.get("NAME")) for row in media)
    yield from (f"{count} times {named}" for named, count in names.items() if count > 1)
    defaults = Counter(row.get("GROUP-ID") for row in media if row.get("DEFAULT") == "YES")
    yield from (f"{count} defaults in {group}" for group, count in defaults.items() if count > 1)
    for row in media:
        if row.get("DEFAULT") == "YES" and row.get("AUTOSELECT") == "NO":
            yield f"{row.get('NAME')} is the default, and never selected"


def _variant_faults(recording: Recording, each: Multivariant, variant: Variant) -> Iterator[str]:
    for name in ABSENT:
        if name in variant.attributes:
            yield f"{name} where there is nothing to supplement"
    if variant.attributes.get("VIDEO-RANGE", "SDR") != "SDR":
        yield f"VIDEO-RANGE {variant.attributes['VIDEO-RANGE']}"
    url = urljoin(each.exchange.request.url, variant.uri)
    rendition = next((known for known in recording.renditions if known.url == url), None)
    if rendition is None:
        yield "its media playlist was never to be had"
        return
    beside = _beside(recording, each, variant)
    sound = _runs(beside)
    candidates = list(_configurations(rendition, each))
    if candidates and not any(not list(_untrue(variant, runs, sound)) for runs in candidates):
        yield from _untrue(variant, candidates[-1], sound)
    yield from _bandwidth_faults(variant, rendition, beside, each.exchange.received_s)


def _beside(recording: Recording, each: Multivariant, variant: Variant) -> list[Rendition]:
    """The renditions of the variant's AUDIO group."""
    rows = each.playlist.all("EXT-X-MEDIA") if each.playlist else ()
    urls = {
        urljoin(each.exchange.request.url, row.attributes.get("URI", ""))
        for row in rows
        if row.attributes.get("GROUP-ID") == variant.attributes.get("AUDIO")
    }
    return [rendition for rendition in recording.renditions if rendition.url in urls]


def _runs(renditions: Sequence[Rendition]) -> list[Run]:
    return [run for each in renditions for segment in each.segments for run in segment.runs]


def _configurations(rendition: Rendition, each: Multivariant) -> Iterator[list[Segment]]:
    """What was on the air when the playlist was polled: all that was listed around that time."""
    at_s = each.exchange.received_s
    before = [version for version in rendition.versions if version.at_s <= at_s][-2:]
    after = [version for version in rendition.versions if version.at_s > at_s][:2]
    listed = {entry.uri for version in before + after for entry in version.playlist.segments}
    for alike in _by_configuration(rendition):
        present = [segment for segment in alike if segment.listed.uri in listed]
        if present:
            yield present


def _by_configuration(rendition: Rendition) -> list[list[Segment]]:
    """Segments that follow one another and have the same tracks in the same formats."""
    found: list[list[Segment]] = []
    for domain in rendition.domains():
        readable = [segment for segment in domain if segment.runs]
        found += [list(alike) for _, alike in groupby(readable, key=_formats)]
    return found


def _formats(segment: Segment) -> frozenset[Picture | AudioFormat]:
    return frozenset(run.format for run in segment.runs)


def _untrue(variant: Variant, segments: list[Segment], sound: Sequence[Run]) -> Iterator[str]:
    """What does not fit the media of one domain, and the sound that goes with it."""
    formats = {run.kind: run.format for segment in segments for run in segment.runs}
    formats |= {run.kind: run.format for run in sound}
    yield from _codec_faults(variant, [*formats.values()])
    picture = formats.get(Kind.VIDEO)
    size, rate = variant.attributes.get("RESOLUTION"), variant.attributes.get("FRAME-RATE")
    if not isinstance(picture, Picture):
        if size or rate:
            yield f"RESOLUTION {size}, FRAME-RATE {rate} without video"
        return
    if size != f"{picture.width}x{picture.height}":
        yield f"RESOLUTION {size}, the pictures are {picture.width}x{picture.height}"
    said = as_seconds(rate)
    if rate is None or said is None or len(rate.partition(".")[2]) != FRAME_RATE_DECIMALS:
        yield f"FRAME-RATE {rate}"
        return
    true_rates = [rate for rate in (picture.frame_rate, _measured_rate(segments)) if rate]
    if not any(abs(float(said) - true) <= true * RATE_OFF for true in true_rates):
        yield f"FRAME-RATE {rate}, it is one of {true_rates}"


def _codec_faults(variant: Variant, formats: list[Picture | AudioFormat]) -> Iterator[str]:
    said = [each.strip() for each in variant.attributes.get("CODECS", "").split(",")]
    true = [(form.codec,) if isinstance(form, Picture) else form.codecs for form in formats]
    is_whole = len(said) == len(true) and all(set(said) & set(each) for each in true)
    if not is_whole:
        yield f"CODECS {said}, the media is {true}"


def _measured_rate(segments: list[Segment]) -> float | None:
    runs = [run for segment in segments if (run := segment.run(Kind.VIDEO))]
    steps = sum(len(run.frames) - 1 for run in runs)
    lengths = sum(run.frames[-1].dts - run.frames[0].dts for run in runs)
    return steps * runs[0].timescale / lengths if runs and lengths else None


def _bandwidth_faults(
    variant: Variant, rendition: Rendition, beside: Sequence[Rendition], at_s: float
) -> Iterator[str]:
    try:
        bandwidth = int(variant.attributes.get("BANDWIDTH", ""))
        average = int(variant.attributes.get("AVERAGE-BANDWIDTH", ""))
    except ValueError:
        yield "no BANDWIDTH and AVERAGE-BANDWIDTH"
        return
    segments = _with_configuration(rendition, variant, _runs(beside))
    peak, mean = peak_rate(rendition, segments), mean_rate(segments)
    if peak is None or mean is None:
        return
    peak += max([peak_rate(other, list(other.segments)) or 0.0 for other in beside], default=0.0)
    mean += max([mean_rate(list(other.segments)) or 0.0 for other in beside], default=0.0)
    if not peak <= bandwidth <= HEADROOM * peak:
        yield f"BANDWIDTH {bandwidth}, the peak is {peak:.0f}"
    newest = max((v.playlist.next_msn for v in rendition.all_versions if v.at_s <= at_s), default=0)
    is_settled = newest - segments[0].msn > SETTLED_SEGMENTS
    if abs(average - mean) > (AVERAGE_OFF if is_settled else AVERAGE_OFF_AT_FIRST) * mean:
        yield f"AVERAGE-BANDWIDTH {average}, it is {mean:.0f}"


def _with_configuration(
    rendition: Rendition, variant: Variant, sound: Sequence[Run]
) -> list[Segment]:
    """The segments that the variant's attributes are true of: all of the session, or a part."""
    return [
        segment
        for alike in _by_configuration(rendition)
        if not list(_untrue(variant, alike, sound))
        for segment in alike
    ]


def peak_rate(rendition: Rendition, segments: list[Segment]) -> float | None:
    """The highest rate of any run of segments between half and one and a half targets long."""
    target = Fraction(rendition.versions[0].playlist.target_duration)
    sized = [(len(each.body or b""), Fraction(each.listed.duration)) for each in segments]
    peak: Fraction | None = None
    for start in range(len(sized)):
        size, length = 0, Fraction(0)
        for more_size, more_length in sized[start:]:
            size, length = size + more_size, length + more_length
            if length > target * 3 / 2:
                break
            if length >= target / 2:
                peak = max(peak or Fraction(0), size * 8 / length)
    return float(peak) if peak is not None else None


def mean_rate(segments: list[Segment]) -> float | None:
    size = sum(len(each.body or b"") for each in segments)
    length = sum((Fraction(each.listed.duration) for each in segments), Fraction(0))
    return float(size * 8 / length) if length else None


def _unsteady(recording: Recording) -> Iterator[Finding]:
    """Once there are segments to say them from, rates are held while the variant is the same."""
    said: dict[tuple[str, ...], set[str]] = defaultdict(set)
    settled_s = max((_settled_s(rendition) for rendition in recording.renditions), default=0.0)
    for each in recording.multivariants:
        if each.playlist is None or each.exchange.received_s < settled_s:
            continue
        for variant in each.playlist.variants:
            told = variant.attributes
            same: tuple[str, ...] = (
                variant.uri,
                told.get("CODECS", ""),
                told.get("RESOLUTION", ""),
            )
            said[same].add(f"{told.get('BANDWIDTH')}, average {told.get('AVERAGE-BANDWIDTH')}")
    for same, rates in said.items():
        if len(rates) > 1:
            yield Finding(same[0], f"rates change: {sorted(rates)}")


def _settled_s(rendition: Rendition) -> float:
    """When enough segments had been seen, and caches had the time to learn of it."""
    for version in rendition.versions:
        seen = len(version.playlist.segments) + version.playlist.media_sequence
        if seen - rendition.segments[0].msn > SETTLED_SEGMENTS:
            return version.at_s
    return rendition.versions[-1].at_s


def _missing_playlists(recording: Recording) -> Iterator[Finding]:
    """A media playlist is there as soon as the multivariant playlist is."""
    seen: set[str] = set()
    for exchange in recording.exchanges([Probe.PLAIN], [Purpose.MEDIA_PLAYLIST]):
        request = exchange.request
        if request.url not in seen:
            seen.add(request.url)
            if exchange.status != OK:
                yield Finding(urlsplit(request.url).path, f"{exchange.status} at first")
