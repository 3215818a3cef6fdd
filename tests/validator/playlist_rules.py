"""P1, P2, P3, P8, P10, P23: what each version of a media playlist has to look like.

The tags that low latency needs (SERVER-CONTROL, PART-INF) are asked for only where a playlist
shows that it means to be one, by EXT-X-PART-INF.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from urllib.parse import urlsplit

from tests.validator.media import Container, leading
from tests.validator.playlist import MediaPlaylist
from tests.validator.reading import Recording, Rendition, Segment, Version
from tests.validator.session import READERS, Exchange, Probe, Purpose
from tests.validator.violation import Finding

PLAYLISTS = (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
EXACTLY_ONCE = (
    "EXT-X-VERSION",
    "EXT-X-TARGETDURATION",
    "EXT-X-MEDIA-SEQUENCE",
    "EXT-X-DISCONTINUITY-SEQUENCE",
)
ONCE_IN_LOW_LATENCY = ("EXT-X-SERVER-CONTROL", "EXT-X-PART-INF")
INDEPENDENT = "EXT-X-INDEPENDENT-SEGMENTS"
VERSION_TS, VERSION_FMP4 = 3, 7
VERSIONS_LOW_LATENCY = (9, 10)
HASH = re.compile(r"[0-9a-f]{8,}")
URI_ATTRIBUTE = re.compile(r'URI="([^"]*)"')
LONGEST_CACHED_S = 60.0


def where(rendition: Rendition, version: Version) -> str:
    probe = version.exchange.request.probe
    alike = [each for each in (*rendition.all_versions, *rendition.deltas) if _asked(each, probe)]
    number = next(place for place, each in enumerate(alike, 1) if each is version)
    name = "poll" if probe is Probe.PLAIN else probe.value
    return f"{urlsplit(rendition.url).path}, {name} {number}"


def _asked(version: Version, probe: Probe) -> bool:
    return version.exchange.request.probe is probe


def versions(recording: Recording) -> Iterator[tuple[Rendition, Version]]:
    for rendition in recording.renditions:
        for version in rendition.all_versions:
            yield rendition, version


def is_independent(segment: Segment) -> bool | None:
    """Whether decoding can begin at the segment; None where its media is not known."""
    lead = leading(segment.runs)
    return lead.frames[0].is_sync if lead else None


def dependent_uris(rendition: Rendition) -> set[str]:
    """Segments that need what came before them."""
    return {each.listed.uri for each in rendition.segments if is_independent(each) is False}


def head_tags(recording: Recording) -> Iterator[Finding]:
    """P1: EXTM3U first, and each tag of the head exactly once."""
    for rendition in recording.renditions:
        for problem in rendition.problems:
            yield Finding(urlsplit(rendition.url).path, problem)
        dependent = {each.msn for each in rendition.segments if is_independent(each) is False}
        may_be_without = False
        for version in rendition.all_versions:
            known = {segment.msn for segment in version.playlist.segments}
            known.add(version.playlist.next_msn)  # a forced cut is known when it is made
            may_be_without |= bool(known & dependent) or _begins_dependent(version.playlist)
            for message in _head_faults(version, may_be_without):
                yield Finding(where(rendition, version), message)


def _begins_dependent(playlist: MediaPlaylist) -> bool:
    """Whether the segment under way is one that needs what came before it."""
    parts = playlist.tail_parts
    return bool(parts) and parts[0].attributes.get("INDEPENDENT") != "YES"


def _head_faults(version: Version, may_be_without: bool) -> Iterator[str]:
    playlist = version.playlist
    first_line = version.exchange.body.split(b"\n")[0].decode(errors="replace")
    if first_line.strip("\r\ufeff") != "#EXTM3U":
        yield f"begins with {first_line!r}"
    if len(playlist.all("EXTM3U")) > 1:
        yield "more than one EXTM3U"
    wanted = EXACTLY_ONCE + (ONCE_IN_LOW_LATENCY if playlist.is_low_latency else ())
    for name in wanted:
        count = len(playlist.all(name))
        if count != 1:
            yield f"{name} {count} times"
    promises = len(playlist.all(INDEPENDENT))
    if promises > 1 or (promises == 0 and not may_be_without):
        yield f"{INDEPENDENT} {promises} times"


def protocol_version(recording: Recording) -> Iterator[Finding]:
    """P2: the version that the tags need, and the same one in every reload."""
    for rendition in recording.renditions:
        seen: set[int | None] = set()
        for version in (*rendition.all_versions, *rendition.deltas):
            number = version.playlist.integer("EXT-X-VERSION")
            allowed = _allowed_versions(rendition, version.playlist)
            if number not in allowed:
                yield Finding(where(rendition, version), f"VERSION {number}, not of {allowed}")
            seen.add(number)
            if len(seen) > 1:
                yield Finding(where(rendition, version), f"VERSION changes among {seen}")
                break


def _allowed_versions(rendition: Rendition, playlist: MediaPlaylist) -> tuple[int, ...]:
    if rendition.container is Container.TS and not playlist.is_low_latency:
        return (VERSION_TS,)
    return VERSIONS_LOW_LATENCY if playlist.is_low_latency else (VERSION_FMP4,)


def target_duration(recording: Recording) -> Iterator[Finding]:
    """P3: an integer, constant, and no segment rounds to more."""
    for rendition in recording.renditions:
        first: int | None = None
        for version in rendition.all_versions:
            target = version.playlist.integer("EXT-X-TARGETDURATION")
            first = target if first is None else first
            if target is None:
                yield Finding(where(rendition, version), "TARGETDURATION is no integer")
                continue
            if target != first:
                yield Finding(where(rendition, version), f"TARGETDURATION {first}, now {target}")
            for segment in version.playlist.segments:
                if rounded(segment.duration) > target:
                    at = f"{where(rendition, version)}, segment {segment.msn}"
                    yield Finding(at, f"EXTINF {segment.duration} over TARGETDURATION {target}")


def rounded(duration: Decimal) -> int:
    """To the nearest integer, a half up."""
    return int((duration + Decimal("0.5")).to_integral_value(ROUND_FLOOR))


def independent_segments(recording: Recording) -> Iterator[Finding]:
    """P8: what is promised to begin with a sync sample does, in both kinds of playlists."""
    for rendition in recording.renditions:
        dependent = dependent_uris(rendition)
        for version in rendition.all_versions:
            if version.playlist.all(INDEPENDENT):
                for segment in version.playlist.segments:
                    if segment.uri in dependent:
                        at = where(rendition, version)
                        yield Finding(at, f"segment {segment.msn} cannot be decoded alone")
        if dependent:
            yield from _promised_above(recording, rendition, dependent)


def _promised_above(
    recording: Recording, rendition: Rendition, dependent: set[str]
) -> Iterator[Finding]:
    """The multivariant playlist may promise it as long as a cache may have kept it."""
    for multivariant in recording.multivariants:
        if multivariant.playlist is None or not multivariant.playlist.all(INDEPENDENT):
            continue
        at_s = multivariant.exchange.received_s
        cached_s = _max_age_s(multivariant.exchange)
        before = [each for each in rendition.versions if each.at_s < at_s - cached_s]
        after = [each for each in rendition.versions if each.at_s >= at_s]
        if not before or not after:
            continue
        listed = {each.uri for each in before[-1].playlist.segments}
        listed &= {each.uri for each in after[0].playlist.segments}
        for uri in sorted(listed & dependent):
            message = f"promises independent segments while {uri} is listed"
            yield Finding("multivariant playlist", message)


def _max_age_s(exchange: Exchange) -> float:
    found = re.search(r"max-age=(\d+)", exchange.headers.get("cache-control", ""))
    return min(float(found[1]), LONGEST_CACHED_S) if found else 1.0


def media_initialization(recording: Recording) -> Iterator[Finding]:
    """P10: fMP4 has an EXT-X-MAP before the first segment, named by its hash; TS has none."""
    for rendition in recording.renditions:
        is_ts = rendition.container is Container.TS
        for version in rendition.all_versions:
            without = [each for each in version.playlist.segments if each.map_uri is None]
            if is_ts and len(without) < len(version.playlist.segments):
                yield Finding(where(rendition, version), "EXT-X-MAP before TS")
            if version.playlist.tail_parts and version.playlist.tail_map_uri is None:
                yield Finding(where(rendition, version), "no EXT-X-MAP before the last parts")
            if not is_ts and without:
                message = f"no EXT-X-MAP before segment {without[0].msn}"
                yield Finding(where(rendition, version), message)
        yield from _map_names(rendition)


def _map_names(rendition: Rendition) -> Iterator[Finding]:
    names: dict[bytes, str] = {}
    for segment in rendition.segments:
        if segment.listed.map_uri is None:
            continue
        if segment.map is None:
            continue  # it was listed and could not be had: W1
        name = segment.map.url
        if not HASH.search(name.rpartition("/")[2]):
            yield Finding(name, "no hash in the name of the initialization segment")
        if names.setdefault(segment.map.body, name) != name:
            yield Finding(name, f"the same bytes as {names[segment.map.body]}")


def plain_text(recording: Recording) -> Iterator[Finding]:
    """P23: UTF-8 without a mark, LF, relative URIs, and no delivery directive passed on."""
    for exchange in recording.exchanges(READERS, PLAYLISTS):
        if exchange.status == 200:
            for message in _text_faults(exchange.body):
                yield Finding(urlsplit(exchange.request.url).path, message)


def _text_faults(body: bytes) -> Iterator[str]:
    if body.startswith(b"\xef\xbb\xbf"):
        yield "begins with a byte order mark"
    if b"\r" in body:
        yield "has carriage returns"
    if not body.endswith(b"\n"):
        yield "the last line has no end"
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        yield f"no UTF-8: {error}"
        return
    for line in text.splitlines():
        is_uri = bool(line) and not line.startswith("#")
        for uri in [line] if is_uri else URI_ATTRIBUTE.findall(line):
            parts = urlsplit(uri)
            if parts.scheme or parts.netloc or uri.startswith("/"):
                yield f"URI is not relative: {uri}"
            if "_HLS_" in uri:
                yield f"URI carries a delivery directive: {uri}"
