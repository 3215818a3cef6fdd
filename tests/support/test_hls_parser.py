"""The second eye on playlists: its findings are told, and so is that it is not set up."""

from pathlib import Path

import pytest

from tests.support.hls_parser import check_playlists

GOOD = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:1
#EXTINF:2.00000,
a.ts
"""
TOO_LONG = GOOD.replace("#EXTINF:2.00000", "#EXTINF:3.00000")
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=100000
v0/index.m3u8
"""


def test_playlists_are_checked_in_their_order() -> None:
    checked = check_playlists([("good", GOOD), ("bad", TOO_LONG), ("master", MASTER)])

    assert [each.name for each in checked] == ["good", "bad", "master"]
    assert [each.kind for each in checked] == ["media", None, "master"]
    assert checked[0].findings == checked[2].findings == []
    assert "target duration" in checked[1].findings[0]


def test_tools_that_are_not_set_up_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup-tests"):
        check_playlists([("good", GOOD)], tools=tmp_path)
