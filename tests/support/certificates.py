"""Certificates of a test's own, signed by themselves, for the loopback address."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    """Files in PEM."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str) -> Pair:
    """Make a pair whose subject is ``name``; another of the same name replaces it."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(pair.certificate), "-keyout", str(pair.key)),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return pair


def trusting(pair: Pair) -> ssl.SSLContext:
    """What a viewer needs who trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(pair.certificate))
