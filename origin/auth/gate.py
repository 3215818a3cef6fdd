"""The gate: one wish to publish, from what was asked to leave or refusal.

In the order in which things happen: the words that may be keys are compared with the ring; an
address with failures behind it waits (``origin.auth.slowing``), whether the key is right or not;
a key that only a slow hash knows is tried in a thread; and what came of it is remembered for the
address. Time, waiting and the thread are handed in.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from origin.auth.adobe import AdobeLogin
from origin.auth.asking import Asked, asked_name, offers
from origin.auth.hashing import digest_of
from origin.auth.hints import hint_for
from origin.auth.keyring import Denial, Grant, KeyRing, judge
from origin.auth.keys import StreamKey, is_usable
from origin.auth.names import checked_name, is_stream_name
from origin.auth.slowing import Slowing
from origin.errors import Refused

UNKNOWN_KEY = (
    "unknown stream key: copy it again from where Tidecast was started, "
    "without blanks, into Settings > Stream > Stream Key"
)
NO_KEY = "no stream key arrived: copy it into Settings > Stream > Stream Key"

SLOW_OFFERS = 2
"""Words of one wish that slow hashes are tried with: each costs a tenth of a second for each."""


class Admission(Protocol):
    """What decides over a publish."""

    async def admit(self, asked: Asked) -> Grant:
        """Return leave to publish, or raise ``Refused``."""
        ...

    def knows(self, stream: str) -> bool:
        """Whether ``stream`` could be published here (its page exists before it is live)."""
        ...

    def holds(self, grant: Grant) -> bool:
        """Whether leave that was given still stands: keys can be taken back."""
        ...

    def may_show(self, word: str) -> bool:
        """Whether a word of what was asked can be written down as it is."""
        ...


class OpenToAll:
    """Any name may publish, and is its own stream: for tests and closed networks."""

    async def admit(self, asked: Asked) -> Grant:
        return Grant(checked_name(asked_name(asked)))

    def knows(self, stream: str) -> bool:
        return True

    def holds(self, grant: Grant) -> bool:
        return True

    def may_show(self, word: str) -> bool:
        return is_stream_name(word)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gate cannot make for itself."""

    monotonic: Callable[[], float]
    wall: Callable[[], datetime]
    wait: Callable[[float], Awaitable[None]]
    in_thread: Callable[[Callable[[], None]], Awaitable[None]]
    """Runs a function in a thread, one at a time, and waits for it."""


class Gate:
    """Publishing needs a key from the ring."""

    def __init__(
        self,
        ring: KeyRing,
        surroundings: Surroundings,
        *,
        slowing: Slowing | None = None,
        login: AdobeLogin | None = None,
    ) -> None:
        self._ring = ring
        self._around = surroundings
        self._login = login
        self.slowing = slowing or Slowing()
        self.slowed = 0
        """Wishes that had to wait."""

    async def admit(self, asked: Asked) -> Grant:
        offered = offers(asked)
        found = self._login_of(asked) or self._ring.matches(offered)
        address, failed = asked.address, True
        delay = self.slowing.begin(address, self._around.monotonic())
        try:
            if delay and not self._is_trusted(address, found):
                self.slowed += 1
                await self._around.wait(delay)
            if not found:
                found = await self._try_hashes(offered)
            verdict = judge(found, self._around.wall())
            failed = not isinstance(verdict, Grant)
        finally:
            self.slowing.end(address, self._around.monotonic(), failed=failed)
        if isinstance(verdict, Grant):
            assert verdict.key is not None, "the ring grants by keys"
            self.slowing.trust(address, _mark(verdict.key))
            return verdict
        denial = verdict or self._unknown(asked, offered)
        raise Refused(denial.reason, aside=denial.hint)

    def objection(self, app: str, address: str) -> str | None:
        """What to answer to ``connect`` instead of yes: that a login is asked for."""
        if self._login is None:
            return None
        return self._login.objection(app, address, self._around.monotonic())

    def knows(self, stream: str) -> bool:
        return self._ring.knows(stream)

    def holds(self, grant: Grant) -> bool:
        return self._ring.holds(grant)

    def may_show(self, word: str) -> bool:
        return self._ring.may_show(word)

    def _login_of(self, asked: Asked) -> list[StreamKey]:
        """The key that a password was, if one was used."""
        user = self._login.user_of(asked.app) if self._login is not None else None
        if self._login is None or user is None:
            return []
        keys = self._ring.secrets_of(user, self._around.wall())
        passwords = [key.secret for key in keys if key.secret is not None]
        now = self._around.monotonic()
        password = self._login.password_in(asked.app, asked.address, passwords, now)
        return [key for key in keys if key.secret == password]

    def _is_trusted(self, address: str, found: Sequence[StreamKey]) -> bool:
        now = self._around.wall()
        return any(
            is_usable(key, now) and self.slowing.trusts(address, _mark(key)) for key in found
        )

    async def _try_hashes(self, offered: Sequence[str]) -> list[StreamKey]:
        keys, words = self._ring.unproven(offered), offered[:SLOW_OFFERS]
        if not keys or not words:
            return []
        found: list[tuple[StreamKey, str]] = []

        def find() -> None:
            pairs = ((key, word) for key in keys for word in words)
            found.extend(
                (key, word)
                for key, word in pairs
                if not found and key.hashed is not None and key.hashed.fits(word)
            )

        await self._around.in_thread(find)
        for key, word in found:
            self._ring.prove(key, word)
        return [key for key, _ in found]

    def _unknown(self, asked: Asked, offered: Sequence[str]) -> Denial:
        streams = self._ring.streams
        if self._login is not None and (user := self._login.user_of(asked.app)) is not None:
            hint = "keys that are kept as hashes cannot be used as passwords"
            return Denial(
                "user name or password are wrong: the user is the stream's name, "
                "the password its key",
                hint if user in streams else hint_for([user], streams),
            )
        said_nothing = not asked.name.strip() and all(self._ring.may_show(w) for w in offered[:1])
        return Denial(NO_KEY if said_nothing else UNKNOWN_KEY, hint_for(offered, streams))


def _mark(key: StreamKey) -> bytes:
    """By what a key is remembered: not by itself."""
    return digest_of(key.kept_as)
