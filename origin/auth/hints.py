"""What the sender of a wrong key may have meant.

Streamers show a stream's name in the place of its key, a key that has been replaced, or one with
letters changed round. A hint tells names of streams, to whoever runs the server, and never any
part of a key.
"""

import difflib
from collections.abc import Iterable, Sequence

from origin.auth.keys import HASHED_KEY_GROUPS, KEY_GROUPS

STEM_ALIKE, WORD_ALIKE = 0.7, 0.75
"""How much two words have in common at least (``difflib``'s ratio); what stands before the random
groups of a key was certainly meant as a stream's name."""

MOST_COMPARED = 200
"""Pairs of a word and a name. Each costs 10 to 30 microseconds of everybody's time, for a guess of
a stranger's. With more streams fewer words are looked at, the likeliest first."""


def hint_for(offered: Sequence[str], streams: Iterable[str]) -> str:
    """Say it in words; empty if nothing comes to mind."""
    names = list(streams)
    for word in offered:
        if word in names:
            return f"`{word}` is the name of a stream, not its key"
    stems = [stem for word in offered for stem in _stems(word)]
    for stem in stems:
        if stem in names:
            return f"it begins like a key of `{stem}`: it may have been replaced"
    for words, alike in ((stems, STEM_ALIKE), (offered, WORD_ALIKE)):
        for word in words[: max(1, MOST_COMPARED // max(1, len(names)))]:
            if near := difflib.get_close_matches(word, names, n=1, cutoff=alike):
                return f"did you mean `{near[0]}`?"
    return ""


def _stems(word: str) -> list[str]:
    """What ``word`` says before its random groups, if it is built like a key."""
    return [
        word.rsplit("-", groups)[0]
        for groups in (HASHED_KEY_GROUPS, KEY_GROUPS)
        if word.count("-") >= groups
    ]
