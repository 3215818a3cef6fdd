"""Properties are looked at with new examples each time: what was found once stands as an example.

``@example`` keeps what a search has found in the test that it broke. There is no deadline for one
example: a busy machine is no fault of the code.

Several workers share the files of tests, each file run by one of them, since what its tests share
is made once. Of a file that is marked ``apart`` any worker may take any test. What says that it
``lasts`` begins first, so that no worker sits with a long play when the others have gone home.
"""

import pytest
from hypothesis import settings

settings.register_profile("new examples each time", deadline=None)
settings.load_profile("new examples each time")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make groups for ``--dist loadgroup``, the longest first."""
    if not getattr(config.option, "loadgroup", False):
        return
    lasting: dict[str, float] = {}
    for item in items:
        group = item.nodeid
        if item.get_closest_marker("apart") is None:
            group = item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group(group))
        lasts = item.get_closest_marker("lasts")
        seconds = 0.0 if lasts is None else float(lasts.args[0])
        lasting[group] = max(seconds, lasting.get(group, 0.0))
    items.sort(key=lambda item: -lasting[_group_of(item)])


def _group_of(item: pytest.Item) -> str:
    grouped = item.get_closest_marker("xdist_group")
    return item.nodeid if grouped is None else str(grouped.args[0])
