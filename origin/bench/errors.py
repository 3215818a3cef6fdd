"""The one way in which a measurement ends without a figure."""

from origin.errors import OriginError


class CannotMeasure(OriginError):
    """Nothing can be measured; the text says why, and what to do, to the person who tried."""
