"""P15 to P18: what low-latency viewers are answered, and when.

That a request was held until what it asked for was there is judged by order and not by a watch:
an answer has to contain what was asked for; one that was asked for something old must not always
come with news; and of many that were held, some have to be the very version that was waited for.
The sections are those of draft-pantos-hls-rfc8216bis: blocking reload 6.2.5.2, delta updates
6.2.5.1, hints 6.2.6, EXT-X-RENDITION-REPORT 4.4.5.4.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import parse_qs, urljoin, urlsplit

from tests.validator.low_latency_rules import CONTROL, PART_INF, every_version, low_latency
from tests.validator.playlist import MediaPlaylist, Position, Tag, is_skip
from tests.validator.playlist_rules import where
from tests.validator.reading import OK, Recording, Rendition, Version
from tests.validator.session import Exchange, Probe, Purpose
from tests.validator.violation import Finding

HELD = (Probe.BLOCKING, Probe.WHOLE, Probe.DELTA, Probe.REORDERED, Probe.PAST_LAST_PART)
AT_ONCE = (Probe.LONG_AGO, Probe.DELTA_NOW)
BAD_REQUEST, NOT_FOUND, UNAVAILABLE = 400, 404, 503
ADVANCE_SEGMENTS = 2
"""Beyond the last, of which a blocking reload may ask (6.2.5.2)."""
MOST_PART_LATE = 1
"""Parts of the next segment that a playlist may have when a whole segment was waited for."""
ENOUGH = {Probe.BLOCKING: 4, Probe.WHOLE: 2}
"""So many held requests that not one was answered in time by accident."""
ENOUGH_AT_ONCE = 2
ENOUGH_DELTAS = 3
JUDGED_ELSEWHERE = ("EXT-X-SKIP", "EXT-X-VERSION", CONTROL, PART_INF)
"""Tags of a delta update's head that the full playlist has not, or that other rules hold
constant in both."""
REPORT = "EXT-X-RENDITION-REPORT"


def is_silent(recording: Recording, exchange: Exchange, target_s: float) -> bool:
    """Whether no media came in some of the time, or not enough of it yet."""
    return any(
        exchange.sent_s <= silence.to_s + target_s and exchange.received_s >= silence.from_s
        for silence in recording.session.silences
    )


def _of(recording: Recording, rendition: Rendition, *probes: Probe) -> Iterator[Exchange]:
    for exchange in recording.exchanges(probes, [Purpose.MEDIA_PLAYLIST]):
        if exchange.request.url.partition("?")[0] == rendition.url:
            yield exchange


def _target_s(rendition: Rendition) -> float:
    return float(rendition.all_versions[0].playlist.target_duration)


def hints(recording: Recording) -> Iterator[Finding]:
    """P15: one hint, at the end, of the name that the next part will have; it can be had."""
    for rendition in low_latency(recording):
        for version in every_version(rendition):
            if not version.playlist.is_ended:
                for message in _hint_faults(version.playlist):
                    yield Finding(where(rendition, version), message)
        yield from _misnamed(rendition)
        yield from _unanswered(recording, rendition)


def _hint_faults(playlist: MediaPlaylist) -> Iterator[str]:
    if len(playlist.hints) != 1:
        yield f"{len(playlist.hints)} hints of parts"
        return
    lines = [tag.line for tag in playlist.tail_parts]
    lines += [segment.line for segment in playlist.segments]
    if any(line > playlist.hints[0].line for line in lines):
        yield "the hint is not the last"


def _misnamed(rendition: Rendition) -> Iterator[Finding]:
    names = {Position(part.msn, part.index): part.uri for part in rendition.parts}
    places = {part.uri: Position(part.msn, part.index) for part in rendition.parts}
    breaks = {each.msn for each in rendition.segments if each.begins_domain}
    told: set[tuple[Position, str]] = set()
    for version in rendition.all_versions:
        for tag in version.playlist.hints:
            uri, at = tag.attributes.get("URI", ""), version.playlist.position
            if (at, uri) in told:
                continue
            told.add((at, uri))
            is_another_session = at.msn in breaks and not at.parts
            if at in names:
                if names[at] != uri and not is_another_session:
                    message = f"hints at {uri}, and the part is {names[at]}"
                    yield Finding(where(rendition, version), message)
            elif uri in places and places[uri] != Position(at.msn + 1, 0):
                place = places[uri]
                yield Finding(where(rendition, version), f"hints at {uri}, which is part {place}")


def _unanswered(recording: Recording, rendition: Rendition) -> Iterator[Finding]:
    listed = {part.url for part in rendition.parts if not part.is_gap}
    folder = rendition.url.rpartition("/")[0]
    for exchange in recording.exchanges([Probe.HINT], [Purpose.PART]):
        url = exchange.request.url
        if url.rpartition("/")[0] != folder or exchange.status == OK:
            continue
        is_missed = url in listed
        allowed = set() if is_missed else {NOT_FOUND, UNAVAILABLE}
        if is_silent(recording, exchange, _target_s(rendition)):
            allowed.add(UNAVAILABLE)
        if exchange.status not in allowed:
            what = "and then listed" if is_missed else "and never listed"
            message = f"hinted, {what}; answered by {exchange.error or exchange.status}"
            yield Finding(urlsplit(url).path, message)


def blocking_reloads(recording: Recording) -> Iterator[Finding]:
    """P16: held until it is there, and no longer; refused where it makes no sense."""
    for rendition in low_latency(recording):
        versions = {id(each.exchange): each for each in every_version(rendition)}
        for exchange in _of(recording, rendition, *HELD):
            message = _held_fault(recording, rendition, exchange, versions.get(id(exchange)))
            if message:
                yield Finding(_said(exchange), message)
        for exchange in _of(recording, rendition, Probe.REFUSED):
            if exchange.status != BAD_REQUEST and not _came_true(rendition, exchange):
                yield Finding(_said(exchange), f"{exchange.status}, not 400")
        for exchange in _of(recording, rendition, *AT_ONCE):
            if exchange.status != OK:
                yield Finding(_said(exchange), f"{exchange.error or exchange.status}")
        for exchange in _of(recording, rendition, Probe.AFTER_END):
            version = versions.get(id(exchange))
            if version and not version.playlist.is_ended:
                yield Finding(_said(exchange), "no ENDLIST after the end")
        yield from _late(rendition)
        yield from _kept_waiting(rendition)


def _came_true(rendition: Rendition, exchange: Exchange) -> bool:
    """What was too far ahead when it was asked for no longer was when it was answered."""
    at = wanted(rendition, exchange)
    if at is None or exchange.status not in (OK, UNAVAILABLE):
        return False
    until_s = exchange.received_s
    known = [each.playlist.next_msn for each in every_version(rendition) if each.at_s <= until_s]
    newest = max(known, default=0)
    return at.msn <= newest + (ADVANCE_SEGMENTS if not at.parts else 0)


def _said(exchange: Exchange) -> str:
    parts = urlsplit(exchange.request.url)
    return f"{parts.path}?{parts.query} ({exchange.request.probe.value})"


def wanted(rendition: Rendition, exchange: Exchange) -> Position | None:
    """How far the answer has to go; None where it is not said."""
    given = parse_qs(urlsplit(exchange.request.url).query)
    msn, part = (given.get(name, [""])[0] for name in ("_HLS_msn", "_HLS_part"))
    if not msn.isdigit():
        return None
    if not part.isdigit():
        return Position(int(msn) + 1, 0)
    known = [each.index for each in rendition.parts if each.msn == int(msn)]
    is_complete = any(each.msn == int(msn) for each in rendition.segments)
    if is_complete and known and int(part) > max(known):
        return Position(int(msn) + 1, 1)  # of the next segment the first
    return Position(int(msn), int(part) + 1)


def _held_fault(
    recording: Recording, rendition: Rendition, exchange: Exchange, version: Version | None
) -> str | None:
    may_fail = is_silent(recording, exchange, _target_s(rendition))
    if exchange.status == UNAVAILABLE and may_fail:
        return None
    if exchange.status != OK:
        return f"{exchange.error or exchange.status}"
    at = wanted(rendition, exchange)
    if version is None or at is None or version.playlist.is_ended or may_fail:
        return None
    reached = version.playlist.position
    return None if reached >= at else f"asked for {at}, got {reached}"


def _late(rendition: Rendition) -> Iterator[Finding]:
    """None of the readers gets what it waited for when it is there, but always later."""
    for probe, enough in ENOUGH.items():
        held = [each for each in rendition.chain(probe) if not each.playlist.is_ended]
        if len(held) >= enough and not any(_is_prompt(rendition, each) for each in held):
            message = f"{probe.value}: {len(held)} answers, and all of them late"
            yield Finding(urlsplit(rendition.url).path, message)


def _is_prompt(rendition: Rendition, version: Version) -> bool:
    at, reached = wanted(rendition, version.exchange), version.playlist.position
    if at is None or reached == at:
        return True
    if not at.parts:
        return reached.msn == at.msn and reached.parts <= MOST_PART_LATE
    count = sum(part.msn == at.msn for part in rendition.parts)
    return at.parts >= count and reached == Position(at.msn + 1, 0)


def _kept_waiting(rendition: Rendition) -> Iterator[Finding]:
    """What asks for something old is told at once, and so not always something new."""
    asked = [each for each in every_version(rendition) if each.exchange.request.probe in AT_ONCE]
    late = [each for each in asked if each.playlist.position > _known(rendition, each)]
    if len(asked) >= ENOUGH_AT_ONCE and len(late) == len(asked):
        message = f"{len(asked)} requests for what was there, all held until there was more"
        yield Finding(urlsplit(rendition.url).path, message)


def _known(rendition: Rendition, version: Version) -> Position:
    """How far any answer went when this was asked for."""
    sent_s = version.exchange.sent_s
    before = [each.playlist.position for each in every_version(rendition) if each.at_s <= sent_s]
    return max(before, default=Position(0, 0))


def delta_updates(recording: Recording) -> Iterator[Finding]:
    """P17: only what is old is skipped, and the rest is the full playlist's."""
    for rendition in low_latency(recording):
        for version in rendition.deltas:
            for message in _skip_faults(version):
                yield Finding(where(rendition, version), message)
        for delta, whole in twins(rendition):
            other = _difference(delta.playlist, whole.playlist)
            # Who was killed meanwhile may name what comes next otherwise, and hint at that.
            if other and not _is_silent_between(recording, delta, whole):
                yield Finding(where(rendition, delta), f"{other} than {where(rendition, whole)}")
        full = [*rendition.chain(Probe.DELTA), *rendition.chain(Probe.DELTA_NOW)]
        possible = [each for each in full if skippable(each.playlist)]
        if len(possible) >= ENOUGH_DELTAS and not rendition.deltas:
            at = urlsplit(rendition.url).path
            yield Finding(at, f"asked for {len(possible)} delta updates, and never got one")


