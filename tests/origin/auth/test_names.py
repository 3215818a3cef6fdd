"""What may stand in an address is a stream's name; everything else is refused."""

import pytest

from origin.auth.names import checked_name, is_stream_name
from origin.errors import Refused


@pytest.mark.parametrize("name", ["a", "9", "_", "-", "Main-2_x", "x" * 64, "apis"])
def test_names_of_letters_digits_hyphens_and_underscores_are_names(name: str) -> None:
    assert is_stream_name(name)
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("api", "METRICS", "assets", "docs", "studio", "healthz", "x" * 65, "x" * 60_000),
        *("", " ", "a b", "a\tb", "main\n", "main\r\n", "main\0", "\0", "\u200bmain"),
        *(".", "..", "a.b", "main.m3u8", "a/b", "/main", "main/", "../main", "a\\b"),
        *("%2e%2e", "a%2fb", "main?x", "main#x", "main;x", "main:80", "~main", "$main", "ma*n"),
        *("mäin", "ma\u0131n", "\u212aing", "\u0663", "\uff4dain", "\ud800", "🎥"),
        *("<b>", '"', "'", "-- ;"),
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_names_that_cannot_stand_in_an_address_are_refused(name: str) -> None:
    assert not is_stream_name(name)
    with pytest.raises(Refused):
        checked_name(name)
