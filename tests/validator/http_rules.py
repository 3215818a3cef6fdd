"""H1 to H8: the manners of the answers, on which every cache between us and a viewer relies."""

import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

from tests.validator.errors import UnreadableError
from tests.validator.media import Container, Kind
from tests.validator.playlist import MediaPlaylist, Position, decode, read_media
from tests.validator.reading import OK, Recording
from tests.validator.session import READERS, Exchange, Probe, Purpose
from tests.validator.violation import Finding
from tests.validator.watching import RANGE_FIRST, RANGE_LAST, SUFFIX_BYTES

PLAYLISTS = (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
MEDIA = (Purpose.INIT, Purpose.SEGMENT, Purpose.PART)
RESOURCES = PLAYLISTS + MEDIA
GETS = (*READERS, Probe.AGAIN, Probe.AFTER_REMOVAL, Probe.HINT)

FOR_EVER = {"public": "", "max-age": "31536000", "immutable": ""}
MULTIVARIANT_AGES = range(1, 61)
LOW_LATENCY_AGE = 1
RELOAD_TARGETS = 6
OF_ONE_VERSION = (
    b"#EXT-X-MEDIA-SEQUENCE",
    b"#EXT-X-DISCONTINUITY-SEQUENCE",
    b"#EXT-X-PRELOAD-HINT",
    b"#EXT-X-RENDITION-REPORT",
    b"#EXT-X-MAP",
)
"""Lines that a version may have alone, however many others were seen."""
STRONG_TAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
EXPOSED = frozenset({"age", "date", "content-length", "content-range"})
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
TS_TYPE = "video/mp2t"
GZIP_BEHIND_S = 2.0
"""Two representations may be cached for a second each, at different times."""
DATE_OFF_S = 3.5
"""Date and Age are whole seconds each, and servers make a Date once a second."""


def _at(exchange: Exchange) -> str:
    request = exchange.request
    return f"{request.method} {urlsplit(request.url).path} ({request.probe.value})"


def _answered(recording: Recording) -> Iterator[Exchange]:
    """All that has headers to be judged; what has none is judged by those who wanted it."""
    return (exchange for exchange in recording.session.exchanges if exchange.status)


def _directives(exchange: Exchange) -> dict[str, str]:
    pieces = exchange.headers.get("cache-control", "").lower().split(",")
    pairs = [piece.strip().partition("=") for piece in pieces if piece.strip()]
    return {name: value for name, _, value in pairs}


def _max_age(directives: Mapping[str, str]) -> int | None:
    value = directives.get("max-age", "")
    return int(value) if value.isdigit() else None


def cache_control(recording: Recording) -> Iterator[Finding]:
    """H1: each kind of resource is fresh for as long as it is true, and no longer."""
    for exchange in recording.exchanges([Probe.PLAIN], [Purpose.NOTHING]):
        if not exchange.status:
            yield Finding(_at(exchange), f"no answer: {exchange.error}")
    for exchange in _answered(recording):
        if exchange.request.probe in (Probe.OPTIONS, Probe.RANGE_BEYOND):
            continue
        fault = _freshness_fault(exchange)
        if fault:
            said = exchange.headers.get("cache-control", "nothing")
            yield Finding(_at(exchange), f"{fault}; Cache-Control says {said}")


def _freshness_fault(exchange: Exchange) -> str | None:
    directives = _directives(exchange)
    age = _max_age(directives)
    if exchange.status == 503:
        is_told = exchange.headers.get("retry-after", "").isdigit()
        return None if "no-store" in directives and is_told else "503 without no-store, Retry-After"
    if 400 <= exchange.status < 500:
        is_short = "no-store" in directives or (age is not None and age <= 1)
        return None if is_short else f"{exchange.status} for longer than 1 s"
    is_nothing = exchange.request.purpose is Purpose.NOTHING
    if exchange.status not in (200, 206, 304) or is_nothing:
        return f"status {exchange.status}"
    match exchange.request.purpose:
        case Purpose.MULTIVARIANT:
            return None if age in MULTIVARIANT_AGES else f"multivariant playlist for {age} s"
        case Purpose.MEDIA_PLAYLIST:
            is_held = "_HLS_msn=" in exchange.request.url
            judge = _reload_freshness_fault if is_held else _playlist_freshness_fault
            return judge(exchange, directives)
        case _:
            return None if directives == FOR_EVER else "media that never changes, not for ever"


def _playlist_freshness_fault(exchange: Exchange, directives: Mapping[str, str]) -> str | None:
    """Half a target duration at most; with low latency a second, or not at all."""
    age = _max_age(directives)
    if exchange.request.method != "GET" or exchange.status != 200:
        return None if age is not None or "no-cache" in directives else "media playlist for ever"
    playlist = _media_playlist(exchange)
    if playlist is None:
        return None  # what cannot be read, or has no target, other rules report
    if playlist.is_low_latency and "no-cache" in directives:
        return None
    limit = LOW_LATENCY_AGE if playlist.is_low_latency else playlist.target_duration / 2
    if "no-store" in directives or age is None or not 0 < age <= limit:
        return f"media playlist for {age} s where {limit} s are the most"
    return None


def _reload_freshness_fault(exchange: Exchange, directives: Mapping[str, str]) -> str | None:
    """A version that has what was asked for always will: six target durations."""
    playlist = _media_playlist(exchange)
    if playlist is None:
        return None
    if "no-store" in directives and not has_what_was_asked(exchange.request.url, playlist):
        return None  # it was held in vain; whether it may be is P16's
    right, said = RELOAD_TARGETS * playlist.target_duration, _max_age(directives)
    is_right = "public" in directives and said == right
    if exchange.request.probe in (Probe.LONG_AGO, Probe.AFTER_END):
        is_right = said is not None and said <= right  # there was nothing to wait for
    return None if is_right else f"a blocking reload for {said} s, not {right} s"


def has_what_was_asked(url: str, playlist: MediaPlaylist) -> bool:
    given = parse_qs(urlsplit(url).query)
    msn, part = (given.get(name, [""])[0] for name in ("_HLS_msn", "_HLS_part"))
    if not msn.isdigit():
        return True
    if not part.isdigit():
        return playlist.position >= Position(int(msn) + 1, 0)
    counts = [len(each.parts) for each in playlist.segments if each.msn == int(msn)]
    if counts and 0 < counts[0] <= int(part):
        return playlist.position >= Position(int(msn) + 1, 1)  # of the next segment the first
    return playlist.position >= Position(int(msn), int(part) + 1)


def _media_playlist(exchange: Exchange) -> MediaPlaylist | None:
    is_gzip = exchange.headers.get("content-encoding") == "gzip"
    try:
        body = gzip.decompress(exchange.body) if is_gzip else exchange.body
        playlist = read_media(decode(body))
    except (OSError, EOFError, zlib.error, UnreadableError):
        return None
    return playlist if playlist.target_duration else None


def validators(recording: Recording) -> Iterator[Finding]:
    """H2: strong ETags that change with the bytes and only with them; 304 on a match."""
    tags: dict[tuple[str, str], bytes] = {}
    bodies: dict[tuple[str, bytes], str] = {}
    for exchange in recording.exchanges([*GETS, Probe.GZIP, Probe.OTHER_TAG], RESOURCES):
        if exchange.status != OK:
            continue
        tag, url = exchange.headers.get("etag", ""), exchange.request.url
        if not STRONG_TAG.fullmatch(tag):
            yield Finding(_at(exchange), f"ETag {tag or 'is missing'}")
        elif tags.setdefault((url, tag), exchange.body) != exchange.body:
            yield Finding(_at(exchange), f"other bytes under the same ETag {tag}")
        elif bodies.setdefault((url, exchange.body), tag) != tag:
            yield Finding(
                _at(exchange), f"ETag {tag} for the bytes of {bodies[url, exchange.body]}"
            )
    for exchange in recording.exchanges([Probe.SAME_TAG], RESOURCES):
        fault = _condition_fault(exchange)
        if fault:
            yield Finding(_at(exchange), fault)
    for exchange in recording.exchanges([Probe.OTHER_TAG], RESOURCES):
        if exchange.status != OK:
            yield Finding(_at(exchange), f"{exchange.status} for an ETag that nothing has")


def _condition_fault(exchange: Exchange) -> str | None:
    asked = exchange.request.headers["if-none-match"]
    tag = exchange.headers.get("etag")
    if exchange.status == 304:
        is_right = tag == asked and not exchange.body
        return (
            None if is_right else f"304 with ETag {tag} and {len(exchange.body)} bytes for {asked}"
        )
    has_changed = exchange.request.purpose in PLAYLISTS and exchange.status == OK and tag != asked
    return None if has_changed else f"{exchange.status} with ETag {tag} for {asked}"


def age(recording: Recording) -> Iterator[Finding]:
    """H3: a cached answer says its Age, and the Age is the time since its Date."""
    for exchange in recording.exchanges(GETS, RESOURCES):
        said = exchange.headers.get("age")
        if said is None:
            if re.search(r";\s*hit\b", exchange.headers.get("cache-status", "")):
                yield Finding(_at(exchange), "a cache hit without Age")
            continue
        fault = _age_fault(exchange, said)
        if fault:
            yield Finding(_at(exchange), fault)


def _age_fault(exchange: Exchange, said: str) -> str | None:
    if not said.isdigit():
        return f"Age {said!r}"
    try:
        date = parsedate_to_datetime(exchange.headers.get("date", ""))
    except ValueError:
        return f"Date {exchange.headers.get('date')!r} beside Age"
    latest_s = (exchange.wall - date.astimezone(UTC)).total_seconds()
    earliest_s = latest_s - (exchange.received_s - exchange.sent_s)  # it came some time between
    is_true = earliest_s - DATE_OFF_S <= int(said) <= latest_s + DATE_OFF_S
    return None if is_true else f"Age {said}, it is {earliest_s:.1f} to {latest_s:.1f} s old"


def cross_origin(recording: Recording) -> Iterator[Finding]:
    """H4: any page may play it, and read the headers that a player needs."""
    for exchange in _answered(recording):
        if exchange.headers.get("access-control-allow-origin") != "*":
            yield Finding(_at(exchange), "no Access-Control-Allow-Origin: *")
        if exchange.request.method == "GET" and exchange.status in (200, 206):
            exposed = _listed(exchange, "access-control-expose-headers")
            if not exposed >= EXPOSED:
                yield Finding(_at(exchange), f"exposes {sorted(exposed)}")
            if "timing-allow-origin" not in exchange.headers:
                yield Finding(_at(exchange), "no Timing-Allow-Origin")
    for exchange in recording.exchanges([Probe.OPTIONS]):
        methods = _listed(exchange, "access-control-allow-methods")
        fields = _listed(exchange, "access-control-allow-headers")
        if exchange.status != 204 or not methods >= {"get", "head"}:
            yield Finding(_at(exchange), f"{exchange.status}, methods {sorted(methods)}")
        if not fields & {"range", "*"}:
            yield Finding(_at(exchange), f"headers {sorted(fields)}")


def _listed(exchange: Exchange, name: str) -> set[str]:
    return {each.strip().lower() for each in exchange.headers.get(name, "").split(",")}


def content_types(recording: Recording) -> Iterator[Finding]:
    """H5."""
    wanted = dict(_media_types(recording))
    for exchange in recording.exchanges([*GETS, Probe.HEAD, Probe.RANGE], RESOURCES):
        if exchange.status not in (200, 206):
            continue
        request = exchange.request
        said = exchange.headers.get("content-type", "").partition(";")[0].strip()
        right = PLAYLIST_TYPE if request.purpose in PLAYLISTS else wanted.get(request.url)
        if right is not None and said != right:
            yield Finding(_at(exchange), f"{said}, not {right}")


def _media_types(recording: Recording) -> Iterator[tuple[str, str]]:
    for rendition in recording.renditions:
        for segment in rendition.segments:
            if segment.container is Container.TS:
                yield segment.url, TS_TYPE
            elif segment.map and segment.map.init:
                kinds = {track.kind for track in segment.map.init.tracks.values()}
                right = "video/mp4" if Kind.VIDEO in kinds else "audio/mp4"
                yield segment.url, right
                yield segment.map.url, right
        for part in rendition.parts:
            if part.map and part.map.init:
                kinds = {track.kind for track in part.map.init.tracks.values()}
                yield part.url, "video/mp4" if Kind.VIDEO in kinds else "audio/mp4"


def compression(recording: Recording) -> Iterator[Finding]:
    """H6: playlists come gzipped to who asks for it, as new as plain; media never does."""
    last_seen: dict[tuple[str, bytes], float] = {}
    lines = _lines(recording)
    for exchange in recording.exchanges(GETS, PLAYLISTS):
        if exchange.status == OK:
            url = exchange.request.url.partition("?")[0]
            last_seen[url, exchange.body] = exchange.received_s
            if "content-encoding" in exchange.headers:
                yield Finding(_at(exchange), "compressed, and was not asked to be")
            if "accept-encoding" not in _listed(exchange, "vary"):
                yield Finding(_at(exchange), f"Vary {exchange.headers.get('vary')}")
    for exchange in recording.exchanges([Probe.GZIP], MEDIA):
        coding = exchange.headers.get("content-encoding")
        if coding or exchange.status != OK:
            yield Finding(_at(exchange), f"{exchange.status}, Content-Encoding {coding}")
    for exchange in recording.exchanges([Probe.GZIP], PLAYLISTS):
        fault = _gzip_fault(exchange, last_seen, lines)
        if fault:
            yield Finding(_at(exchange), fault)


def _lines(recording: Recording) -> dict[str, set[bytes]]:
    """All that low-latency playlists ever said, by their addresses."""
    return {
        rendition.url: {
            line for version in rendition.all_versions for line in _sayings(version.exchange.body)
        }
        for rendition in recording.renditions
        if rendition.is_low_latency
    }


def _sayings(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if not line.startswith(OF_ONE_VERSION)]


def _gzip_fault(
    exchange: Exchange,
    last_seen: Mapping[tuple[str, bytes], float],
    lines: Mapping[str, set[bytes]],
) -> str | None:
    coding = exchange.headers.get("content-encoding")
    if exchange.status != OK or coding != "gzip":
        return f"{exchange.status}, Content-Encoding {coding}"
    if "accept-encoding" not in _listed(exchange, "vary"):
        return f"Vary {exchange.headers.get('vary')}"
    try:
        plain = gzip.decompress(exchange.body)
    except (OSError, EOFError, zlib.error) as error:
        return f"no gzip: {error}"
    seen_s = last_seen.get((exchange.request.url, plain))
    if seen_s is None and exchange.request.url in lines:
        # With a version for every part, this one need not be one that was seen plain.
        strange = [line for line in _sayings(plain) if line not in lines[exchange.request.url]]
        return f"gzipped, it says {strange[0].decode(errors='replace')}" if strange else None
    if seen_s is None:
        return "gzipped, it is no version that was seen plain"
    late_s = exchange.received_s - seen_s
    return f"gzipped, it is {late_s:.1f} s behind" if late_s > GZIP_BEHIND_S else None


def ranges(recording: Recording) -> Iterator[Finding]:
    """H7: the bytes that were asked for, and 416 where there are none."""
    bodies = {
        exchange.request.url: exchange.body
        for exchange in recording.exchanges(GETS, MEDIA)
        if exchange.status == OK
    }
    for exchange in recording.exchanges([Probe.RANGE, Probe.RANGE_SUFFIX, Probe.RANGE_BEYOND]):
        whole = bodies.get(exchange.request.url)  # W1, if it was never to be had
        fault = _range_fault(exchange, whole) if whole else None
        if fault:
            yield Finding(_at(exchange), fault)


def _range_fault(exchange: Exchange, whole: bytes) -> str | None:
    size, said = len(whole), exchange.headers.get("content-range")
    if exchange.request.probe is Probe.RANGE_BEYOND:
        is_refused = exchange.status == 416 and said == f"bytes */{size}"
        return None if is_refused else f"{exchange.status}, Content-Range {said}"
    if exchange.request.probe is Probe.RANGE:
        first, last = RANGE_FIRST, RANGE_LAST
    else:
        first, last = size - SUFFIX_BYTES, size - 1
    if exchange.status != 206 or said != f"bytes {first}-{last}/{size}":
        return f"{exchange.status}, Content-Range {said}"
    return None if exchange.body == whole[first : last + 1] else "other bytes than were asked for"


def head(recording: Recording) -> Iterator[Finding]:
    """H8: HEAD says what GET would, without the body."""
    gets: dict[str, list[Exchange]] = defaultdict(list)
    changing = {rendition.url for rendition in recording.renditions if rendition.is_low_latency}
    for exchange in recording.exchanges(GETS, RESOURCES):
        if exchange.status == OK:
            gets[exchange.request.url].append(exchange)
    for exchange in recording.exchanges([Probe.HEAD], RESOURCES):
        if exchange.status != OK or exchange.body:
            yield Finding(_at(exchange), f"{exchange.status} and {len(exchange.body)} bytes")
            continue
        told = _description(exchange)
        seen = [_description(get) for get in gets[exchange.request.url]]
        is_unseen = told["etag"] not in [each["etag"] for each in seen]
        if exchange.request.url in changing and is_unseen:
            # A version that nobody got: what does not change with it has to be right.
            seen = [each | {name: told[name] for name in OF_A_VERSION} for each in seen]
        if told not in seen:
            yield Finding(_at(exchange), f"says {told}, GET does not")


OF_A_VERSION = ("content-length", "etag")


def _description(exchange: Exchange) -> dict[str, str | None]:
    names = ("content-length", "content-type", "etag", "cache-control")
    return {name: exchange.headers.get(name) for name in names}
