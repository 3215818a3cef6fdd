"""Properties are looked at with new examples each time: what was found once stands as an example.

``@example`` keeps what a search has found in the test that it broke. There is no deadline for one
example: a busy machine is no fault of the code.

Several workers share the files of tests, each file run by one of them, since what its tests share
is made once. Of a file that is marked ``apart`` any worker may take any test. What says that it
``lasts`` begins first, so that no worker sits with a long play when the others have gone home.

With ``--failed-to FILE`` the names of tests that failed are written there, one on a line, as pytest
takes them from ``@FILE``: so that what failed in company can be run by itself.
"""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("new examples each time", deadline=None)
settings.load_profile("new examples each time")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failed-to", type=Path, help="add the names of failed tests to this file")


def pytest_configure(config: pytest.Config) -> None:
    path: Path | None = config.getoption("--failed-to")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailedTests(path))


class FailedTests:
    """Writes down who fails, once each, as it happens; with several workers, where they report."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        group = report.nodeid.partition("::")[0]
        name = report.nodeid.removesuffix(f"@{group}")
        if not report.failed or name in self._known:
            return
        self._known.add(name)
        with self._path.open("a") as file:
            print(name, file=file)


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
