import gzip

from hypothesis import given
from hypothesis import strategies as st

from origin.hls.resource import named, playlist


def test_a_named_resource_is_known_by_its_name() -> None:
    resource = named((b"one", b"two"), "video/mp4", "e1-7.m4s")
    assert resource.size == 6
    assert resource.etag == '"e1-7.m4s"'
    assert resource.gzip is None


@given(st.text())
def test_a_playlist_is_known_by_its_content(text: str) -> None:
    resource = playlist(text)
    assert b"".join(resource.pieces).decode() == text
    assert gzip.decompress(resource.gzip or b"") == resource.pieces[0]
    assert resource == playlist(text)
    assert resource.etag != playlist(text + "\n").etag
