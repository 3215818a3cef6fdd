"""The frame rate that is announced, where only time stamps tell it.

RTMP's stamps are whole milliseconds, so 30 frames per second arrive 33, 33 and 34 ms apart and
measure as 29.99 or 30.02. FRAME-RATE (RFC 8216, 4.3.4.2) is the rate the encoder runs at, so a
measurement is snapped to the rate in use that lies nearest.
"""

USUAL_RATES = (
    10.0, 12.0, 15.0, 20.0, 24_000 / 1001, 24.0, 25.0, 30_000 / 1001, 30.0, 48.0, 50.0,
    60_000 / 1001, 60.0, 90.0, 100.0, 120_000 / 1001, 120.0,
)  # fmt: skip
SNAP_WITHIN = 0.015  # 30 as steps of 33 ms each, without a 34, measures as 30.3


def snap_frame_rate(measured: float) -> float:
    """Return the usual rate next to ``measured``, or what was measured where none is near."""
    nearest = min(USUAL_RATES, key=lambda rate: abs(rate - measured))
    return nearest if abs(nearest - measured) <= SNAP_WITHIN * measured else round(measured, 3)
