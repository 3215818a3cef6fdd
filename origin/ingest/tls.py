"""RTMPS: a certificate that may be renewed while publishers are live.

TLS begins with the connection's first byte, on a port of its own (``rtmp.tls_port``). One context
serves all connections; another chain is loaded into it when the files change. Connections that
exist keep what they agreed on, new ones get the new certificate, and a pair that does not fit
together is refused before it touches the context in use. TLS 1.2 at least (RFC 9325, 3.1.1).
"""

import ssl
from pathlib import Path

from origin.errors import SettingsError


class Certificate:
    """A certificate chain and its key, as files that may change."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.paths = (certificate, key)
        self.context = _empty_context()
        """What the listener speaks."""
        self.load()

    def load(self) -> None:
        """Read the files, now and again after they have changed; raise ``SettingsError``."""
        self._load_into(_empty_context())
        self._load_into(self.context)

    def _load_into(self, context: ssl.SSLContext) -> None:
        certificate, key = self.paths
        try:
            context.load_cert_chain(certificate, key, password=_no_passphrase)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise SettingsError(
                f"rtmp.tls_certificate, rtmp.tls_key: {_unreadable(*self.paths) or error}; they "
                "are a chain of certificates and the key of its first one, both in PEM"
            ) from error


def _unreadable(*paths: Path) -> str:
    """Which of the files cannot be read, and why: the TLS library does not say."""
    for path in paths:
        try:
            path.read_bytes()
        except OSError as error:
            return f"cannot read {path}: {error.strerror}"
    return ""


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, and nobody is there to type it")


def _empty_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
