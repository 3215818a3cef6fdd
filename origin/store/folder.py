"""Where things lie under the data directory, and how they are found again.

::

    live/lock
    live/{stream}/note                       where the stream is, made anew whenever that changes
    live/{stream}/{session}/{number}.segment    a segment, from its first part on

A stream's name has passed the allow-list of names before it comes here, and a session's is made
by us; both are checked again when they are read from a disk. Only the digits of a segment's
number and the two words above ever stand in a file's name.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from origin.errors import SettingsError
from origin.store.disk import DRAFT_SUFFIX, PRIVATE_FOLDER
from origin.store.journal import Contents, ForeignFileError, Kind, Record, read
from origin.store.lock import LOCK_FILE

FOLDER = "live"
NOTE = "note"
SEGMENT_SUFFIX = ".segment"
LONGEST_FILE_BYTES = 1 << 30
_STREAM = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SESSION = re.compile(r"[A-Za-z0-9]{1,32}")
_SEGMENT = re.compile(r"([0-9]{1,19})\.segment")


@dataclass(frozen=True, slots=True)
class StreamFolder:
    """The place of one stream."""

    root: Path
    stream: str

    @property
    def path(self) -> Path:
        return self.root / self.stream

    @property
    def note(self) -> Path:
        return self.path / NOTE

    def session(self, session: str) -> Path:
        return self.path / session

    def segment(self, session: str, number: int) -> Path:
        return Path(f"{self.root}/{self.stream}/{session}/{number}{SEGMENT_SUFFIX}")


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """A segment's records, as far as they are whole; the first one is its BEGIN."""

    number: int
    records: tuple[Record, ...]

    @property
    def is_complete(self) -> bool:
        return self.records[-1].kind is Kind.END


@dataclass(frozen=True, slots=True)
class KeptStream:
    """What a disk has of one stream."""

    folder: StreamFolder
    note: Record
    sessions: Mapping[str, tuple[KeptSegment, ...]]
    """Segments in order; more than one session only where one was about to be removed."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A file or folder that could not be used, and why."""

    path: Path
    reason: str


def load(root: Path) -> tuple[list[KeptStream], list[Complaint]]:
    """Read all that is kept; files that end in the midst of a record are cut back to the last."""
    complaints: list[Complaint] = []
    streams: list[KeptStream] = []
    for folder in _stream_folders(root, complaints):
        note = _load_file(folder.note, complaints)
        if note is None or not note.records or note.records[0].kind is not Kind.NOTE:
            complaints.append(Complaint(folder.path, "nothing says what this was"))
            continue
        sessions = {
            path.name: _load_session(path, complaints) for path in _sessions(folder, complaints)
        }
        streams.append(KeptStream(folder, note.records[0], sessions))
    return streams, complaints


def segments_below(root: Path) -> dict[str, dict[Path, int]]:
    """Find the files of all segments, by stream, and how long they are; reads none of them."""
    found: dict[str, dict[Path, int]] = {}
    for path in root.glob(f"*/*/*{SEGMENT_SUFFIX}"):
        with contextlib.suppress(OSError):
            found.setdefault(path.parts[-3], {})[path] = path.stat().st_size
    return found


def make_root(data_dir: Path) -> Path:
    """Return the folder of everything that is kept, which nobody else may look into.

    Raises:
        SettingsError: it cannot be made.
    """
    root = data_dir / FOLDER
    try:
        root.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot use {root}: {error.strerror}; choose another place with --data-dir"
        ) from error
    return root


def _stream_folders(root: Path, complaints: list[Complaint]) -> Iterator[StreamFolder]:
    for path in _entries(root, complaints):
        if path.is_dir() and _STREAM.fullmatch(path.name):
            yield StreamFolder(root, path.name)
        elif path.name != LOCK_FILE:
            complaints.append(Complaint(path, "not the folder of a stream"))


def _sessions(folder: StreamFolder, complaints: list[Complaint]) -> Iterator[Path]:
    for path in _entries(folder.path, complaints):
        if path.is_dir() and _SESSION.fullmatch(path.name):
            yield path
        elif path.name not in (NOTE, f"{NOTE}{DRAFT_SUFFIX}"):
            complaints.append(Complaint(path, "not a session"))


def _entries(path: Path, complaints: list[Complaint]) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError as error:
        complaints.append(Complaint(path, error.strerror or str(error)))
        return []


def _load_session(folder: Path, complaints: list[Complaint]) -> tuple[KeptSegment, ...]:
    segments = [
        KeptSegment(int(found[1]), contents.records)
        for path in _entries(folder, complaints)
        if (found := _SEGMENT.fullmatch(path.name)) is not None
        and (contents := _load_file(path, complaints)) is not None
        and _is_a_segment(contents)
    ]
    return tuple(sorted(segments, key=lambda segment: segment.number))


def _load_file(path: Path, complaints: list[Complaint]) -> Contents | None:
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            complaints.append(Complaint(path, "too long to be ours"))
            return None
        contents = read(path.read_bytes())
        if contents.fault is not None:
            complaints.append(Complaint(path, contents.fault))
            os.truncate(path, contents.whole_bytes)
    except ForeignFileError as error:
        complaints.append(Complaint(path, str(error)))
        return None
    except OSError as error:
        complaints.append(Complaint(path, error.strerror or str(error)))
        return None
    return contents


def _is_a_segment(contents: Contents) -> bool:
    kinds = [record.kind for record in contents.records]
    parts = kinds[1:-1] if kinds[-1:] == [Kind.END] else kinds[1:]
    return kinds[:1] == [Kind.BEGIN] and bool(parts) and all(k is Kind.PART for k in parts)
