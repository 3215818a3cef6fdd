"""What is behind a viewer's glass: how old the picture is, and whether it ever stood still.

::

    glass = await look(page)                    # before the page goes anywhere
    await page.goto(f"{edge}/main")
    await glass.first_frame()
    ...
    seen = await glass.report()

Reads the clock that ``camera.py`` films off the very pixels that a viewer sees, ten times a second,
and counts what a viewer would call a stall: the video waiting for data after its first frame. The
probe is put into the page by the browser's driver, so that the page's own policy stays as strict as
it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playwright.async_api import Page

from tests.support.camera import BLOCKS, CLOCK_BITS, GUARD

EVERY_MS = 100
STARVED_MS = 700
"""Between two looks; one part's length and what is needed to fetch it."""

PROBE = """
window.glass = ((BLOCKS, GUARD, BITS, EVERY_MS) => {
  const canvas = document.createElement("canvas");
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const seen = { firstFrame: null, stalls: 0, samples: [] };
  let tellFirst;
  const first = new Promise((tell) => { tellFirst = tell; });

  function age(video) {
    const width = video.videoWidth;
    canvas.width = width;
    canvas.height = 1;
    brush.drawImage(video, 0, 10, width, 1, 0, 0, width, 1);
    const pixels = brush.getImageData(0, 0, width, 1).data;
    const block = Math.floor(width / BLOCKS);
    const bit = (n) => (pixels[4 * Math.floor((n + 0.5) * block) + 1] > 127 ? 1 : 0);
    if (GUARD.some((wanted, n) => bit(n) !== wanted)) return null;
    let taken = 0;
    for (let n = BITS - 1; n >= 0; n -= 1) taken = taken * 2 + bit(GUARD.length + n);
    const round = 2 ** BITS;
    const ms = (((Date.now() - taken) % round) + round) % round;
    return ms > round / 2 ? ms - round : ms;
  }

  function onFrame() {
    if (seen.firstFrame !== null) return;
    seen.firstFrame = performance.now();
    tellFirst(seen.firstFrame);
  }

  function watch(video) {
    video.requestVideoFrameCallback(onFrame);
    video.addEventListener("waiting", () => {
      if (seen.firstFrame !== null && !video.seeking) seen.stalls += 1;
    });
    setInterval(() => {
      if (seen.firstFrame === null || !video.videoWidth) return;
      const ms = age(video);
      if (ms === null) return;
      seen.samples.push([performance.now(), Date.now() - ms, ms, video.playbackRate]);
    }, EVERY_MS);
  }

  document.addEventListener("DOMContentLoaded", () => watch(document.querySelector("video")));
  return { seen, first };
})(WHAT_TO_READ);
""".replace("WHAT_TO_READ", f"{BLOCKS}, {[int(each) for each in GUARD]}, {CLOCK_BITS}, {EVERY_MS}")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the picture."""

    at_ms: float
    """Since the page was opened."""
    taken_ms: float
    """When the picture was filmed, by the wall clock."""
    age_ms: float
    rate: float


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a viewer saw since the first frame."""

    first_frame_ms: float | None
    """Since the page was opened."""
    stalls: int
    samples: tuple[Sample, ...]
    total_frames: int
    dropped_frames: int

    @property
    def last(self) -> Sample:
        return self.samples[-1]

    def was_starved(self, *, after_ms: float) -> bool:
        """Whether the browser got no processor for so long that no player could have gone on."""
        looks = [each.at_ms for each in self.samples if each.at_ms >= after_ms]
        return any(later - sooner > STARVED_MS for sooner, later in pairwise(looks))

    def ages_ms(self, *, after_ms: float = 0) -> list[float]:
        """How old the picture was, sorted; without the first ``after_ms`` of the visit."""
        return sorted(each.age_ms for each in self.samples if each.at_ms >= after_ms)


class Glass:
    """The probe in one page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def first_frame(self) -> float:
        """Wait for the first frame on the screen: the milliseconds since the page was opened."""
        return float(await self._page.evaluate("glass.first"))

    async def report(self) -> Seen:
        """What was seen until now."""
        told: dict[str, Any] = await self._page.evaluate(
            """() => {
                const quality = document.querySelector("video").getVideoPlaybackQuality();
                const { totalVideoFrames: total, droppedVideoFrames: dropped } = quality;
                return { ...glass.seen, total, dropped };
            }"""
        )
        return Seen(
            told["firstFrame"],
            told["stalls"],
            tuple(Sample(*each) for each in told["samples"]),
            told["total"],
            told["dropped"],
        )


async def look(page: Page) -> Glass:
    """Put the probe into every page that ``page`` goes to from now on."""
    await page.add_init_script(PROBE)
    return Glass(page)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of the sorted ``values`` do not exceed."""
    if not values:
        raise ValueError("nothing was measured")
    return values[min(len(values) - 1, int(len(values) * share))]