def _is_silent_between(recording: Recording, one: Version, other: Version) -> bool:
    from_s, to_s = sorted([one.at_s, other.at_s])
    return any(
        silence.from_s <= to_s and silence.to_s >= from_s for silence in recording.session.silences
    )


def _skip_faults(version: Version) -> Iterator[str]:
    playlist = version.playlist
    tags = [tag for tag in playlist.head if is_skip(tag)]
    boundary = playlist.seconds(CONTROL, "CAN-SKIP-UNTIL")
    if "_HLS_skip=" not in version.exchange.request.url:
        yield "skips segments, and was not asked to"
    if len(tags) > 1 or not playlist.skipped:
        yield f"EXT-X-SKIP {[tag.value for tag in tags]}"
    if boundary is None:
        yield "skips without CAN-SKIP-UNTIL"
    elif _length(playlist) < boundary:
        yield f"skips what ends {_length(playlist)} s before the end, less than {boundary}"


def _tail_length(playlist: MediaPlaylist) -> Decimal:
    values = [tag.attributes.get("DURATION", "0") for tag in playlist.tail_parts]
    return sum((Decimal(each) for each in values), Decimal(0))


def _length(playlist: MediaPlaylist) -> Decimal:
    """To the newest end, the parts of the segment under way counted."""
    return playlist.duration + _tail_length(playlist)


