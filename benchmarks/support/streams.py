"""A stream with no server around it: what is measured of the core alone is packaged into one."""

from datetime import UTC, datetime

from origin.hls.presentation import Presentation
from origin.hls.rules import Rules

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The date of everything."""


def new_presentation(rules: Rules) -> Presentation:
    """The first session of a stream."""
    return Presentation(
        rules=rules,
        epoch="bench",
        first_msn=1,
        first_discontinuity_sequence=0,
        begins_with_discontinuity=False,
    )
