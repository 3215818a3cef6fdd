"""Every way to cut a run of bytes: what a parser must not care about."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

Cutter: TypeAlias = Callable[[bytes], Iterator[bytes]]


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        yield data[at : at + 1]


def in_halves(data: bytes) -> Iterator[bytes]:
    middle = len(data) // 2
    yield data[:middle]
    yield data[middle:]


every_way = pytest.mark.parametrize("cut", [whole, byte_by_byte, in_halves])
"""Runs a test once for each; the test takes ``cut``."""