def skippable(playlist: MediaPlaylist) -> int:
    """How many segments end before the skip boundary."""
    boundary = playlist.seconds(CONTROL, "CAN-SKIP-UNTIL")
    behind, found = _tail_length(playlist), 0
    for segment in reversed(playlist.segments):
        found += boundary is not None and behind >= boundary
        behind += segment.duration
    return found


def twins(rendition: Rendition) -> Iterator[tuple[Version, Version]]:
    """Delta updates, each with a full playlist of the same version."""
    whole = {_stand(each.playlist): each for each in rendition.all_versions}
    for delta in rendition.deltas:
        twin = whole.get(_stand(delta.playlist))
        if twin is not None:
            yield delta, twin


def _stand(playlist: MediaPlaylist) -> object:
    return playlist.media_sequence, playlist.position, playlist.is_ended


def _difference(delta: MediaPlaylist, whole: MediaPlaylist) -> str | None:
    """What is not as it would be if the skipped segments were put in their place."""
    rest = whole.segments[delta.skipped :]
    if _head(delta) != _head(whole):
        return "another head"
    if [each.uri for each in delta.segments] != [each.uri for each in rest]:
        return "other segments"
    for one, other in zip(delta.segments, rest, strict=True):
        # A map that is in force anyway may be said again behind what is skipped.
        ours = [tag for tag in one.tags if not _says(tag, other.map_uri)]
        theirs = [tag for tag in other.tags if not _says(tag, other.map_uri)]
        if _plain(ours) != _plain(theirs):
            return f"other tags of segment {one.msn}"
    return None if _plain(delta.tail) == _plain(whole.tail) else "another end"


