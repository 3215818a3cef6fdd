"""What is kept: entries by key, within a limit of memory, and the newest playlist of each path.

Memory is counted, not guessed: an entry costs the bytes of its body and its headers and a fixed
overhead, bodies in flight are counted as they grow, and the least recently used entries go as soon
as the sum passes the limit. (A slow reader may hold the bytes of an entry that is gone.)

Beside the entries stands an index, from a playlist's path to the key under which its newest good
copy came. A low-latency viewer asks for every version under another key (``_HLS_msn``,
``_HLS_part``), so the key that it asks for next is never one that is here; when the origin cannot
say, the newest version under any key is what it gets. Deltas (``_HLS_skip``) are useless to
whoever lacks the version before, so they are indexed apart, for those who ask for deltas; hls.js
does so all the time, and the newest whole playlist may be as old as its visit. The index names
keys, so it keeps nothing alive.
"""

from collections import OrderedDict

from cdn.cache.entry import Entry
from cdn.http.keys import Key


class Store:
    """Entries, the most recently used last."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._newest: dict[Key, Key] = {}
        self._doubted: set[Key] = set()
        self._stored_bytes = 0
        self._growing_bytes = 0
        self.evicted = 0
        """Entries that had to go because memory was short."""
        self.version = 0
        """Counts what has been put in or taken out."""

    def limit(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._make_room()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def used_bytes(self) -> int:
        return self._stored_bytes + self._growing_bytes

    def peek(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def touch(self, key: Key) -> None:
        """Note that an entry is in use."""
        self._entries.move_to_end(key)

    def keep(self, entry: Entry) -> Entry:
        """Put an entry in the place of whatever its key led to before."""
        self.version += 1
        before = self._entries.pop(entry.key, None)
        if before is not None:
            self._stored_bytes -= before.cost
        if entry.storable:
            self._entries[entry.key] = entry
            self._stored_bytes += entry.cost
            self._make_room()
        elif before is not None:
            self._forget_newest(entry.key)
        return entry

    def note_newest(self, entry: Entry) -> None:
        """Remember a good playlist as the newest of its path."""
        is_good = is_playlist(entry.key) and entry.head.status == 200
        if is_good and entry.key in self._entries:
            self._newest[_form(entry.key)] = entry.key
            self._doubted.discard(plain(entry.key))

    def newest(self, key: Key) -> Entry | None:
        """Return the newest playlist of this key's path that serves whoever asks for this key.

        Who asks for a delta holds a recent version (rfc8216bis, 6.3.7), and can read both forms.
        """
        found = [self._entries[self._newest[form]] for form in _forms(key) if form in self._newest]
        return max(found, key=lambda entry: entry.born_at, default=None)

    def doubt(self, key: Key) -> None:
        """Note that the origin has failed to say what is new of a playlist that is known."""
        if any(form in self._newest for form in _forms(key)):
            self._doubted.add(plain(key))

    def is_doubted(self, key: Key) -> bool:
        """Say whether the origin has failed since it last sent this playlist."""
        return plain(key) in self._doubted

    def grow(self, size: int) -> None:
        """Count bytes of a body in flight; less than nothing when they are in flight no more."""
        self._growing_bytes += size
        if size > 0:
            self._make_room()

    def purge(self, prefix: str) -> int:
        """Drop everything whose address begins with ``prefix``; return how many objects."""
        doomed = [key for key in self._entries if key.target.startswith(prefix)]
        for key in doomed:
            self._drop(key)
        return len(doomed)

    def _make_room(self) -> None:
        while self._entries and self.used_bytes > self._memory_bytes:
            self._drop(next(iter(self._entries)))
            self.evicted += 1

    def _drop(self, key: Key) -> None:
        self.version += 1
        self._stored_bytes -= self._entries.pop(key).cost
        self._forget_newest(key)

    def _forget_newest(self, key: Key) -> None:
        if self._newest and self._newest.get(form := _form(key)) == key:
            del self._newest[form]
            self._doubted.discard(plain(key))


def is_playlist(key: Key) -> bool:
    """Say whether a key leads to a playlist, with directives or without."""
    return key.target.partition("?")[0].endswith(".m3u8")


def has_directives(key: Key) -> bool:
    """Say whether the origin may hold a request for this key (rfc8216bis, 6.2.5.2)."""
    return "?" in key.target


def plain(key: Key) -> Key:
    """Return the key of the same resource without directives."""
    path, mark, _ = key.target.partition("?")
    return Key(path, key.gzip) if mark else key


def _form(key: Key) -> Key:
    """Return what all versions of a playlist share that are whole, or deltas of one kind."""
    path, _, directives = key.target.partition("?")
    _, skip, kind = directives.partition("_HLS_skip=")
    return Key(f"{path}?{skip}{kind}" if skip else path, key.gzip)


def _forms(key: Key) -> set[Key]:
    return {plain(key), _form(key)}
