"""The key file: ``keys.toml``, read, written, and changed in place.

::

    [[key]]
    stream = "main"
    key = "main-7f3k-92qd-x4mv"          # or key_hash = "...", as `tidecast keys hash` makes it
    note = "studio"                       # the rest is optional
    disabled = true
    expires = 2026-12-31T00:00:00Z

People edit this file, so a change made by a command is made to the lines of one table, and their
comments stay where they are. What comes out is read back and compared with what was meant; a file
that is written in a way that these few rules do not cover is left alone.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import cast

from origin.auth.hashing import parse_hash
from origin.auth.keys import StreamKey, complaint_about
from origin.auth.names import checked_name
from origin.errors import Refused, SettingsError

_FIELDS = {"stream", "key", "key_hash", "note", "disabled", "expires"}
_HEAD = (
    "# Stream keys: whoever has one can publish that stream.\n"
    "# A change holds at once; `tidecast keys --help` makes the usual ones.\n"
)
_BY_HAND = "the key file is written in a way of its own: edit it by hand"
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*key[ \t]*\]\]", re.MULTILINE)


def parse_keys(text: str) -> tuple[StreamKey, ...]:
    """Read a key file: a ``[[key]]`` table per key.

    Raises:
        SettingsError: naming the entry that is wrong and what it should be.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the key file is not valid TOML: {error}") from error
    entries = tables.get("key")
    if not isinstance(entries, list) or set(tables) != {"key"}:
        raise SettingsError("the key file holds [[key]] tables, each with `stream` and `key`")
    keys: list[StreamKey] = []
    for number, entry in enumerate(cast("list[object]", entries), start=1):
        try:
            keys.append(_parse_entry(entry))
        except (Refused, SettingsError) as error:
            raise SettingsError(f"key file, entry {number}: {error}") from error
    return _checked_together(keys)


def render_keys(keys: Iterable[StreamKey]) -> str:
    """The text of a key file, as ``parse_keys`` reads it."""
    return _HEAD + "".join(_render(key) for key in keys)


def with_key_added(text: str, key: StreamKey) -> str:
    """``text`` with one more key at its end."""
    if not parse_or_none(text):
        return render_keys([key])
    return _checked_change(text.rstrip() + "\n" + _render(key), [*parse_keys(text), key])


def with_key_changed(text: str, number: int, changed: StreamKey) -> str:
    """``text`` in which the key ``number`` (from 0) is ``changed``; the stream stays the same."""
    keys = list(parse_keys(text))
    starts = [found.start() for found in _TABLE.finditer(text)]
    if len(starts) != len(keys):
        raise SettingsError(_BY_HAND)
    ends = [*starts[1:], len(text)]
    block = text[starts[number] : ends[number]]
    keys[number] = changed
    lines = _without(block, _FIELDS - {"stream"})
    behind = _stream_line(lines) + 1
    new = "".join([*lines[:behind], *_fields(changed), *lines[behind:]])
    return _checked_change(text[: starts[number]] + new + text[ends[number] :], keys)


def parse_or_none(text: str) -> tuple[StreamKey, ...] | None:
    """The keys of ``text``; None if there is nothing in it but comments."""
    is_empty = not any(line.split("#")[0].strip() for line in text.splitlines())
    return None if is_empty else parse_keys(text)


def _parse_entry(entry: object) -> StreamKey:
    if not isinstance(entry, dict):
        raise SettingsError("give `stream` and `key`")
    values = cast("dict[str, object]", entry)
    if unknown := set(values) - _FIELDS:
        raise SettingsError(f"unknown field `{min(unknown)}`; there are {_listed(_FIELDS)}")
    if "stream" not in values or ("key" in values) == ("key_hash" in values):
        raise SettingsError("give exactly `stream` and `key`, or `stream` and `key_hash`")
    for name in ("stream", "key", "key_hash", "note"):
        if not isinstance(values.get(name, ""), str):
            raise SettingsError("`stream`, `key`, `key_hash` and `note` are strings")
    if not isinstance(values.get("disabled", False), bool):
        raise SettingsError("`disabled` is true or false")
    key = StreamKey(
        checked_name(cast(str, values["stream"])),
        secret=cast("str | None", values.get("key")),
        hashed=parse_hash(cast(str, values["key_hash"])) if "key_hash" in values else None,
        note=cast(str, values.get("note", "")),
        disabled=cast(bool, values.get("disabled", False)),
        expires=_parse_time(values["expires"]) if "expires" in values else None,
    )
    if key.secret is not None and (complaint := complaint_about(key.secret)):
        raise SettingsError(complaint)
    return key


def _parse_time(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise SettingsError("`expires` is a time with its zone, such as 2026-12-31T00:00:00Z")
    return value.astimezone(UTC)


def _checked_together(keys: Sequence[StreamKey]) -> tuple[StreamKey, ...]:
    """What only shows when all keys are looked at."""
    streams = {key.stream for key in keys}
    seen: dict[str, str] = {}
    for number, key in enumerate(keys, start=1):
        if key.secret in streams:
            raise SettingsError(
                f"key file, entry {number}: the key is a stream's name, which viewers know"
            )
        if seen.setdefault(key.kept_as, key.stream) != key.stream:
            raise SettingsError(f"key file, entry {number}: the same key opens another stream")
    return tuple(keys)


def _render(key: StreamKey) -> str:
    return "".join(["\n[[key]]\n", f'stream = "{key.stream}"\n', *_fields(key)])


def _fields(key: StreamKey) -> list[str]:
    """The lines of a table behind its stream."""
    field = "key" if key.secret is not None else "key_hash"
    lines = [f"{field} = {_quoted(key.kept_as)}\n"]
    if key.note:
        lines.append(f"note = {_quoted(key.note)}\n")
    if key.disabled:
        lines.append("disabled = true\n")
    if key.expires is not None:
        lines.append(f"expires = {key.expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
    return lines


def _without(block: str, fields: Iterable[str]) -> list[str]:
    pattern = re.compile(rf"[ \t]*({'|'.join(fields)})[ \t]*=")
    return [line for line in block.splitlines(keepends=True) if not pattern.match(line)]


def _stream_line(lines: Sequence[str]) -> int:
    for number, line in enumerate(lines):
        if re.match(r"[ \t]*stream[ \t]*=.*\n", line):
            return number
    raise SettingsError(_BY_HAND)


def _checked_change(text: str, keys: Sequence[StreamKey]) -> str:
    """``text`` if it says what was meant."""
    try:
        said = parse_keys(text)
    except SettingsError as error:
        raise SettingsError(f"not changed: {error}") from error
    if said != tuple(keys):
        raise SettingsError(_BY_HAND)
    return text


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c[0]):04x}", escaped) + '"'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
