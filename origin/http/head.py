"""HEAD is GET without the body (RFC 9110, 9.3.2), for every address alike.

The routes are written for GET alone. If each of them had to remember HEAD, those that forget would
be shadowed by the watch page, which matches any first path component: HEAD /healthz would be 404.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadIsGet:
    """Asks the application with GET, and keeps the body to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_head = scope["type"] == "http" and scope["method"] == "HEAD"

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                _allow_head(MutableHeaders(scope=message))
            if message["type"] == "http.response.body" and is_head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if is_head else scope, receive, send_on)


def _allow_head(headers: MutableHeaders) -> None:
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
