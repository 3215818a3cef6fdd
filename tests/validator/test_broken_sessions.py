"""Each rule refuses a session that breaks it, and no other rule does."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.validator.breaking import Broken, Stage
from tests.validator.broken_fmp4 import FMP4
from tests.validator.broken_http import HTTP
from tests.validator.broken_low_latency import LOW_LATENCY
from tests.validator.broken_multivariant import MULTIVARIANT
from tests.validator.broken_playlists import PLAYLISTS
from tests.validator.broken_reloads import RELOADS
from tests.validator.broken_timelines import TIMELINES
from tests.validator.broken_ts import TS
from tests.validator.broken_viewing import VIEWERS
from tests.validator.content import Broadcast, Domain
from tests.validator.fake_origin import FakeOrigin, Fault, record
from tests.validator.validate import RULES, validate

BROKEN = [
    *PLAYLISTS,
    *MULTIVARIANT,
    *LOW_LATENCY,
    *RELOADS,
    *FMP4,
    *TS,
    *HTTP,
    *VIEWERS,
    *TIMELINES,
]


@pytest.fixture(scope="session")
def stage(domains: Mapping[str, Domain], broadcasts: Mapping[str, Broadcast]) -> Stage:
    return Stage(domains, broadcasts)


@pytest.mark.parametrize(
    "broken", [pytest.param(each, id=f"{each.rule}: {each.what}") for each in BROKEN]
)
def test_the_rule_refuses_what_breaks_it_and_no_other_does(broken: Broken, stage: Stage) -> None:
    violations = validate(broken.make(stage))

    assert {each.rule for each in violations} == {broken.rule}, "\n".join(map(str, violations[:9]))


@pytest.mark.parametrize("text", ["", "#EXTM3U\n", "#EXTM3U\n#EXTINF:two,\n1.m4s\n"])
def test_a_session_in_which_nothing_is_listed_is_refused(text: str, stage: Stage) -> None:
    fault = Fault(media=lambda _, __: text)
    violations = validate(record(FakeOrigin(stage.broadcasts["fmp4"], fault)))

    assert {each.rule for each in violations} >= {"V1", "W4"}


def test_every_rule_has_a_broken_session() -> None:
    assert set(RULES) == {each.rule for each in BROKEN}


def test_no_two_broken_sessions_have_the_same_name() -> None:
    names = Counter((each.rule, each.what) for each in BROKEN)
    assert [name for name, count in names.items() if count > 1] == []


def test_the_readme_lists_every_rule() -> None:
    text = (Path(__file__).parent / "README.md").read_text()
    listed = re.findall(r"^\| ([A-Z]\d+) \|", text, flags=re.MULTILINE)
    assert listed == list(RULES)
