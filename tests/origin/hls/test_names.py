from hypothesis import given
from hypothesis import strategies as st

from origin.hls.names import Place, part_name, place_of, stem_of


@given(st.integers(0, 10**20 - 1), st.integers(0, 10**9 - 1))
def test_names_tell_where_they_lead(msn: int, part: int) -> None:
    stem = stem_of("cafe", msn)
    assert place_of(part_name(stem, part), "cafe") == Place(msn, part)
    assert place_of(f"{stem}.m4s", "cafe") == Place(msn, None)


def test_other_names_lead_nowhere() -> None:
    for name in ("", "cafe-1", "cafe-1.ts", "cafe-01.m4s", "cafe-1.01.m4s", "cafe--1.m4s"):
        assert place_of(name, "cafe") is None
    assert place_of("babe-1.m4s", "cafe") is None
