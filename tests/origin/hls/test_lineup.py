"""Which renditions there are, and what becomes of them while tracks come and go."""

import pytest

from origin.hls.lineup import MOST_RENDITIONS, Lineup, Place
from origin.media.coded import MediaKind, TrackId


def tracks(words: str) -> list[TrackId]:
    """``v0 a1`` are the first picture and the second sound."""
    kinds = {"v": MediaKind.VIDEO, "a": MediaKind.AUDIO}
    return [TrackId(kinds[word[0]], int(word[1:])) for word in words.split()]


def words(found: tuple[TrackId, ...]) -> str:
    return " ".join(f"{track.kind.value[0]}{track.number}" for track in found)


def filled(places: tuple[Place, ...]) -> dict[str, str]:
    """What is in each; those that are not offered in brackets."""
    return {
        place.name if place.is_offered else f"({place.name})": words(place.tracks)
        for place in places
    }


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param("v0 a0", {"v0": "v0 a0"}, id="one of each"),
        pytest.param("v0", {"v0": "v0"}, id="a picture alone"),
        pytest.param("a0", {"v0": "a0"}, id="a sound alone"),
        pytest.param("a3", {"v0": "a3"}, id="a sound alone, with a number of its own"),
        pytest.param("a0 v1 v0", {"v0": "v0 a0", "v1": "v1 a0"}, id="two pictures"),
        pytest.param(
            "v0 v1 a0 a1", {"p0": "v0", "p1": "v1", "a0": "a0", "a1": "a1"}, id="two of each"
        ),
        pytest.param("v0 a1 a2", {"p0": "v0", "a1": "a1", "a2": "a2"}, id="two sounds"),
        pytest.param("a0 a1", {"a0": "a0", "a1": "a1"}, id="two sounds alone"),
    ],
)
def test_sound_is_in_the_pictures_files_where_there_is_nothing_to_choose(
    present: str, expected: dict[str, str]
) -> None:
    assert filled(Lineup().arrange(tracks(present))) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("v0 v1 a0", "v0 a0", {"v0": "v0 a0", "(v1)": "v0 a0"}, id="the low one ends"),
        pytest.param("v0 v1 a0", "v1 a0", {"v1": "v1 a0", "(v0)": "v1 a0"}, id="the high one ends"),
        pytest.param(
            "v0 v1 v2 a0",
            "v0 v2 a0",
            {"v0": "v0 a0", "v2": "v2 a0", "(v1)": "v2 a0"},
            id="the next one takes its place",
        ),
        pytest.param("v0 a0", "v0 v1 a0", {"v0": "v0 a0", "v1": "v1 a0"}, id="a picture comes"),
        pytest.param("v0 a0", "a0", {"v0": "a0"}, id="the only picture ends"),
        pytest.param(
            "v0 a0",
            "v0 a0 a1",
            {"p0": "v0", "a0": "a0", "a1": "a1", "(v0)": "v0 a0"},
            id="a second sound comes",
        ),
        pytest.param(
            "v0 a0 a1", "v0 a0", {"p0": "v0", "a0": "a0", "(a1)": "a0"}, id="a sound ends"
        ),
        pytest.param(
            "v0 a0 a1", "a0 a1", {"a0": "a0", "a1": "a1", "(p0)": ""}, id="nothing for a picture"
        ),
        pytest.param("v0 a0 a1", "v0", {"p0": "v0", "(a0)": "", "(a1)": ""}, id="nor for a sound"),
    ],
)
def test_whoever_plays_goes_on_with_what_is_nearest(
    before: str, after: str, expected: dict[str, str]
) -> None:
    lineup = Lineup()
    lineup.arrange(tracks(before))
    assert filled(lineup.arrange(tracks(after))) == expected


def test_a_track_that_comes_back_is_itself_again() -> None:
    lineup = Lineup()
    first = lineup.arrange(tracks("v0 v1 a0"))
    lineup.arrange(tracks("v0 a0"))
    assert lineup.arrange(tracks("v0 v1 a0")) == first


def test_a_picture_alone_is_told_which_sound_goes_with_it_in_a_transport_stream() -> None:
    places = {place.name: place for place in Lineup().arrange(tracks("v0 a2 a5"))}
    assert places["p0"].sound == TrackId(MediaKind.AUDIO, 2)
    assert places["a5"].sound is None


def test_new_numbers_for_ever_make_no_more_than_so_many_renditions() -> None:
    lineup = Lineup()
    for number in range(200):
        places = lineup.arrange(tracks(f"v{number} a0"))
    assert len(places) == MOST_RENDITIONS
    assert all(place.tracks for place in places)
    assert any(place.is_offered for place in places)
