"""The control token: what makes somebody an administrator of this server.

There is one, random, in a private file of the data directory: whoever may read that file may do
with the server what it can do, and nobody else. It is shown as ``Authorization: Bearer <token>``
(RFC 6750, 2.1) with every request that writes or that tells what is not public.
"""

import hmac
from collections.abc import Callable

from origin.errors import SettingsError

TOKEN_BYTES = 32
FEWEST_CHARACTERS = 16
_SCHEME = "bearer"


class ControlToken:
    """A token that can be compared and does not show itself."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def admits(self, authorization: str | None) -> bool:
        """Whether this is the ``Authorization`` of an administrator; takes as long either way."""
        scheme, _, shown = (authorization or "").partition(" ")
        is_right = hmac.compare_digest(self._token, shown.strip().encode())
        return is_right and scheme.lower() == _SCHEME


def new_token(random: Callable[[int], bytes]) -> str:
    """The text of a token file."""
    return random(TOKEN_BYTES).hex() + "\n"


def parse_token(text: str) -> ControlToken:
    """Read a token file; raise ``SettingsError`` if what it holds can be guessed."""
    token = text.strip()
    if len(token) < FEWEST_CHARACTERS or token.split() != [token] or not token.isascii():
        raise SettingsError(
            f"the control token is one word of at least {FEWEST_CHARACTERS} ASCII characters: "
            "delete its file and another one is made"
        )
    return ControlToken(token)