def _head(playlist: MediaPlaylist) -> list[tuple[str, str]]:
    return _plain([tag for tag in playlist.head if tag.name not in JUDGED_ELSEWHERE])


def _says(tag: Tag, map_uri: str | None) -> bool:
    return tag.name == "EXT-X-MAP" and tag.attributes.get("URI") == map_uri


def _plain(tags: Sequence[Tag]) -> list[tuple[str, str]]:
    return [(tag.name, tag.value) for tag in tags]


def rendition_reports(recording: Recording) -> Iterator[Finding]:
    """P18: of every other rendition how far it is, and of nothing else."""
    renditions = low_latency(recording)
    for rendition in renditions:
        others = {each.url: each for each in renditions if each is not rendition}
        for version in every_version(rendition):
            if version.playlist.is_ended:
                continue
            reports = version.playlist.all(REPORT)
            about = [urljoin(rendition.url, tag.attributes.get("URI", "")) for tag in reports]
            if sorted(about) != sorted(others):
                place = where(rendition, version)
                yield Finding(place, f"reports on {about}, beside it are {sorted(others)}")
                continue
            for url, tag in zip(about, reports, strict=True):
                message = _report_fault(tag, others[url], version)
                if message:
                    yield Finding(where(rendition, version), message)


def _report_fault(tag: Tag, other: Rendition, version: Version) -> str | None:
    msn, part = tag.attributes.get("LAST-MSN", ""), tag.attributes.get("LAST-PART", "")
    if not msn.isdigit() or not part.isdigit():
        return f"report {tag.value}"
    said = Position(int(msn), int(part) + 1)
    positions = [(each.at_s, each.playlist.position) for each in every_version(other)]
    if said > max(position for _, position in positions):
        return f"reports {said}, which never was"
    long_ago_s = version.exchange.sent_s - version.playlist.target_duration
    before = [_last_part(other, position) for at_s, position in positions if at_s <= long_ago_s]
    if before and said < max(before):
        return f"reports {said}, and it was at {max(before)} a target duration before"
    return None


def _last_part(rendition: Rendition, position: Position) -> Position:
    """The same place, said of the last part that there is."""
    if position.parts:
        return position
    count = sum(part.msn == position.msn - 1 for part in rendition.parts)
    return Position(position.msn - 1, count)
