"""Broken sessions of P1 to P23."""

from dataclasses import replace
from datetime import timedelta

from tests.validator.breaking import (
    Broken,
    Stage,
    answers,
    dated,
    in_parts,
    lines,
    media,
    multivariant,
    packaged,
    sent,
    served,
    status,
    twice,
    without,
)
from tests.validator.content import (
    FIRST_MSN,
    Broadcast,
    Domain,
    fmp4_broadcast,
    ts_broadcast,
)
from tests.validator.fake_origin import (
    Answer,
    FakeOrigin,
    Fault,
    record,
    with_headers,
)
from tests.validator.fmp4_writer import Odd, write_init
from tests.validator.session import Probe, Purpose, Session

INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS\n"
LATER_S = 8.0
HINT = '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-19.0.m4s"\n'


def media_sequence_restarts(playlist: str, age_s: float) -> str:
    found = []
    for line in playlist.split("\n"):
        name, _, value = line.partition(":")
        if name == "#EXT-X-MEDIA-SEQUENCE" and age_s > LATER_S:
            line = f"{name}:{int(value) - FIRST_MSN + 1}"
        found.append(line)
    return "\n".join(found)


def sequence_from_zero(playlist: list[str]) -> list[str]:
    head = "#EXT-X-MEDIA-SEQUENCE:"
    return [
        f"{head}{int(line.removeprefix(head)) - FIRST_MSN}" if line.startswith(head) else line
        for line in playlist
    ]


def never_counted(playlist: list[str]) -> list[str]:
    head = "#EXT-X-DISCONTINUITY-SEQUENCE:"
    return [f"{head}0" if line.startswith(head) else line for line in playlist]


def map_before_discontinuity(playlist: list[str]) -> list[str]:
    for index, line in enumerate(playlist):
        if line == "#EXT-X-DISCONTINUITY" and playlist[index + 1].startswith("#EXT-X-MAP"):
            playlist[index], playlist[index + 1] = playlist[index + 1], line
    return playlist


def other_map_from_the_middle(domain: Domain) -> Broadcast:
    """Another configuration, to which nothing leads over."""
    broadcast = fmp4_broadcast([domain])
    init = write_init([track.spec for track in domain.tracks], Odd(pixel_aspect=True))
    name = "init-0123456789ab.mp4"
    pieces = [
        replace(piece, map_uri=name) if index >= 3 else piece
        for index, piece in enumerate(broadcast.pieces)
    ]
    return replace(broadcast, pieces=tuple(pieces), maps={**broadcast.maps, name: init})


def map_copied(domain: Domain) -> Broadcast:
    """The publisher comes back just the same, and its map gets another name."""
    broadcast = fmp4_broadcast([domain, domain])
    ((name, init),) = broadcast.maps.items()
    copy = "init-0123456789ab.mp4"
    middle = len(broadcast.pieces) // 2
    pieces = [
        replace(piece, map_uri=copy) if index >= middle else piece
        for index, piece in enumerate(broadcast.pieces)
    ]
    return replace(broadcast, pieces=tuple(pieces), maps={name: init, copy: init})


def map_renamed(broadcast: Broadcast) -> Broadcast:
    names = {name: f"init{number}.mp4" for number, name in enumerate(broadcast.maps)}
    pieces = tuple(replace(piece, map_uri=names[piece.map_uri or ""]) for piece in broadcast.pieces)
    maps = {names[name]: body for name, body in broadcast.maps.items()}
    return replace(broadcast, pieces=pieces, maps=maps)


def date_resampled(broadcast: Broadcast) -> Broadcast:
    """One segment's date is taken from a clock, a little late."""
    pieces = list(broadcast.pieces)
    pieces[2] = replace(pieces[2], date=pieces[2].date + timedelta(milliseconds=40))
    return replace(broadcast, pieces=tuple(pieces))


def date_back(broadcast: Broadcast) -> Broadcast:
    """The second domain's dates begin before the first's end."""
    pieces = [
        replace(piece, date=piece.date - timedelta(seconds=6)) if index >= 6 else piece
        for index, piece in enumerate(broadcast.pieces)
    ]
    return replace(broadcast, pieces=tuple(pieces))


