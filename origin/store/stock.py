"""What is kept now: how many segments of each stream, and how many bytes of the disk they take.

Reckoned from what the writer has done rather than read off the disk: whoever asks is the event
loop, and a disk may hang. ``Stock`` belongs to the writer's thread; of ``totals`` other threads may
take a copy at any time, since its values are replaced and never changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Total(NamedTuple):
    """Of one stream."""

    segments: int
    bytes: int


class Stock:
    """The files of segments, by stream."""

    def __init__(self) -> None:
        self.totals: dict[str, Total] = {}
        self._files: dict[str, dict[Path, int]] = {}

    def find(self, owner: str, files: Mapping[Path, int]) -> None:
        """Take what was there before."""
        self._files.setdefault(owner, {}).update(files)
        self._sum_up(owner)

    def create(self, owner: str, path: Path, size: int) -> None:
        self._files.setdefault(owner, {})[path] = size
        self._sum_up(owner)

    def append(self, owner: str, path: Path, size: int) -> None:
        """A file has grown; one that is not known is none of ours to count."""
        files = self._files.get(owner, {})
        if path in files:
            files[path] += size
            segments, total = self.totals[owner]
            self.totals[owner] = Total(segments, total + size)

    def remove(self, owner: str, path: Path) -> None:
        """Forget a file, or all below a folder."""
        files = self._files.get(owner, {})
        if files.pop(path, None) is None:
            for each in [file for file in files if path in file.parents]:
                del files[each]
        self._sum_up(owner)

    def _sum_up(self, owner: str) -> None:
        files = self._files.get(owner, {})
        if files:
            self.totals[owner] = Total(len(files), sum(files.values()))
        else:
            self.totals.pop(owner, None)
            self._files.pop(owner, None)
