"""The edge's certificate: one TLS context for all connections, into which a new one can be loaded.

Certificates are renewed every few weeks, while viewers watch. A context may be given another chain
at any time: connections that exist keep what they agreed on, new ones get the new certificate.
A pair that does not fit together is refused before it touches the context in use.

TLS 1.2 at least (RFC 9325, 3.1.1), and HTTP/1.1 by ALPN, so that nobody expects more.
"""

import ssl
from pathlib import Path

from cdn.errors import SettingsError


class Certificate:
    """A certificate chain and its key, as files that may change."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self.context = _empty_context()
        """What uvicorn listens with."""
        self.load()

    def load(self) -> None:
        """Read the files, now and again after they have changed; raise ``SettingsError``."""
        self._load_into(_empty_context())
        self._load_into(self.context)

    def _load_into(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._certificate, self._key, password=_no_passphrase)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise SettingsError(
                f"listen.tls_certificate, listen.tls_key: {self._certificate} and {self._key} "
                f"cannot be used: {error}"
            ) from error


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, and nobody is there to type it")


def _empty_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
