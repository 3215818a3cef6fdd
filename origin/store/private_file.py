"""A text file that only its owner may read, made whole or not at all.

It is written beside its place and linked there, so that a crash leaves either no file or a
complete one, and two processes that start at once agree on one: half a key file would lock the
streamer out for good.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from origin.errors import SettingsError


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Return the text of ``path``; if there is no such file, write what ``make`` returns first.

    Raises:
        SettingsError: the file or its directory cannot be used; says which, and why.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_privately(path, make())
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot use {path}: {error.strerror}; choose another place with --data-dir",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text") from error


def replace(path: Path, text: str) -> None:
    """Put ``text`` in the place of what ``path`` holds; who reads it sees one or the other.

    Raises:
        SettingsError: it cannot be written; says why.
    """
    try:
        draft = _write_draft(path, text)
        os.replace(draft, path)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from error


def _write_privately(path: Path, text: str) -> None:
    draft = _write_draft(path, text)
    try:
        with contextlib.suppress(FileExistsError):  # another process was first: its file stands
            os.link(draft, path)
    finally:
        draft.unlink()


def _write_draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
