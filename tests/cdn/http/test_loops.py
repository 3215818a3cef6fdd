"""Requests that go in circles: whose name stands in them, and how long the list may get."""

import pytest

from cdn.http.loops import MOST_CACHES, caches_in, extended, is_loop


@pytest.mark.parametrize(
    ("field", "caches"),
    [
        (b"", []),
        (
            b'foo123.foocdn.example, barcdn.example; trace="abcdef"',
            ["foo123.foocdn.example", "barcdn.example"],
        ),
        (b'AnotherCDN; abc=123; def="456"', ["AnotherCDN"]),
        (b" a ,, b,", ["a", "b"]),
    ],
)
def test_names_are_read_without_their_parameters(field: bytes, caches: list[str]) -> None:
    assert caches_in(field) == caches


def test_an_edge_knows_its_own_name_and_no_part_of_it() -> None:
    assert is_loop(b"a, edge-1; x=y", "edge-1")
    assert not is_loop(b"a, edge-12, b; edge-1", "edge-1")


def test_too_many_tiers_are_a_circle_of_others() -> None:
    field = b", ".join([b"x"] * (MOST_CACHES - 1))
    assert not is_loop(field, "edge")
    assert is_loop(field + b", x", "edge")


def test_an_edge_signs_behind_those_before_it() -> None:
    assert extended(b"", "edge") == "edge"
    assert extended(b"a; b=c, d", "edge") == "a; b=c, d, edge"
