from collections.abc import Mapping

import pytest

from tests.validator.content import Broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.validate import validate

KINDS = ["fmp4", "ts", "fmp4 audio", "ts audio", "fmp4 video"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_session_passes(kind: str, broadcasts: Mapping[str, Broadcast]) -> None:
    assert validate(record(FakeOrigin(broadcasts[kind]))) == []
