"""The pages, rendered on the server: a viewer reads the stream's state before any script runs.

A page is a picture of one moment, good for the second that an edge keeps it. It brings along what
`status.json` says at that moment, so that its script loads a live stream without asking first; the
script then asks and carries on without a reload. Rendering is a pure function of the view:
no clock, no look-up, so equal views give equal bytes and the edge's copy fits everyone. What
depends on the viewer (how long ago, in whose time zone) is said by the script.

The words for each state are written once, here. The page carries all of them as templates, and the
script (assets/message.js) puts the right one into a live region, so that a screen reader hears what
others see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import NamedTuple
from zlib import crc32

from jinja2 import Environment, PackageLoader, StrictUndefined

from player import assets


class PageState(Enum):
    """What a page shows; assets/state.js decides it and has the same list.

    The first five are what the server says of a stream, the others are what a browser finds out.
    LIVE means that the picture moves: a server's "live" is BUFFERING until it does.
    """

    OFFLINE = "offline"
    STARTING = "starting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    BUFFERING = "buffering"
    UNPLAYABLE = "unplayable"
    LOST = "lost"


class Words(NamedTuple):
    """How a state is called on its badge, and what the page says of it."""

    badge: str
    title: str
    detail: str


WORDS = {
    PageState.OFFLINE: Words(
        "Offline", "Not live right now", "Leave this page open: it starts by itself."
    ),
    PageState.STARTING: Words("Starting", "Starting…", "The first picture is on its way."),
    PageState.LIVE: Words("Live", "Live", ""),
    PageState.RECONNECTING: Words(
        "Reconnecting", "Reconnecting…", "The streamer's connection dropped. Waiting…"
    ),
    PageState.ENDED: Words(
        "Ended", "The stream has ended", "If it goes live again, this page starts by itself."
    ),
    PageState.BUFFERING: Words("Buffering", "Buffering…", "The picture is on its way."),
    PageState.UNPLAYABLE: Words(
        "Not playable",
        "This browser cannot play the stream",
        "Try another browser, or ask the streamer for H.264.",
    ),
    PageState.LOST: Words(
        "No connection", "Connection lost", "The server does not answer. Trying again…"
    ),
}


@dataclass(frozen=True, slots=True)
class StreamCard:
    """One stream on the home page."""

    name: str
    state: str
    """A server's state: offline, starting, live, reconnecting or ended."""
    since: datetime | None = None
    """When this session began; aware."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class StreamView:
    """One stream's watch page, and its embed."""

    name: str
    state: str
    """A server's state: offline, starting, live, reconnecting or ended."""
    last_live: datetime | None = None
    """When it was last live; aware. Shown while it is offline."""
    status: str = ""
    """What `status.json` would say at this moment; the script begins with it instead of asking."""


def _policy(*, framed_by: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "media-src 'self' blob:",  # hls.js hands its MediaSource to the video as a blob
            "connect-src 'self'",
            "worker-src 'self'",  # its worker is a file here, not a string made into a blob
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {framed_by}",
        )
    )


CONTENT_SECURITY_POLICY = _policy(framed_by="'none'")
"""For every page but the embed: nothing inline, nothing from elsewhere, in nobody's frame."""

EMBED_CONTENT_SECURITY_POLICY = _policy(framed_by="*")
"""For the embed, which exists to be framed; it has no control that acts in the viewer's name."""


def home_page(streams: Sequence[StreamCard]) -> str:
    """Render the list of streams, or how to start one."""
    return _render("home.html", streams=streams)


def watch_page(view: StreamView) -> str:
    """Render the page of one stream, in whatever state it is."""
    return _render("watch.html", view=view, state=_first_state(view))


def embed_page(view: StreamView) -> str:
    """Render the player alone, to be framed by other sites."""
    return _render("embed.html", view=view, state=_first_state(view))


def not_found_page() -> str:
    """Render what is said of an address that leads nowhere."""
    return _render("not_found.html")


def api_page(api: Mapping[str, object]) -> str:
    """Render what an OpenAPI description says; the usual viewers of it come from other hosts."""
    return _render("api.html", api=api)


def _first_state(view: StreamView) -> PageState:
    state = PageState(view.state)
    return PageState.BUFFERING if state is PageState.LIVE else state


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("player", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _badge(state: str) -> str:
    return WORDS[PageState(state)].badge


HUES = 6  # as many as the style sheet has


def _hue(name: str) -> int:
    """Choose a stream's colour: always the same one for the same name."""
    return crc32(name.encode()) % HUES


VOCABULARY = {
    "address": assets.address,
    "imports": assets.imports,
    "hue": _hue,
    "badge": _badge,
    "WORDS": WORDS,
}
"""What every template may use, those that are only imported by others, too."""


def _render(template: str, **context: object) -> str:
    return _environment().get_template(template, globals=VOCABULARY).render(**context)
