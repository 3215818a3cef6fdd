"""The log: a few lines on standard error, of this program and of the libraries that it uses."""

import logging
import sys
from typing import Any

import structlog


class _ToStructlog(logging.Handler):
    """Hands lines of libraries that use ``logging`` on to the same place, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


_NO_NEWS = (
    "returned without completing response",
    "Invalid HTTP",
    "Unsupported upgrade",
    "No supported WebSocket",
)
"""What uvicorn says of what the edge does on purpose when the origin breaks off (it ends the
viewer's connection, so that nobody takes half a body for the whole), and of what strangers send: a
line for each would be theirs to fill a disk with."""


def _is_news(record: logging.LogRecord) -> bool:
    said = record.getMessage()
    return not any(words in said for words in _NO_NEWS)


def set_up_logging(level: str) -> None:
    """Send everything from ``level`` on to standard error, one line each."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderers: list[Any] = [  # structlog's own alias for a processor is in terms of Any
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=0,
            sort_keys=False,
            # Not the pretty one: it prints local variables, whole segments among them.
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]
    structlog.configure(
        processors=renderers,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # One write per line, where print() makes two: workers share standard error.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
