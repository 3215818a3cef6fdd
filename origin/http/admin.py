"""What only an administrator may ask: routes behind the control token (RFC 6750).

The control port is on loopback unless somebody opens it; the token is asked for in either case,
since anything that runs on the machine, a browser's page included, can reach loopback.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from origin.http.state import StateDependency

_CHALLENGE = 'Bearer realm="tidecast"'
_bearer = HTTPBearer(
    auto_error=False, description="the token in `control.token` of the data directory"
)


class NeedsToken(HTTPException):
    """401: no token was shown, or not the right one (RFC 6750, 3)."""

    def __init__(self, *, was_shown: bool) -> None:
        challenge = _CHALLENGE + (', error="invalid_token"' if was_shown else "")
        super().__init__(
            HTTPStatus.UNAUTHORIZED,
            "the control token is not the right one"
            if was_shown
            else "show the control token: Authorization: Bearer <token>",
            {"WWW-Authenticate": challenge, "Cache-Control": "no-store"},
        )


async def _admin(
    state: StateDependency,
    shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    token = state.token
    authorization = f"{shown.scheme} {shown.credentials}" if shown is not None else None
    if token is None or not token.admits(authorization):
        raise NeedsToken(was_shown=shown is not None)


ADMIN_ONLY = Depends(_admin)
"""A dependency of routes: without the token there is no answer but 401."""
