"""The origin's errors, grouped by what has to be done about them.

::

    OriginError
    ├── ProtocolError      the peer broke the protocol: close the connection
    ├── MediaError         the bytes are not media that we can package: end the publish, say why
    ├── Refused            we said no (key, name, limits): tell the peer, then close
    └── SettingsError      the operator's input cannot be used: say what to change, do not start

Messages name the offending value and, where there is one, the remedy. They never contain a
stream key.
"""


class OriginError(Exception):
    """Anything the origin raises on purpose."""


class ProtocolError(OriginError):
    """The peer broke the protocol; nothing it sends from here on can be understood."""


class MediaError(OriginError):
    """The media cannot be packaged; the text is shown to the streamer."""


class Refused(OriginError):
    """A well-formed wish that is not granted; the text is shown to the streamer.

    ``aside`` is for whoever runs the server, and for nobody else.
    """

    def __init__(self, reason: str, *, aside: str = "") -> None:
        super().__init__(reason)
        self.aside = aside


class SettingsError(OriginError):
    """A setting that cannot be used; the text is shown to the operator."""
