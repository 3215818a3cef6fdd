"""Each engine reads what is rendered for it, whatever the settings are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdn.layers import Flags, load
from cdn.render.command import ENGINES
from cdn.render.site import Place, site_of
from tests.support.engines import (
    HAPROXY,
    NGINX,
    VARNISHD,
    Certificate,
    made_certificate,
    room,
    said_by,
)

SECONDS = st.one_of(st.none(), st.floats(0, 86_400), st.sampled_from([0, 0.5, 1]))
RULE = st.fixed_dictionaries({"fresh_s": SECONDS, "stale_if_error_s": SECONDS})
KINDS = ("playlist", "multivariant", "media", "status", "asset", "page")
SETTINGS = st.fixed_dictionaries(
    {
        "rules": st.dictionaries(st.sampled_from(KINDS), RULE),
        "cache": st.fixed_dictionaries(
            {
                "negative_s": st.floats(0, 1),
                "stale_if_error_s": st.floats(0, 86_400),
                "memory": st.integers(1 << 20, 1 << 40),
            }
        ),
        "origin": st.fixed_dictionaries(
            {
                "url": st.sampled_from(
                    ["http://127.0.0.1", "http://127.0.0.1:81,http://[::1]:82,http://127.0.0.3"]
                ),
                "choice": st.sampled_from(["in-order", "by-stream"]),
                "connect_timeout_s": st.floats(0, 60),
                "first_byte_timeout_s": st.floats(0, 86_400),
                "read_timeout_s": st.floats(0, 86_400),
                "connections": st.integers(1, 10_000),
            }
        ),
        "listen": st.fixed_dictionaries(
            {
                "host": st.sampled_from(["127.0.0.1", "::1", "0.0.0.0"]),
                "backlog": st.integers(1, 60_000),
                "keep_alive_s": st.integers(1, 3600),
                "connections": st.integers(0, 5_000),
            }
        ),
        "render": st.fixed_dictionaries(
            {
                "edges": st.sampled_from([(), ("127.0.0.2:80",), ("[::1]:80", "127.0.0.3:8080")]),
                "spread": st.sampled_from(["by-stream", "evenly"]),
                "server_name": st.sampled_from(["_", "live.example.com", "*.example.com"]),
                "longest_target_s": st.floats(1, 60),
                "forwarded_for": st.booleans(),
            }
        ),
    }
)
PROPERTY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with room() as made:
        (made / "cache").mkdir()
        yield made


@pytest.fixture(scope="module")
def certificate(folder: Path) -> Certificate:
    return asyncio.run(made_certificate(folder))


@PROPERTY
@given(sections=SETTINGS, place=st.sampled_from(Place), over_tls=st.booleans())
def test_nginx_accepts_it(
    folder: Path, certificate: Certificate, sections: Flags, place: Place, over_tls: bool
) -> None:
    tls = over_tls or place is Place.IN_FRONT
    file = rendered(folder, "nginx", place, sections, certificate if tls else None)
    accept(str(NGINX), "-t", "-q", "-c", str(file), "-g", f"pid {folder / 'pid'};")


@PROPERTY
@given(sections=SETTINGS)
def test_haproxy_accepts_it(folder: Path, certificate: Certificate, sections: Flags) -> None:
    file = rendered(folder, "haproxy", Place.IN_FRONT, sections, certificate)
    accept(str(HAPROXY), "-c", "-q", "-f", str(file))


def test_haproxy_accepts_a_key_with_another_extension(
    folder: Path, certificate: Certificate
) -> None:
    other = Certificate(folder / "live.crt", folder / "live.key")
    other.file.write_bytes(certificate.file.read_bytes())
    other.key.write_bytes(certificate.key.read_bytes())
    file = rendered(folder, "haproxy", Place.IN_FRONT, {}, other)
    accept(str(HAPROXY), "-c", "-q", "-f", str(file))


@settings(parent=PROPERTY, max_examples=3)  # each is compiled by a C compiler
@given(sections=SETTINGS)
def test_varnish_accepts_it(folder: Path, sections: Flags) -> None:
    file = rendered(folder, "varnish", Place.ALONE, sections, None)
    accept(str(VARNISHD), "-C", "-n", str(folder / "varnish"), "-f", str(file))


def rendered(
    folder: Path, engine: str, place: Place, sections: Flags, certificate: Certificate | None
) -> Path:
    """Write what is rendered with these settings into a file."""
    render: dict[str, object] = {"cache_folder": str(folder / "cache"), "port": 18_443}
    if certificate is not None:
        render |= {"certificate": str(certificate.file), "key": str(certificate.key)}
    given = {"origin": {"url": "http://127.0.0.1"}, **sections}
    given["render"] = {**sections.get("render", {}), **render}
    site = site_of(load(None, given), place, "edge.toml")
    file = folder / f"{engine}.conf"
    file.write_text(ENGINES[engine][1](site).text)
    return file


def accept(*command: str) -> None:
    """Let the engine judge; it says why not."""
    asyncio.run(said_by(*command))
