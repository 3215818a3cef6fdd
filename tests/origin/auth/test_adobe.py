"""Adobe's challenge: asked at the one app that is for it, and answered by who has the key."""

import re

import pytest

from origin.auth.adobe import GOOD_FOR_S, NEED_LOGIN, AdobeLogin, response_for

KEY = "main-7f3k-92qd-x4mv"
HOME = "192.0.2.7"
LOGIN = AdobeLogin("login", bytes(32))


def handed_out(user: str = "main", address: str = HOME, now: float = 100.0) -> dict[str, str]:
    said = LOGIN.objection(f"login?authmod=adobe&user={user}", address, now)
    assert said is not None
    return dict(pair.split("=", 1) for pair in said.partition("?")[2].split("&"))


def answer(given: dict[str, str], password: str = KEY, *, user: str = "main") -> str:
    """What librtmp and FFmpeg append to the app."""
    response = response_for(user, given["salt"], password, given["opaque"], "4a6f2c11")
    return (
        f"login?authmod=adobe&user={user}&challenge=4a6f2c11"
        f"&response={response}&opaque={given['opaque']}"
    )


@pytest.mark.parametrize("app", ["login", "login/", "LOGIN", "login/x", "login?x=1"])
def test_who_comes_to_log_in_is_asked_to(app: str) -> None:
    assert LOGIN.objection(app, HOME, 0.0) == NEED_LOGIN
    assert "code=403 need auth; authmod=adobe" in NEED_LOGIN


@pytest.mark.parametrize("app", ["live", "", "loginx", "live/login", "live?authmod=adobe&user=a"])
def test_nobody_else_is_asked(app: str) -> None:
    assert LOGIN.objection(app, HOME, 0.0) is None
    assert LOGIN.user_of(app) is None


def test_it_can_be_switched_off() -> None:
    assert AdobeLogin("", bytes(32)).objection("login", HOME, 0.0) is None


def test_the_challenge_is_written_as_encoders_read_it() -> None:
    said = LOGIN.objection("login?authmod=adobe&user=main", HOME, 100.0) or ""
    assert re.search(r"authmod=adobe ] : \?reason=needauth&user=main&salt=\w+&challenge=\w+&", said)


def test_the_right_password_is_found_among_the_keys() -> None:
    app = answer(handed_out())
    assert LOGIN.objection(app, HOME, 101.0) is None
    assert LOGIN.user_of(app) == "main"
    assert LOGIN.password_in(app, HOME, ["another", KEY, "third"], 101.0) == KEY


@pytest.mark.parametrize(
    ("app", "address", "now"),
    [
        pytest.param(answer(handed_out(), "wrong"), HOME, 101.0, id="a wrong password"),
        pytest.param(answer(handed_out()), HOME, 101.0 + GOOD_FOR_S, id="an old challenge"),
        pytest.param(answer(handed_out()), HOME, 99.0, id="a challenge of the future"),
        pytest.param(answer(handed_out()), "198.51.100.1", 101.0, id="another's challenge"),
        pytest.param(
            answer(handed_out("other"), user="main"), HOME, 101.0, id="another user's challenge"
        ),
        pytest.param(
            answer({"salt": "x", "opaque": "00000064" + "0" * 24}), HOME, 101.0, id="a forged one"
        ),
        pytest.param(answer({"salt": "x", "opaque": ""}), HOME, 101.0, id="none at all"),
        pytest.param("login?response=\ud800&opaque=\ud800", HOME, 101.0, id="garbage"),
    ],
)
def test_anything_else_is_no_password(app: str, address: str, now: float) -> None:
    assert LOGIN.password_in(app, address, [KEY], now) is None


def test_the_response_is_the_one_of_the_protocol() -> None:
    # base64(md5(base64(md5("usersaltpassword")) + "opaquechallenge")), by coreutils and openssl
    assert response_for("user", "salt", "password", "opaque", "challenge") == RESPONSE


RESPONSE = "lgd2o8T9PiJcWKJUUCTLEQ=="
