"""Properties are looked at with new examples each time: what was found once stands as an example.

``@example`` keeps what a search has found in the test that it broke. There is no deadline for one
example: a busy machine is no fault of the code.

Several workers share the files of tests (``--dist loadfile``): each file is run by one of them,
since what its tests share is made once. A file that says that it ``lasts`` begins first, so that no
worker sits with a long play when the others have gone home.

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
        if not report.failed or report.nodeid in self._known:
            return
        self._known.add(report.nodeid)
        with self._path.open("a") as file:
            print(report.nodeid, file=file)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, put the files that last longest first."""
    if not hasattr(config, "workerinput"):
        return
    lasting: dict[str, float] = {}
    for item in items:
        lasts = item.get_closest_marker("lasts")
        seconds = 0.0 if lasts is None else float(lasts.args[0])
        lasting[_file_of(item)] = max(seconds, lasting.get(_file_of(item), 0.0))
    items.sort(key=lambda item: -lasting[_file_of(item)])


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
