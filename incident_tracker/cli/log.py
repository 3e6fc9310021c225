"""The log of a process: JSON lines on stderr. It names kinds of errors and places, never what people wrote."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_TALKATIVE = ("twilio", "twilio.http_client", "python_http_client", "urllib3", "sqlalchemy", "alembic", "apscheduler")
"""Libraries whose lines would name addresses, or say each second that nothing happened."""
_INNERMOST = 8


def configure(level: int) -> None:
    """Send everything from `level` up to stderr, whoever logs it."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_of_error,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    output = _Stderr()
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(max(level, logging.WARNING))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Stderr(logging.Handler):
    """Writes to what stderr is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 - as the standard handlers do: a log line never stops the work
            self.handleError(record)


def unexpected(error: BaseException) -> None:
    """Log an error that nobody foresaw."""
    structlog.get_logger().error("unexpected_error", exc_info=error)


def where(error: BaseException) -> list[str]:
    """Return the innermost places in code that an error passed, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)[-_INNERMOST:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _place_of_error(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kind and place: its text may quote a statement with everything in it."""
    caught = event.pop("exc_info", None)
    error = sys.exc_info()[1] if caught is True else caught[1] if isinstance(caught, tuple) else caught
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = where(error)
    return event
