"""A bounded memory of what was worked out before.

Ten thousand viewers of one stream send a few kinds of request heads, and each of them again and
again; each kind is read strictly, once. The memory has two generations: what is used moves to
the young one, and when that is full the old one is forgotten as a whole. So what is in use stays,
a hit costs one look-up, and a flood of unlike heads costs a fixed number of entries.
"""

from typing import Generic, TypeVar

V = TypeVar("V")
K = TypeVar("K")


class Memo(Generic[K, V]):
    """At most twice ``size`` values, the recently used among them."""

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        value = self._young.get(key)
        if value is None and self._old:
            value = self._old.pop(key, None)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value
