"""What an encoder says when it wants to publish, and where in it a key may stand.

Encoders split an address into ``app`` and publish name in their own ways, and streamers paste
the whole of it, or half, into either field. OBS takes all of Server behind the host as ``app``
and Stream Key as the name; FFmpeg and librtmp cut the address at its second slash. So these are
all the same wish, and there are more::

    Server rtmp://host/live                      Key main-7f3k-92qd-x4mv
    Server rtmp://host/live/                     Key "main-7f3k-92qd-x4mv"  and a line break
    Server rtmp://host                           Key live/main-7f3k-92qd-x4mv
    Server rtmp://host/live/main-7f3k-92qd-x4mv  (no key)
    Server rtmp://host/live                      Key main?key=main-7f3k-92qd-x4mv
    Server rtmp://host/live/main?key=main-7f3k-92qd-x4mv   (no key)

Instead of knowing each of them, everything that could be a key is offered to the ring of keys,
the likeliest first: the values in a query, then the parts of a path from its end. A key opens
its stream wherever it stands, and the app's name is free. That gives nothing away: who sends a
dozen words has made a dozen guesses at once, against 59 bits.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import unquote

MOST_OFFERS = 12
"""Looked at in one wish. The longest of the ways above has five words in it."""

LONGEST_FIELD = 1024
"""Characters of a field that are looked at; an address of that length is no address."""

# What gets copied along with a key: blanks that can be seen and some that cannot, quotes of all
# sorts, the brackets around an address in a mail.
_BLANKS = " \t\r\n\v\f\u00a0\u2007\u200b\u200c\u200d\u2060\ufeff"
_WRAPPING = _BLANKS + "\"'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb<>"
_SEPARATORS = re.compile(r"[/\s]+")
_ARGUMENTS = re.compile(r"[&;?]")
_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")

_SHOWN_CHARACTERS = 3
_SHOWN_SHARE = 4  # and never more than a quarter
_LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish to publish, as it was sent. Any of the texts may hold a key, so none is shown."""

    app: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    """The publish name without its query."""
    query: str = field(default="", repr=False)
    tc_url: str = field(default="", repr=False)
    address: str = ""
    """The peer's, without its port."""
    encoder: str = field(default="", repr=False)


def offers(asked: Asked) -> tuple[str, ...]:
    """Every word of ``asked`` that may be a key, the likeliest first."""
    name = f"{asked.name}?{asked.query}" if asked.query else asked.name
    texts = (name, asked.app, asked.tc_url)
    found: dict[str, None] = {}
    for word in chain.from_iterable(_words(text[:LONGEST_FIELD]) for text in texts):
        found[word] = None
        if len(found) == MOST_OFFERS:
            break
    return tuple(found)


def asked_name(asked: Asked) -> str:
    """The last part of what came as app and publish name: a stream's name where no key is asked."""
    for text in (asked.name, asked.app):
        path = text[:LONGEST_FIELD].partition("?")[0]
        if parts := [part for part in map(clean, _SEPARATORS.split(path)) if part]:
            return parts[-1]
    return ""


def clean(word: str) -> str:
    """``word`` without what is copied along by accident."""
    return word.strip(_WRAPPING)


def masked(asked: Asked, may_show: Callable[[str], bool]) -> str:
    """``asked`` as it may be written down: ``live/mai…``.

    A word is shown whole where ``may_show`` says so, and else by its beginning: enough for its
    owner to recognise it, and nothing to begin a guess with.
    """
    shown: list[str] = []
    for text in (asked.app, asked.name):
        path = text[:LONGEST_FIELD].partition("?")[0]
        shown += [_mask(part, may_show) for part in map(clean, _SEPARATORS.split(path)) if part]
    has_query = asked.query or "?" in asked.app
    return "/".join(shown[:MOST_OFFERS]) + ("?…" if has_query else "")


def shown_encoder(asked: Asked, may_show: Callable[[str], bool]) -> str:
    """How the encoder names itself; nothing if that holds a word of what it asks with."""
    said = asked.encoder[:LONGEST_FIELD]
    if any(word in said for word in offers(asked) if not may_show(word)):
        return ""
    return _UNPRINTABLE.sub(" ", said)[:_LONGEST_SHOWN].strip()


def _mask(word: str, may_show: Callable[[str], bool]) -> str:
    if may_show(word):
        return word
    length = min(_SHOWN_CHARACTERS, len(word) // _SHOWN_SHARE)
    return _UNPRINTABLE.sub("?", word[:length]) + "…"


def _words(text: str) -> Iterator[str]:
    """The words of one field, as they stand and with %-escapes resolved."""
    for spelling in dict.fromkeys((text, unquote(text))):
        path, _, query = spelling.partition("?")
        values = [pair.partition("=")[2] or pair for pair in _ARGUMENTS.split(query)]
        for word in dict.fromkeys((*values, *reversed(_SEPARATORS.split(path)))):
            for variant in (clean(word), clean(unquote(word))):
                if variant:
                    yield variant
