"""The edge's errors, grouped by what has to be done about them.

::

    EdgeError
    ├── SettingsError      the operator's input cannot be used: say what to change, do not start
    ├── RequestRefused     the viewer asks for what is not answered here: a problem document
    └── OriginFailed       no whole answer came from the origin: what is known, or else 503

Messages are read by people: they name the offending value and, where there is one, the remedy.
"""


class EdgeError(Exception):
    """Anything the edge raises on purpose."""


class SettingsError(EdgeError):
    """A setting that cannot be used; the text is shown to the operator, one error a line."""


class RequestRefused(EdgeError):
    """A request that is answered without asking the origin, with the status given."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class OriginFailed(EdgeError):
    """The origin could not be reached, answered with an error, or broke off in the middle."""
