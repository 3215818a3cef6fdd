"""Adobe's challenge: the user name and password that OBS and FFmpeg ask for beside the key.

Neither sends them unless it is asked to, and it can only be asked in the answer to ``connect``,
before it has said which key it has. An encoder without a password would fail there. So only who
connects to an app of that purpose (``rtmp://host/login``) is asked; the user is the stream's
name, the password one of its keys. Three connections follow one another::

    connect app=login                              -> code=403 need auth; authmod=adobe
    connect app=login?authmod=adobe&user=main      -> reason=needauth, salt, challenge, opaque
    connect ...&challenge=C&response=R&opaque=O    -> accepted; R is checked at publish

    R = base64(md5(base64(md5(user + salt + password)) + opaque + C))

Nothing is remembered between them: what we hand out carries its time and a seal over it, the user
and the address, and is good for a minute. MD5 is the protocol's choice. It hides a random key well
enough; over RTMP without TLS it is still more than the key itself, which everybody else sends.
A key that is kept as a hash cannot be used this way, since R cannot be computed from that.

The texts are the ones that librtmp and FFmpeg search for.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping

GOOD_FOR_S = 60
_SEAL_CHARACTERS = 24
_TIME_CHARACTERS = 8
_LONGEST_APP = 1024

_REJECT = "[ AccessManager.Reject ] : "
NEED_LOGIN = _REJECT + "[ code=403 need auth; authmod=adobe ] : "


class AdobeLogin:
    """Asks, and checks what is answered. ``secret`` is 32 random bytes, for as long as it lives."""

    def __init__(self, app: str, secret: bytes) -> None:
        self._app = app.strip("/").lower()
        self._secret = secret

    def objection(self, app: str, address: str, now: float) -> str | None:
        """What to answer to ``connect`` instead of yes; None if there is nothing to ask."""
        path, _, query = app[:_LONGEST_APP].partition("?")
        fields = _fields(query)
        is_login = path.split("/")[0].lower() == self._app
        if not self._app or not is_login or "response" in fields:
            return None
        user = fields.get("user", "")
        if fields.get("authmod") != "adobe" or not user:
            return NEED_LOGIN
        token = self._token(user, address, int(now))
        return (
            f"{_REJECT}[ authmod=adobe ] : ?reason=needauth&user={user}"
            f"&salt={self._salt(user)}&challenge={token}&opaque={token}"
        )

    def user_of(self, app: str) -> str | None:
        """Who says to be logged in by ``app``; None if it has nothing to do with a login."""
        path, _, query = app[:_LONGEST_APP].partition("?")
        fields = _fields(query)
        if not self._app or path.split("/")[0].lower() != self._app or "response" not in fields:
            return None
        return fields.get("user", "")

    def password_in(
        self, app: str, address: str, passwords: Iterable[str], now: float
    ) -> str | None:
        """Which of ``passwords`` the response in ``app`` was made with; None if none of them."""
        fields = _fields(app[:_LONGEST_APP].partition("?")[2])
        user, token = fields.get("user", ""), fields.get("opaque", "")
        if not self._is_ours(token, user, address, now):
            return None
        found = None
        for password in passwords:
            expected = response_for(
                user, self._salt(user), password, token, fields.get("challenge", "")
            )
            if _are_alike(expected, fields.get("response", "")):
                found = password
        return found

    def _salt(self, user: str) -> str:
        return self._seal("salt", user)[:8]

    def _token(self, user: str, address: str, at: int) -> str:
        stamp = f"{at & 0xFFFFFFFF:0{_TIME_CHARACTERS}x}"
        return stamp + self._seal("token", stamp, address, user)

    def _is_ours(self, token: str, user: str, address: str, now: float) -> bool:
        stamp, seal = token[:_TIME_CHARACTERS], token[_TIME_CHARACTERS:]
        expected = self._seal("token", stamp, address, user)
        if not _are_alike(expected, seal):
            return False
        return 0 <= int(now) - int(stamp, 16) <= GOOD_FOR_S

    def _seal(self, *texts: str) -> str:
        data = "\0".join(texts).encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, data, "sha256").hexdigest()[:_SEAL_CHARACTERS]


def response_for(user: str, salt: str, password: str, opaque: str, challenge: str) -> str:
    """What an encoder with this password answers."""
    return _md5(_md5(user + salt + password) + opaque + challenge)


def _md5(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _are_alike(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )


def _fields(query: str) -> Mapping[str, str]:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {name: value for name, _, value in pairs}
