"""The gate: right keys come in, wrong ones wait longer each time, and nobody is locked out."""

from dataclasses import replace
from datetime import timedelta

import pytest

from origin.auth.adobe import AdobeLogin, response_for
from origin.auth.asking import Asked
from origin.auth.gate import OpenToAll
from origin.auth.hashing import slow_hash
from origin.auth.keyring import Grant
from origin.auth.keys import StreamKey
from origin.errors import Refused
from tests.support.clocks import EPOCH, FakeClock
from tests.support.gates import GateKeeper

KEY = "main-7f3k-92qd-x4mv"
MAIN = StreamKey("main", KEY)
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.1"


def asked(name: str, address: str = HOME) -> Asked:
    return Asked("live", name, address=address)


async def refusal(keeper: GateKeeper, wish: Asked) -> Refused:
    with pytest.raises(Refused) as refused:
        await keeper.gate.admit(wish)
    return refused.value


async def test_the_right_key_comes_in_at_once() -> None:
    keeper = GateKeeper([MAIN])
    assert await keeper.gate.admit(asked(KEY)) == Grant("main", MAIN)
    assert keeper.waits == []


@pytest.mark.parametrize(
    ("name", "reason", "aside"),
    [
        ("mian-7f3k-92qd-x4mv", "unknown stream key", "did you mean `main`?"),
        ("main", "unknown stream key", "`main` is the name of a stream, not its key"),
        ("nothing-like-it", "unknown stream key", ""),
        ("", "no stream key arrived", ""),
        ("late-2222", "expired on 2026-01-01", "a key of `late`"),
        ("gone-2222", "disabled", "a key of `gone`"),
    ],
)
async def test_a_refusal_says_why_and_more_to_whoever_runs_the_server(
    name: str, reason: str, aside: str
) -> None:
    late = StreamKey("late", "late-2222", expires=EPOCH - timedelta(days=1))
    keeper = GateKeeper([MAIN, late, StreamKey("gone", "gone-2222", disabled=True)])
    refused = await refusal(keeper, asked(name))
    assert reason in str(refused)
    assert refused.aside == aside
    if name:
        assert name not in str(refused)


async def test_wrong_keys_wait_longer_each_time_up_to_a_bound() -> None:
    keeper = GateKeeper([MAIN])
    for _ in range(8):
        await refusal(keeper, asked("wrong"))
    assert keeper.waits == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert keeper.gate.slowed == 7


async def test_a_right_key_waits_like_a_wrong_one_where_it_is_not_known() -> None:
    keeper = GateKeeper([MAIN])
    for _ in range(8):
        await refusal(keeper, asked("wrong"))
    assert await keeper.gate.admit(asked(KEY)) == Grant("main", MAIN)
    assert keeper.waits[-1] == 4.0


async def test_a_publisher_behind_the_same_router_as_a_guesser_comes_back_at_once() -> None:
    keeper = GateKeeper([MAIN])
    await keeper.gate.admit(asked(KEY))
    for _ in range(8):
        await refusal(keeper, asked("wrong"))
    keeper.waits.clear()
    await keeper.gate.admit(asked(KEY))
    await keeper.gate.admit(asked(KEY, ELSEWHERE))
    assert keeper.waits == []


async def test_a_disabled_key_is_not_trusted_for_what_it_was() -> None:
    keeper = GateKeeper([MAIN])
    await keeper.gate.admit(asked(KEY))
    keeper.ring.replace([replace(MAIN, disabled=True)])
    await refusal(keeper, asked(KEY))
    await refusal(keeper, asked(KEY))
    assert keeper.waits == [0.25]


async def test_a_key_that_is_slow_to_check_is_checked_in_a_thread_once() -> None:
    slow = StreamKey("main", hashed=slow_hash(KEY, bytes(16), log_n=4))
    keeper = GateKeeper([StreamKey("second", "other-2222"), slow])
    assert await keeper.gate.admit(asked("other-2222")) == Grant("second", keeper_key(keeper))
    assert keeper.thread_calls == 0
    await refusal(keeper, asked("wrong"))
    assert keeper.thread_calls == 1
    for _ in range(2):
        assert (await keeper.gate.admit(asked(KEY))).key == slow
    assert keeper.thread_calls == 2


def keeper_key(keeper: GateKeeper) -> StreamKey:
    return keeper.ring.matches(["other-2222"])[0]


async def test_leave_is_taken_back_with_its_key_and_not_by_its_expiry() -> None:
    guest = replace(MAIN, expires=EPOCH + timedelta(hours=1))
    keeper = GateKeeper([guest])
    grant = await keeper.gate.admit(asked(KEY))
    keeper.clock.advance(3600)
    assert keeper.gate.holds(grant)
    assert "expired" in str(await refusal(keeper, asked(KEY)))
    keeper.ring.replace([replace(guest, disabled=True)])
    assert not keeper.gate.holds(grant)


async def test_a_login_by_name_and_password_opens_the_stream() -> None:
    clock, login = FakeClock(), AdobeLogin("login", bytes(32))
    keeper = GateKeeper([MAIN, StreamKey("main", "second-key")], clock, login=login)
    wish = Asked(login_app(login, "main", KEY), "", address=HOME)
    assert await keeper.gate.admit(wish) == Grant("main", MAIN)
    wrong = Asked(login_app(login, "main", "wrong"), "", address=HOME)
    assert "user name or password" in str(await refusal(keeper, wrong))


async def test_a_login_to_a_hashed_key_is_explained() -> None:
    login = AdobeLogin("login", bytes(32))
    keeper = GateKeeper([StreamKey("main", hashed=slow_hash(KEY, bytes(16), log_n=4))], login=login)
    refused = await refusal(keeper, Asked(login_app(login, "main", KEY), "", address=HOME))
    assert "kept as hashes" in refused.aside
    refused = await refusal(keeper, Asked(login_app(login, "mian", KEY), "", address=HOME))
    assert refused.aside == "did you mean `main`?"


def login_app(login: AdobeLogin, user: str, password: str) -> str:
    """The app of the third connection of a login."""
    said = login.objection(f"login?authmod=adobe&user={user}", HOME, 0.0)
    assert said is not None
    given = dict(pair.split("=", 1) for pair in said.partition("?")[2].split("&"))
    response = response_for(user, given["salt"], password, given["opaque"], "00000001")
    fields = f"challenge=00000001&response={response}&opaque={given['opaque']}"
    return f"login?authmod=adobe&user={user}&{fields}"


async def test_an_open_door_takes_any_valid_name() -> None:
    assert await OpenToAll().admit(asked("camera_2")) == Grant("camera_2")
    with pytest.raises(Refused, match="letters"):
        await OpenToAll().admit(asked("caméra"))
    with pytest.raises(Refused, match="used by Tidecast"):
        await OpenToAll().admit(asked("api"))
    assert OpenToAll().holds(Grant("camera_2"))
    assert OpenToAll().knows("camera_2")
    assert OpenToAll().may_show("camera_2")
