"""Properties are looked at with new examples each time: what was found once stands as an example.

``@example`` keeps what a search has found in the test that it broke. There is no deadline for one
example: a busy machine is no fault of the code.
"""

from hypothesis import settings

settings.register_profile("new examples each time", deadline=None)
settings.load_profile("new examples each time")
