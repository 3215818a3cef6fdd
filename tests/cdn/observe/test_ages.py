"""Playlist ages: when they grow, when they start again, and who leaves the list."""

import gzip

import pytest

from cdn.http.keys import Key
from cdn.http.message import Head
from cdn.observe.ages import FORGET_S, LATELY_S, MOST_PLAYLISTS, PlaylistAges, is_watched

PLAIN = "/main/v0/index.m3u8"


class Watched:
    """Ages, and an origin that answers at once unless the test says otherwise."""

    def __init__(self) -> None:
        self.ages = PlaylistAges()

    def fetch(
        self,
        now: float,
        text: str = "1",
        target: str = PLAIN,
        *,
        etag: str | None = None,
        compressed: bool = False,
        takes_s: float = 0.0,
    ) -> None:
        key = Key(target, compressed)
        body = text.encode() if text.startswith("<") else f"#EXTM3U\n{text}\n".encode()
        headers = [(b"etag", etag.encode())] if etag is not None else []
        if compressed:
            body = gzip.compress(body, mtime=0)
            headers.append((b"content-encoding", b"gzip"))
        self.ages.asked(key, now)
        self.ages.came(key, Head(200, tuple(headers)), body, now + takes_s)
        self.ages.done(key, now + takes_s)

    def fail(self, now: float, target: str = PLAIN) -> None:
        self.ages.asked(Key(target, gzip=False), now)
        self.ages.done(Key(target, gzip=False), now)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_playlist_that_changes_is_young(watched: Watched) -> None:
    for second in range(5):
        watched.fetch(second, f"{second}")
    assert watched.ages.by_stream(4.5) == {"main": 0.5}


def test_a_playlist_that_comes_again_unchanged_grows_old(watched: Watched) -> None:
    for second in range(11):
        watched.fetch(second, "the same")
    assert watched.ages.by_stream(10.0) == {"main": 10.0}
    watched.fetch(11, "new at last")
    assert watched.ages.by_stream(11.0) == {"main": 0.0}


def test_the_etag_decides_where_there_is_one(watched: Watched) -> None:
    watched.fetch(0, "a", etag='"1"')
    watched.fetch(5, "b", etag='"1"')
    assert watched.ages.by_stream(5.0) == {"main": 5.0}
    watched.fetch(6, "b", etag='"2"')
    assert watched.ages.by_stream(6.0) == {"main": 0.0}


def test_an_origin_that_fails_lets_the_playlist_grow_old_while_viewers_ask(
    watched: Watched,
) -> None:
    watched.fetch(0)
    for second in range(1, 31):
        watched.fail(second)
    assert watched.ages.by_stream(30.0) == {"main": 30.0}


def test_a_request_that_hangs_lets_it_grow_old_too(watched: Watched) -> None:
    watched.fetch(0)
    watched.ages.asked(Key(PLAIN + "?_HLS_msn=9", gzip=False), 1.0)
    assert watched.ages.by_stream(20.0) == {"main": 20.0}


def test_a_playlist_that_nobody_asks_for_stays_as_old_as_it_was(watched: Watched) -> None:
    watched.fetch(0)
    watched.fetch(3)
    assert watched.ages.by_stream(3 + LATELY_S - 0.1) == {"main": pytest.approx(2.9 + LATELY_S)}
    assert watched.ages.by_stream(60.0) == {"main": 3.0}


def test_it_leaves_the_list_when_nobody_has_asked_for_two_minutes(watched: Watched) -> None:
    watched.fetch(0)
    assert watched.ages.by_stream(FORGET_S - 0.1) == {"main": 0.0}
    assert watched.ages.by_stream(FORGET_S) == {}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_stream_that_has_ended_leaves_the_list(watched: Watched, compressed: bool) -> None:
    watched.fetch(0, compressed=compressed)
    watched.fetch(1, "#EXT-X-ENDLIST", compressed=compressed)
    assert watched.ages.by_stream(1.0) == {}
    watched.fetch(2, "#EXT-X-ENDLIST", compressed=compressed)
    assert watched.ages.by_stream(2.0) == {}
    watched.fetch(3, "the next session", compressed=compressed)
    assert watched.ages.by_stream(3.0) == {"main": 0.0}


def test_forms_of_one_playlist_that_alternate_are_no_change(watched: Watched) -> None:
    for second in range(0, 12, 3):
        watched.fetch(second, etag='"x"')
        watched.fetch(second + 1, etag='"x-gzip"', compressed=True)
        watched.fetch(second + 2, "update", PLAIN + "?_HLS_skip=YES")
    assert watched.ages.by_stream(11.0) == {"main": 11.0}


def test_blocked_playlists_and_the_plain_one_are_one_playlist(watched: Watched) -> None:
    watched.fetch(0, "a")
    watched.fetch(1, "b", PLAIN + "?_HLS_msn=7&_HLS_part=1")
    watched.fetch(4, "b", PLAIN)
    assert watched.ages.by_stream(4.0) == {"main": 3.0}


def test_a_streams_age_is_that_of_its_oldest_playlist(watched: Watched) -> None:
    watched.fetch(0, target="/main/a0/index.m3u8")
    for second in range(6):
        watched.fetch(second, f"{second}")
        watched.fetch(second, f"{second}", "/main/ts/v0/index.m3u8")
        watched.fetch(second, f"{second}", "/other/v1/index.m3u8")
        watched.fetch(second, target="/main/a0/index.m3u8")
    assert watched.ages.by_stream(5.0) == {"main": 5.0, "other": 0.0}


def test_what_is_no_playlist_has_no_age(watched: Watched) -> None:
    watched.fetch(0, "<html>")
    watched.ages.came(
        Key(PLAIN, gzip=True), Head(200, ((b"content-encoding", b"gzip"),)), b"no gzip", 0.0
    )
    assert watched.ages.by_stream(0.0) == {}
    assert not is_watched(Key("/main/index.m3u8", gzip=False))
    assert not is_watched(Key("/main/v0/seg1.m4s", gzip=False))
    assert is_watched(Key(PLAIN + "?_HLS_msn=1", gzip=False))


def test_the_list_is_bounded_and_says_when_it_is_full(watched: Watched) -> None:
    for number in range(MOST_PLAYLISTS + 5):
        watched.fetch(0, target=f"/s{number}/v0/index.m3u8")
    assert len(watched.ages.by_stream(0.0)) == MOST_PLAYLISTS
    assert watched.ages.left_out == 5
    watched.fetch(FORGET_S, target="/later/v0/index.m3u8")
    assert watched.ages.by_stream(FORGET_S) == {"later": 0.0}


def test_a_long_path_makes_no_longer_label(watched: Watched) -> None:
    watched.fetch(0, target="/" + "x" * 900 + "/v0/index.m3u8")
    assert {len(stream) for stream in watched.ages.by_stream(0.0)} == {128}
