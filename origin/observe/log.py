"""The log: one line per event, readable at a terminal, JSON where it is collected.

Stream keys never reach it: whoever logs names the stream, not what opened it.
"""

import logging
import sys

import structlog

_NO_NEWS = ("Invalid HTTP", "Unsupported upgrade", "No supported WebSocket")
"""uvicorn's words for what strangers send to the HTTP port: a line for each would be theirs to fill
a disk with. They are told so, and that is all."""


def _is_news(record: logging.LogRecord) -> bool:
    said = record.getMessage()
    return not any(words in said for words in _NO_NEWS)


def configure_log(*, as_json: bool) -> None:
    """Set up the process's log on standard error; call it once, before the first line."""
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    # Libraries log through the standard library: only what needs attention is let through.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
