"""How the process keeps memory: as its streams need it, not as a general program would.

A stream takes a few hundred kilobytes for every second and lets go of them half a minute later,
for as long as it is live. glibc gives such memory back to the kernel at once and asks for it
again a moment later, and every page is then cleared anew: a tenth of the CPU of ingest went
there. So what was once used is kept. Nothing is lost by it: the window has a fixed length, and
the next second needs as much as the last one.
"""

import ctypes
import gc

# mallopt(3): parameters of glibc's malloc. Setting one stops it from adjusting the others.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MIB = 1024 * 1024

COLLECTIONS = 10_000, 20, 50
"""When the cycle collector looks (``gc.set_threshold``). Frames, parts and segments refer to
nothing that refers to them, so there is next to nothing for it to find. Python's own 700, 10, 10
would have it walk through all windows again and again, and every stream waits meanwhile."""


def keep_memory() -> None:
    """Set the process up for streams; call it once, when everything is imported."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have other ways, and need none of this
        mallopt(_TRIM_THRESHOLD, 512 * _MIB)
        mallopt(_TOP_PAD, 16 * _MIB)
        mallopt(_MMAP_THRESHOLD, 32 * _MIB)  # keyframes come from the heap, too
    # What was imported stays: the collector need not look at it again with every stream.
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
