"""Encoded media, once per run: everything in this folder is made of these domains."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.pushers import Picture, Sound
from tests.validator.content import (
    Broadcast,
    Domain,
    Recipe,
    encode,
    fmp4_broadcast,
    ts_broadcast,
    ts_joined,
)
from tests.validator.low_latency import low_latency_broadcast

PICTURE = Picture(width=160, height=90, b_frames=2, bitrate_k=120)
OTHER_PICTURE = Picture(width=192, height=108, b_frames=0, bitrate_k=120)
LONG_GOPS = Picture(width=160, height=90, gop_frames=90, bitrate_k=120)


@pytest.fixture(scope="session")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Domain]:
    """One picture, then another; and each kind alone."""
    base = tmp_path_factory.mktemp("domains")
    recipes = {
        "first": Recipe(PICTURE, Sound(), 12),
        "second": Recipe(OTHER_PICTURE, Sound(), 12),
        "audio": Recipe(None, Sound(), 11),
        "video": Recipe(PICTURE, None, 8),
        "plain video": Recipe(replace(PICTURE, b_frames=0), None, 8),
        "other video": Recipe(OTHER_PICTURE, None, 8),
        "long": Recipe(LONG_GOPS, None, 12),
    }
    return {name: encode(recipe, base / name) for name, recipe in recipes.items()}


@pytest.fixture(scope="session")
def broadcasts(
    domains: Mapping[str, Domain], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Broadcast]:
    """Good broadcasts, and the one that its container alone makes bad."""
    joined = tmp_path_factory.mktemp("joined") / "ts"
    both = [domains["first"], domains["second"]]
    return {
        "fmp4": fmp4_broadcast(both),
        "ts": ts_broadcast(both),
        "fmp4 audio": fmp4_broadcast([domains["audio"]]),
        "ts audio": ts_broadcast([domains["audio"]]),
        "ts joined": ts_joined(domains["plain video"], domains["other video"], joined),
        "parts": low_latency_broadcast(both),
        "parts audio": low_latency_broadcast([domains["audio"]]),
        "parts video": low_latency_broadcast([domains["video"]]),
        "fmp4 video": fmp4_broadcast([domains["video"]]),
    }
