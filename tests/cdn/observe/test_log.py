"""Lines on standard error: whose, from which level on, and in which form."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from cdn.observe import set_up_logging


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    before = root.handlers[:], root.level, uvicorn.filters[:]
    yield
    root.handlers[:], root.level, uvicorn.filters[:] = before
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_as_before")
def test_log_lines_go_to_standard_error_from_the_level_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info")
    structlog.get_logger("edge").debug("too small")
    structlog.get_logger("edge").info("the edge is open", listen="0.0.0.0:8080")
    logging.getLogger("asyncio").warning("from a %s", "library")
    for words in (
        "ASGI callable returned without completing response.",
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "No supported WebSocket library detected.",
    ):
        logging.getLogger("uvicorn.error").error(words)
    written = capsys.readouterr()
    assert written.out == ""
    lines = written.err.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("the edge is open listen=0.0.0.0:8080")
    assert "from a library" in lines[1]
