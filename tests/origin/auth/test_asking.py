"""Every usual way of filling in the encoder leads to the stream, and nothing is shown of the key.

The rows say what encoders send: OBS's ``app`` is all of Server behind the host (one slash at its
end removed), its publish name is Stream Key, blanks around both removed; FFmpeg and librtmp cut
an address at its second slash.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.asking import (
    LONGEST_FIELD,
    MOST_OFFERS,
    Asked,
    asked_name,
    masked,
    offers,
    shown_encoder,
)
from origin.auth.keyring import KeyRing
from origin.auth.keys import StreamKey

KEY = "main-7f3k-92qd-x4mv"
ODD_KEY = "päss=w%rd&+1"
RING = KeyRing(
    [StreamKey("main", KEY), StreamKey("second", "other-aaaa-bbbb-cccc"), StreamKey("odd", ODD_KEY)]
)
HOST = "rtmp://live.example.com"


def asked(app: str, name: str, tc_url: str = "") -> Asked:
    """As the session hands it on: the name is cut at its first question mark."""
    name, _, query = name.partition("?")
    return Asked(app, name, query, tc_url)


@pytest.mark.parametrize(
    ("app", "name", "tc_url"),
    [
        pytest.param("live", KEY, f"{HOST}/live", id="server and key"),
        pytest.param("live/", KEY, f"{HOST}/live/", id="a slash behind the server"),
        pytest.param("live", KEY + "/", f"{HOST}/live", id="a slash behind the key"),
        pytest.param("live", "/" + KEY, f"{HOST}/live", id="a slash before the key"),
        pytest.param("live//", KEY, f"{HOST}/live//", id="two slashes"),
        pytest.param("", f"live/{KEY}", HOST, id="the app in the key field"),
        pytest.param("", KEY, HOST, id="no app at all"),
        pytest.param("live", f"{HOST}/live/{KEY}", f"{HOST}/live", id="the address in the key"),
        pytest.param(f"live/{KEY}", "", f"{HOST}/live/{KEY}", id="OBS: all in the server"),
        pytest.param(f"live/{KEY}/", "", f"{HOST}/live/{KEY}/", id="OBS: and a slash"),
        pytest.param(KEY, "", f"{HOST}/{KEY}", id="FFmpeg: no app, the key in its place"),
        pytest.param(f"live/{KEY}", "stream", f"{HOST}/live/{KEY}", id="a made-up key besides"),
        pytest.param("live", f"main?key={KEY}", f"{HOST}/live", id="a name with the key behind"),
        pytest.param("live", f"x?key={KEY}", f"{HOST}/live", id="another name with the key behind"),
        pytest.param(f"live/main?key={KEY}", "", f"{HOST}/live/main?key={KEY}", id="OBS: in one"),
        pytest.param("live", f"main?pass={KEY}", f"{HOST}/live", id="another argument"),
        pytest.param("live", f"main?a=1&token={KEY}&b=2", f"{HOST}/live", id="among others"),
        pytest.param("live", f"main?{KEY}", f"{HOST}/live", id="an argument without a name"),
        pytest.param(f"live?key={KEY}", "main", f"{HOST}/live?key={KEY}", id="behind the app"),
        pytest.param("live", "main", f"{HOST}/live?key={KEY}", id="in tcUrl alone"),
        pytest.param("live", f"{KEY}?token=abc&x=1", f"{HOST}/live", id="the key, and a query"),
        pytest.param("anything", KEY, f"{HOST}/anything", id="another app"),
        pytest.param("app/_definst_", KEY, f"{HOST}/app/_definst_", id="an app's instance"),
        pytest.param("live", f" {KEY}\r\n", f"{HOST}/live", id="blanks and a line break"),
        pytest.param("live", f"\u200b{KEY}\ufeff", f"{HOST}/live", id="blanks that nobody sees"),
        pytest.param("live", f"\u00a0{KEY}\u00a0", f"{HOST}/live", id="blanks of a web page"),
        pytest.param(" live ", f"live / {KEY}", f"{HOST}/live", id="blanks around slashes"),
        pytest.param("live", f'"{KEY}"', f"{HOST}/live", id="quotes"),
        pytest.param("live", f"\u201c{KEY}\u201d", f"{HOST}/live", id="quotes of a text program"),
        pytest.param("live", f"<{HOST}/live/{KEY}>", f"{HOST}/live", id="an address of a mail"),
        pytest.param("live", f"Key      {KEY}", f"{HOST}/live", id="the whole line"),
        pytest.param("live", f"{KEY}    (kept in /k.toml)", f"{HOST}/live", id="and its remark"),
        pytest.param("live", f"live%2F{KEY}", f"{HOST}/live", id="an escaped slash"),
        pytest.param("live", f"main%3Fkey%3D{KEY}", f"{HOST}/live", id="an escaped query"),
        pytest.param("live", KEY.replace("-", "%2d"), f"{HOST}/live", id="escaped hyphens"),
    ],
)
def test_every_way_of_filling_in_the_encoder_finds_the_stream(
    app: str, name: str, tc_url: str
) -> None:
    wish = asked(app, name, tc_url)
    assert [key.stream for key in RING.matches(offers(wish))] == ["main"]
    assert KEY not in masked(wish, RING.may_show)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(ODD_KEY, id="as it is"),
        pytest.param("p%C3%A4ss%3Dw%25rd%26%2B1", id="URL-encoded"),
        pytest.param("odd?key=p%C3%A4ss%3Dw%25rd%26%2B1", id="URL-encoded in a query"),
        pytest.param("odd?x=1&key=p%c3%a4ss=w%25rd%26+1", id="encoded where it has to be"),
    ],
)
def test_a_key_of_odd_characters_may_be_encoded(name: str) -> None:
    assert [key.stream for key in RING.matches(offers(asked("live", name)))] == ["odd"]


@pytest.mark.parametrize("name", ["", "main", KEY[:-1], KEY + "x", KEY.upper(), "live", "x" * 99])
def test_anything_but_the_key_matches_nothing(name: str) -> None:
    assert RING.matches(offers(asked("live", name, f"{HOST}/live"))) == []


@pytest.mark.parametrize(
    ("app", "name", "stream"),
    [
        pytest.param("live", "camera_2", "camera_2", id="server and key"),
        pytest.param("live", "camera_2?x=1", "camera_2", id="a query behind"),
        pytest.param("", "live/camera_2", "camera_2", id="the app in the key field"),
        pytest.param("live/camera_2", "", "camera_2", id="all in the server"),
        pytest.param("live/camera_2?x=1", "", "camera_2", id="with a query"),
        pytest.param("camera_2", " ", "camera_2", id="no app"),
        pytest.param("live", f"{HOST}/live/camera_2 ", "camera_2", id="the address in the key"),
        pytest.param("", "", "", id="nothing"),
    ],
)
def test_without_keys_the_last_part_is_the_name(app: str, name: str, stream: str) -> None:
    assert asked_name(asked(app, name)) == stream


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        (asked("live", KEY), "live/mai…"),
        (asked("live", "main"), "live/main"),
        (asked("live", f"main?key={KEY}"), "live/main?…"),
        (asked(f"live/{KEY}?a=b", ""), "live/mai…?…"),
        (asked("hunter2", "abc"), "h…/…"),
        (asked("", "\x1b[31mred-7777-8888-9999"), "?[3…"),
        (asked("", ""), ""),
    ],
)
def test_what_was_asked_is_shown_by_its_beginning(wish: Asked, shown: str) -> None:
    assert masked(wish, RING.may_show) == shown


def test_a_key_that_looks_like_a_common_word_is_not_shown() -> None:
    ring = KeyRing([StreamKey("main", "broadcast")])
    assert masked(asked("live", "broadcast"), ring.may_show) == "live/br…"


def test_an_encoder_that_repeats_what_it_asks_with_is_not_shown() -> None:
    obs = "FMLE/3.0 (compatible; FMSc/1.0)"
    assert shown_encoder(Asked("live", KEY, encoder=obs), RING.may_show) == obs
    assert shown_encoder(Asked("live", KEY, encoder=f"OBS {KEY}"), RING.may_show) == ""
    assert shown_encoder(Asked(encoder="a\x1bb" + "c" * 99), RING.may_show) == "a b" + "c" * 61


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_is_sent_a_bounded_number_of_words_comes_of_it(
    app: str, name: str, query: str, tc_url: str
) -> None:
    wish = Asked(app, name, query, tc_url)
    words = offers(wish)
    assert len(words) <= MOST_OFFERS
    assert all(0 < len(word) <= LONGEST_FIELD for word in words)
    assert masked(wish, lambda word: False).isprintable()
    assert asked_name(wish).strip() == asked_name(wish)


def test_the_words_that_count_are_the_first_ones_however_often_each_stands_there() -> None:
    wish = Asked(app="late", name="/".join(["again"] * 100 + [f"w{n}" for n in range(20)]))
    assert offers(wish) == tuple(f"w{n}" for n in range(19, 19 - MOST_OFFERS, -1))
    assert offers(Asked(app="a/" * 500 + "live", name="key")) == ("key", "live", "a")


def test_a_wish_does_not_show_itself_when_it_is_printed() -> None:
    wish = Asked(KEY, KEY, KEY, KEY, "192.0.2.7", KEY)
    assert KEY not in repr(wish)
