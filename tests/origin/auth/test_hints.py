"""What is said of a wrong key names the stream that may have been meant, and nothing else."""

import pytest

from origin.auth.hints import hint_for


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["mian-7f3k-92qd-x4mv"], "did you mean `main`?"),
        (["main-7f3k-92qd-zzzz"], "it begins like a key of `main`: it may have been replaced"),
        (["main"], "`main` is the name of a stream, not its key"),
        (["mian"], "did you mean `main`?"),
        (["my-show-7f3k-92qd-x4mv"], "it begins like a key of `my-show`: it may have been"),
        (["my-shwo-2222-3333-4444-5555-6666-7777"], "did you mean `my-show`?"),
        (["kitchen-7f3k-92qd-x4mv"], ""),
        (["x4mv"], ""),
        ([], ""),
    ],
)
def test_a_hint_names_a_stream_and_nothing_else(words: list[str], hint: str) -> None:
    found = hint_for(words, ["main", "my-show"])
    assert found.startswith(hint) if hint else found == ""
    assert "7f3k" not in found


@pytest.mark.parametrize(
    ("others", "hint"),
    [
        pytest.param(9, "did you mean `my-show`?", id="few streams: every word"),
        pytest.param(999, "", id="many: the likeliest word"),
    ],
)
def test_with_many_streams_only_the_likeliest_words_are_compared(others: int, hint: str) -> None:
    streams = ["my-show", *(f"channel{number}" for number in range(others))]
    assert hint_for(["zzzz", "my-shaw"], streams) == hint
    assert hint_for(["my-shaw", "zzzz"], streams) == "did you mean `my-show`?"
