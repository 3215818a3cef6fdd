"""``python -m cdn``: the edge as a process of its own.

Whoever has killed an edge waits for the next one to start, and that is nearly all imports. What
they make stays, so the collector, which would look through it a few hundred times meanwhile, has
the time off until the edge serves (``workers.run``).
"""

import gc

gc.disable()

from cdn.cli import main  # noqa: E402  (the imports are what is meant)

main()
