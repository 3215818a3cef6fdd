"""How one resource is answered: lifetimes, conditions and compression."""

import pytest
from fastapi import Request
from fastapi.responses import Response

from origin.hls.resource import Resource
from origin.http.responses import IMMUTABLE, playlist_lifetime, respond

PLAIN = Resource((b"#EXTM3U\n",), 8, "application/vnd.apple.mpegurl", '"abc"')
PACKED = Resource((b"#EXTM3U\n",), 8, "application/vnd.apple.mpegurl", '"abc"', b"packed")


def ask(resource: Resource, **fields: str) -> Response:
    """Ask for a resource; underscores in header names stand for hyphens."""
    headers = [(name.replace("_", "-").encode(), text.encode()) for name, text in fields.items()]
    return respond(Request({"type": "http", "headers": headers}), resource, IMMUTABLE)


@pytest.mark.parametrize(("target_duration", "seconds"), [(0, 1), (1, 1), (2, 1), (6, 3), (7, 3)])
def test_a_playlist_is_kept_for_half_its_target_duration(
    target_duration: int, seconds: int
) -> None:
    assert playlist_lifetime(target_duration).anywhere == f"public, max-age={seconds}"


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"abc"', 304), ('W/"abc"', 304), ("*", 304), ('"x", "abc"', 304), ('"x"', 200)],
)
def test_if_none_match_is_compared_weakly(condition: str, status: int) -> None:
    assert ask(PLAIN, if_none_match=condition).status_code == status


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("gzip;q=0.000", False),
    ],
)
def test_gzip_goes_to_those_who_accept_it(accepted: str, is_packed: bool) -> None:
    answer = ask(PACKED, accept_encoding=accepted)
    assert (answer.body == b"packed") is is_packed
    assert (answer.headers.get("content-encoding") == "gzip") is is_packed
    assert answer.headers["etag"] == ('"abc-gzip"' if is_packed else '"abc"')
