"""What reports are made of: figures by name, as the load generator printed them.

Whoever reads ``--json`` reads the same names, so they change for a reason only.
"""

from pydantic import BaseModel, ConfigDict


class Figures(BaseModel):
    """Nothing in a report is guessed: what is missing or unknown is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
