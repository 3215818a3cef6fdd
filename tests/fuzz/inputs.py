"""One input: what it is made of, from a seed and a number, and how it is kept as a file."""

from dataclasses import dataclass, replace
from enum import Enum
from random import Random

from tests.fuzz.amf import mutated_amf, wild_amf
from tests.fuzz.damage import AWKWARD
from tests.fuzz.script import COMMANDS_AND_DATA, as_tags, mutated_session, some_messages
from tests.fuzz.seeds import MEDIA, sessions
from tests.fuzz.tags import mutated_tag


class Kind(Enum):
    """What the bytes are; the value is the ending of a file's name."""

    SESSION = "rtmp"
    """All that a client sends."""
    TAGS = "tags"
    """An aggregate's body: media and metadata of a publish that was let in."""
    AMF = "amf"
    """The body of a command or of metadata."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something to feed; the same seed and number always give the same."""

    kind: Kind
    data: bytes


def make(seed: int, number: int) -> Input:
    """Input ``number`` of a run."""
    chance = Random(f"{seed}/{number}")
    pick = chance.random()
    if pick < 0.45:
        return Input(Kind.SESSION, mutated_session(chance))
    if pick < 0.85:
        return Input(Kind.TAGS, _mutated_tags(chance))
    return Input(Kind.AMF, _mutated_words(chance))


def _mutated_tags(chance: Random) -> bytes:
    messages = [m for m in some_messages(chance) if m.type_id in (*MEDIA, 18)]
    for _ in range(chance.choice((1, 1, 2, 4))):
        if not messages:
            break
        at = chance.randrange(min(len(messages), chance.choice((4, 100))))
        match chance.randrange(6):
            case 0:
                del messages[at]
            case 1:
                messages.insert(at, chance.choice(messages))
            case 2:
                begin, jump = at, chance.choice(AWKWARD)
                messages[begin:] = [
                    replace(m, timestamp=(m.timestamp + jump) % 2**32) for m in messages[begin:]
                ]
            case _:
                change = mutated_amf if messages[at].type_id == 18 else mutated_tag
                messages[at] = replace(messages[at], payload=change(chance, messages[at].payload))
    return as_tags(messages)


def _mutated_words(chance: Random) -> bytes:
    if chance.random() < 0.3:
        return wild_amf(chance)
    words = [m for m in chance.choice(sessions())[:12] if m.type_id in COMMANDS_AND_DATA]
    payload = chance.choice(words).payload
    for _ in range(chance.choice((1, 2, 4))):
        payload = mutated_amf(chance, payload)
    return payload