def stretched(domain: Domain) -> Broadcast:
    """EXTINF and dates agree with one another, and not with the media."""
    broadcast = fmp4_broadcast([domain])
    pieces = [replace(piece, extinf="2.00100") for piece in broadcast.pieces]
    return replace(broadcast, pieces=dated(pieces))


def cut_inside_a_gop(domain: Domain) -> Broadcast:
    """The third segment begins with a picture that needs the ones before it."""
    cuts = list(domain.cuts)
    times = [frame.dts for frame in domain.tracks[0].frames]
    cuts[2] = times[times.index(cuts[2]) - 14]
    return fmp4_broadcast([replace(domain, cuts=tuple(cuts))])


def promised_above_alone(stage: Stage) -> Session:
    """The media playlist takes its promise back in time, the multivariant playlist does not."""
    broadcast = cut_inside_a_gop(stage.domains["first"])

    def take_back(playlist: str, _: float) -> str:
        return playlist.replace(INDEPENDENT, "") if "e1-9." in playlist else playlist

    return record(FakeOrigin(broadcast, Fault(media=take_back)))


def parts_that_do_not_add_up(stage: Stage) -> Session:
    """The bytes are right, the durations are not."""
    broadcast, fault = in_parts(stage.broadcasts["fmp4 video"], "0.90000")
    return record(FakeOrigin(broadcast, fault))


def longer_than_the_target(stage: Stage) -> Session:
    return record(FakeOrigin(fmp4_broadcast([stage.domains["long"]])))


def ts_with_a_map(stage: Stage) -> Session:
    domain = stage.domains["first"]
    maps = fmp4_broadcast([domain]).maps
    broadcast = ts_broadcast([domain])
    pieces = tuple(replace(piece, map_uri=next(iter(maps))) for piece in broadcast.pieces)
    return record(FakeOrigin(replace(broadcast, pieces=pieces, maps=maps)))


def ts_joined(stage: Stage) -> Session:
    """Two pictures in one timeline, with nothing to say so."""
    return record(FakeOrigin(stage.broadcasts["ts joined"]))


def no_text(answer: Answer) -> Answer:
    return with_headers(replace(answer, body=answer.body + b"# \xff\n"), etag='"none"')


def another_rendition(stage: Stage) -> Session:
    """A second media playlist of the same content, which counts one discontinuity more."""
    good = record(FakeOrigin(stage.broadcasts["fmp4"]))
    copies = [
        replace(
            exchange,
            request=replace(exchange.request, url=exchange.request.url.replace("/v0/", "/v1/")),
            body=exchange.body.replace(b"CONTINUITY-SEQUENCE:0", b"CONTINUITY-SEQUENCE:1"),
        )
        for exchange in good.exchanges
        if exchange.request.purpose in (Purpose.MEDIA_PLAYLIST, Purpose.SEGMENT, Purpose.INIT)
        and exchange.request.probe in (Probe.PLAIN, Probe.AFTER_END)
    ]
    return replace(good, exchanges=good.exchanges + tuple(copies))


def goes_back(age_s: float) -> float:
    return age_s - 5.0 if 12.0 < age_s < 12.6 else age_s


