"""P7 and P9: what playlists say of time, against the wall clock and against the media."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from tests.validator.media import Container, Kind, leading
from tests.validator.parts import Part
from tests.validator.playlist import Listed, as_seconds
from tests.validator.playlist_rules import versions, where
from tests.validator.reading import Recording, Rendition, Segment
from tests.validator.violation import Finding

PDT = "EXT-X-PROGRAM-DATE-TIME"
PDT_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PDT_STEP_S = 0.00101
"""1 ms, and what two decimals roundings of EXTINF may add."""
FUTURE_S = 1.0
PAST_S = 60.0
"""How far the first segment's date may lie from the clock of whoever recorded it, beyond the
length of the playlist: an epoch of 1970 or a local time with a Z is found, a slow network not."""

ENDS_APART_S = Fraction(1, 4)
"""So far from one another the tracks of an encoder may end."""
DECIMALS = 5
ROUNDING_S = Fraction(1, 10**DECIMALS)
PARTS_ROUNDING = Decimal("0.00001")
DRIFT_S = Fraction(1, 1000)
"""In a whole domain. Rounding each EXTINF stays far below; cutting it off does not, after 200."""


def program_date_time(recording: Recording) -> Iterator[Finding]:
    """P7: on every segment, in milliseconds and Z, monotone, in step with EXTINF."""
    for rendition, version in versions(recording):
        for segment in version.playlist.segments:
            message = _date_fault(segment)
            if message:
                yield Finding(f"{where(rendition, version)}, segment {segment.msn}", message)
    for rendition in recording.renditions:
        yield from _steps(rendition)
        yield from _anchor(rendition)


def _date_fault(segment: Listed) -> str | None:
    dates = segment.all(PDT)
    if len(dates) != 1:
        return f"{PDT} {len(dates)} times"
    if not PDT_FORM.fullmatch(dates[0].value) or segment.program_date_time is None:
        return f"date {dates[0].value!r}"
    return None


def _steps(rendition: Rendition) -> Iterator[Finding]:
    for before, after in pairwise(rendition.segments):
        dates = before.listed.program_date_time, after.listed.program_date_time
        if dates[0] is None or dates[1] is None:
            continue
        step_s = (dates[1] - dates[0]).total_seconds()
        if step_s <= 0:
            yield Finding(after.name, f"date {step_s} s after that of {before.name}")
        elif after.msn == before.msn + 1 and not after.begins_domain:
            off_s = step_s - float(before.listed.duration)
            if abs(off_s) > PDT_STEP_S:
                yield Finding(after.name, f"date {off_s:+.6f} s off from the end of {before.name}")


def _anchor(rendition: Rendition) -> Iterator[Finding]:
    first, version = rendition.segments[0], rendition.versions[0]
    date = first.listed.program_date_time
    if date is None:
        return
    length_s = timedelta(seconds=float(version.playlist.duration) + PAST_S)
    wall = version.exchange.wall
    if not wall - length_s <= date <= wall + timedelta(seconds=FUTURE_S):
        yield Finding(first.name, f"date {date} when the clock said {wall}")


def durations(recording: Recording) -> Iterator[Finding]:
    """P9: EXTINF is exact: five decimals, the sum of its parts, and the media's own duration.

    Of several renditions, which all have the same durations, one is exact, and so are pictures of
    its frame rate. Other frames do not end where that one's do, so they may be off by one at each
    end of a part; at the end of a domain anyone by more, since tracks do not end together.
    """
    exact = {
        each.url: list(_duration_faults(each, Fraction(0), Fraction(0)))
        for each in recording.renditions
    }
    leader = next((each for each in recording.renditions if not exact[each.url]), None)
    for rendition in recording.renditions:
        if leader is not None and exact[rendition.url]:
            kind, frame = _frame(rendition)
            slack = Fraction(0) if (kind, frame) == _frame(leader) else frame
            yield from _duration_faults(rendition, slack, frame + ENDS_APART_S)
        else:
            yield from exact[rendition.url]


def _frame(rendition: Rendition) -> tuple[Kind | None, Fraction]:
    """What leads in a rendition, and the longest that a frame of it lasts."""
    runs = [run for segment in rendition.segments if (run := leading(segment.runs))]
    longest = max([Fraction(run.longest_step, run.timescale) for run in runs], default=Fraction(0))
    return runs[0].kind if runs else None, longest


def _duration_faults(rendition: Rendition, frame: Fraction, end: Fraction) -> Iterator[Finding]:
    """``frame``: by so much the media may be longer or shorter than it is said to be.

    At the ends of domains by ``end``.
    """
    for segment in rendition.segments:
        decimals = len(segment.listed.duration_text.partition(".")[2])
        if decimals < DECIMALS:
            yield Finding(segment.name, f"EXTINF {segment.listed.duration_text}")
    for listed in _complete_in_parts(rendition):
        parts = list(_part_durations(listed))
        if abs(sum(parts) - listed.duration) > PARTS_ROUNDING * len(parts):
            at = f"segment {listed.msn}"
            yield Finding(at, f"EXTINF {listed.duration}, parts {sum(parts)}")
    last = {domain[-1].msn for domain in rendition.domains()}
    gaps = {segment.msn for segment in rendition.segments if segment.listed.has("EXT-X-GAP")}
    for part in rendition.parts:
        if part.msn in gaps:
            continue  # what there is of it ends where the gap begins
        message = _part_fault(part, end if part.msn in last else frame)
        if message:
            yield Finding(part.name, message)
    for domain in rendition.domains():
        yield from _against_media(domain, frame, end)


def _part_fault(part: Part, slack: Fraction) -> str | None:
    lead = leading(part.runs)
    if lead is None or part.duration is None:
        return None
    length = Fraction(sum(frame.duration or 0 for frame in lead.frames), lead.timescale)
    off = abs(length - Fraction(part.duration))
    is_right = off <= slack + Fraction(1, lead.timescale) + ROUNDING_S / 2
    return None if is_right else f"DURATION {part.duration}, media {float(length):.6f}"


def _complete_in_parts(rendition: Rendition) -> Iterator[Listed]:
    """Segments, once each, in the version that first lists them whole with their parts."""
    seen: set[str] = set()
    for version in rendition.all_versions:
        for segment in version.playlist.segments:
            if segment.parts and segment.uri not in seen:
                seen.add(segment.uri)
                yield segment


def _part_durations(segment: Listed) -> Iterator[Decimal]:
    for tag in segment.all("EXT-X-PART"):
        yield as_seconds(tag.attributes.get("DURATION")) or Decimal(0)


def _against_media(domain: list[Segment], frame: Fraction, end: Fraction) -> Iterator[Finding]:
    drift = Fraction(0)
    leads = [lead for segment in domain if (lead := leading(segment.runs)) is not None]
    longest_step = max((lead.longest_step for lead in leads), default=0)
    for index, segment in enumerate(domain):
        following = domain[index + 1] if index + 1 < len(domain) else None
        bounds = _media_duration(segment, following, longest_step)
        if bounds is None:
            continue
        said = Fraction(segment.listed.duration)
        slack = frame if following else end
        if not bounds[0] - slack <= said <= bounds[1] + slack:
            low, high = (float(bound) for bound in bounds)
            yield Finding(segment.name, f"EXTINF {float(said)}, media {low:.6f} to {high:.6f}")
        drift += said - (bounds[0] + bounds[1]) / 2 if following else 0
    if abs(drift) > DRIFT_S + frame:
        where_ = f"from {domain[0].name} to {domain[-1].name}"
        yield Finding(where_, f"EXTINF drifts {float(drift):+.6f} s from the media")


def _media_duration(
    segment: Segment, following: Segment | None, longest_step: int
) -> tuple[Fraction, Fraction] | None:
    """The least and the most that EXTINF may say; None where the media is not known.

    TS does not tell how long a picture is shown: there the next segment's first frame does, and
    at the end of a domain anything from nothing to twice the domain's longest step is believed:
    the last segment may have one picture only.
    """
    lead = leading(segment.runs)
    if lead is None:
        return None
    slack = Fraction(1, lead.timescale) + ROUNDING_S / 2
    if segment.container is Container.FMP4:
        length = Fraction(sum(frame.duration or 0 for frame in lead.frames), lead.timescale)
        return length - slack, length + slack
    if following:
        next_lead = following.run(lead.kind)
        if next_lead is None:
            return None
        length = next_lead.start - lead.start
        return length - slack, length + slack
    shown = Fraction(lead.frames[-1].dts - lead.frames[0].dts, lead.timescale)
    last = lead.frames[-1].duration or 2 * longest_step
    return shown, shown + Fraction(last, lead.timescale) + slack
