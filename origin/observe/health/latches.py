"""Findings that do not flicker: raised after some bad looks in a row, cleared after some good ones.

::

    clear --bad, to_raise times in a row--> raised --fine, to_clear times in a row--> clear

A look that is neither (``Level.UNSURE``) changes nothing and interrupts both rows: it is the band
between the threshold to raise and the one to clear. While a finding is raised its level follows
the latest bad look.
"""

from origin.observe.health.codes import PATIENCE, Code, Level

_FINE, _UNSURE = Level.FINE, Level.UNSURE


class Latch:
    """One finding's memory."""

    __slots__ = ("_row", "_to_clear", "_to_raise", "is_idle", "level", "since_s")

    def __init__(self, code: Code) -> None:
        self._to_raise, self._to_clear = PATIENCE[code]
        self._row = 0
        self.is_idle = True
        """Whether another ``FINE`` would change nothing: nearly always, so it is asked first."""
        self.level = _FINE
        """``FINE`` while the finding is not raised."""
        self.since_s = 0.0
        """When it was raised or cleared, in the caller's seconds."""

    def look(self, level: Level, now_s: float) -> bool:
        """Take the level of one look; return whether the finding was raised or cleared by it."""
        has_changed = self._count(level)
        if has_changed:
            self.since_s = now_s
        self.is_idle = self.level is _FINE and not self._row
        return has_changed

    def _count(self, level: Level) -> bool:
        if level is _UNSURE:
            self._row = 0
            return False
        if (level is _FINE) is (self.level is _FINE):
            self._row = 0
            self.level = level
            return False
        self._row += 1
        if self._row < (self._to_clear if level is _FINE else self._to_raise):
            return False
        self._row = 0
        self.level = level
        return True