PLAYLISTS = [
    served("P1", "EXTM3U twice", twice("#EXTM3U")),
    served(
        "P23",
        "bytes that are no text",
        answers(
            no_text,
            purposes=(Purpose.MEDIA_PLAYLIST,),
            probes=(Probe.PLAIN,),
            from_s=5,
            until_s=5.4,
        ),
    ),
    Broken("P5", "another number in another rendition", another_rendition),
    served(
        "P1", "a tag before EXTM3U", media("#EXTM3U\n#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXTM3U")
    ),
    served("P1", "TARGETDURATION twice", twice("#EXT-X-TARGETDURATION")),
    served("P1", "MEDIA-SEQUENCE twice", twice("#EXT-X-MEDIA-SEQUENCE")),
    served(
        "P1", "no DISCONTINUITY-SEQUENCE", without("#EXT-X-DISCONTINUITY-SEQUENCE"), "fmp4 video"
    ),
    served("P1", "INDEPENDENT-SEGMENTS twice", twice("#EXT-X-INDEPENDENT")),
    served("P1", "INDEPENDENT-SEGMENTS missing", without("#EXT-X-INDEPENDENT")),
    served(
        "P1",
        "an EXTINF that is no number",
        media("#EXTINF:2.00000", "#EXTINF:two", from_s=5, until_s=6),
    ),
    served("P2", "a version too low", media("VERSION:7", "VERSION:6")),
    served("P2", "a version too high for TS", media("VERSION:3", "VERSION:7"), "ts"),
    served("P2", "another version in a reload", media("VERSION:7", "VERSION:8", from_s=LATER_S)),
    served(
        "P3",
        "another TARGETDURATION in a reload",
        media("DURATION:2", "DURATION:3", from_s=LATER_S),
    ),
    served(
        "P3",
        "a TARGETDURATION that is no integer",
        media("DURATION:2", "DURATION:2.0", from_s=LATER_S),
    ),
    Broken("P3", "a segment longer than TARGETDURATION", longer_than_the_target),
    served("P4", "a sequence from 0", lines(sequence_from_zero)),
    served("P4", "a sequence that starts again", Fault(media=media_sequence_restarts)),
    served("P4", "a version from before", Fault(age=goes_back)),
    served(
        "P4",
        "a removed segment that is gone at once",
        answers(status(404), probes=(Probe.AFTER_REMOVAL,)),
    ),
    served("P5", "a DISCONTINUITY that is not counted when it leaves", lines(never_counted)),
    served(
        "P6", "DISCONTINUITY twice", media("#EXT-X-DISCONTINUITY\n", "#EXT-X-DISCONTINUITY\n" * 2)
    ),
    served("P6", "a map before its DISCONTINUITY", lines(map_before_discontinuity)),
    packaged("P6", "another map without DISCONTINUITY", other_map_from_the_middle),
    Broken("P6", "another picture in TS without DISCONTINUITY", ts_joined),
    served(
        "P7", "a segment without a date", without("#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:09")
    ),
    served("P7", "a date without milliseconds", media(".678Z", "Z")),
    served("P7", "a date with an offset", media("Z\n", "+00:00\n")),
    served("P7", "a date of thirty years ago", media("TIME:2026", "TIME:1996")),
    sent("P7", "a date that is taken anew", date_resampled),
    sent("P7", "dates that go back", date_back),
    packaged("P8", "a segment that begins inside a GOP", cut_inside_a_gop),
    Broken("P8", "independent segments promised above alone", promised_above_alone),
    served("P9", "an EXTINF of three decimals", media(".00000,", ".000,")),
    packaged("P9", "an EXTINF that is not the media's duration", stretched),
    Broken("P9", "parts that do not add up", parts_that_do_not_add_up),
    served("P10", "no map", without("#EXT-X-MAP")),
    sent("P10", "a map whose name has no hash", map_renamed),
    packaged("P10", "a map under two names", map_copied),
    Broken("P10", "a map for TS", ts_with_a_map),
    served("P20", "no end", without("#EXT-X-ENDLIST")),
    served("P20", "an end that is taken back", media("#EXT-X-ENDLIST\n", "", from_s=26.5)),
    served("P20", "a hint after the end", media("#EXT-X-ENDLIST\n", f"{HINT}#EXT-X-ENDLIST\n")),
    served("P20", "ENDLIST twice", twice("#EXT-X-ENDLIST")),
    served(
        "P20",
        "a window that is gone after the end",
        answers(status(404), probes=(Probe.AFTER_END,)),
    ),
    served("P23", "carriage returns", media("\n", "\r\n")),
    served("P23", "a byte order mark", media("#EXTM3U", "\ufeff#EXTM3U")),
    served("P23", "a last line without an end", Fault(media=lambda playlist, _: playlist.rstrip())),
    served("P23", "an absolute URI", media("\ne1-", "\nhttp://edge.test/main/v0/e1-")),
    served("P23", "a URI from the root", media("\ne1-", "\n/main/v0/e1-")),
    served("P23", "an absolute URI of a map", media('URI="', 'URI="/main/v0/')),
    served("P23", "an absolute URI above", multivariant("\nv0", "\n/main/v0")),
    served("P23", "a delivery directive handed on", media(".m4s\n", ".m4s?_HLS_msn=9\n")),
]
