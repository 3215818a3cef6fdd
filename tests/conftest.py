"""The same examples for everybody: a check that a change did not break must not break beside it.

New examples are looked for on purpose: ``pytest --hypothesis-profile=explore``.
"""

from hypothesis import settings

settings.register_profile("explore", deadline=None)
settings.register_profile("same for everybody", deadline=None, derandomize=True, database=None)
settings.load_profile("same for everybody")
