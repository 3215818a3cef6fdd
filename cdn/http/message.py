"""The head of an HTTP answer, as the edge keeps it.

Field names are lower case and values are bytes, as ASGI wants them, so that nothing is converted
on the way out, where it would be paid for once per viewer.
"""

from dataclasses import dataclass
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header fields; names in lower case, in the order in which they came."""

    status: int
    headers: Headers

    def get(self, name: bytes) -> bytes | None:
        """Return the field's value; several lines of one field are one list (RFC 9110, 5.3)."""
        values = [value for field, value in self.headers if field == name]
        return b", ".join(values) if values else None

    def text(self, name: bytes) -> str | None:
        """Return the field's value as text, for what is parsed rather than passed on."""
        value = self.get(name)
        return None if value is None else value.decode("latin-1")
