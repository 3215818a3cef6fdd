"""From the edge's settings to what an engine is told; what does not fit is said in a sentence."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.errors import SettingsError
from cdn.http.keys import Kind, kind_of
from cdn.layers import Flags, load
from cdn.render.command import ENGINES
from cdn.render.site import PATTERNS, Place, site_of

ORIGIN = "http://10.0.0.1:8081"
TLS = {"certificate": "/etc/ssl/live.pem", "key": "/etc/ssl/live.pem.key"}


def render(engine: str, place: Place, sections: Flags) -> str:
    settings = load(None, {"origin": {"url": ORIGIN}, **sections})
    return ENGINES[engine][1](site_of(settings, place, "edge.toml")).text


@pytest.mark.parametrize(
    ("engine", "place", "sections", "sentence"),
    [
        pytest.param("nginx", Place.IN_FRONT, {}, "TLS and HTTP/2", id="no certificate"),
        pytest.param("haproxy", Place.IN_FRONT, {}, "TLS and HTTP/2", id="haproxy without one"),
        pytest.param(
            "nginx",
            Place.IN_FRONT,
            {"render": {"certificate": "/x.pem"}},
            "render.key: TLS needs a certificate and its key",
            id="no key",
        ),
        pytest.param("haproxy", Place.ALONE, {"render": TLS}, "goes in front", id="haproxy alone"),
        pytest.param("varnish", Place.IN_FRONT, {}, "stands alone", id="varnish in front"),
        pytest.param(
            "varnish", Place.ALONE, {"render": TLS}, "does not speak TLS", id="varnish with TLS"
        ),
        pytest.param(
            "varnish",
            Place.ALONE,
            {"origin": {"url": "https://live.example.com"}},
            "does not speak TLS to an origin",
            id="varnish with an https origin",
        ),
        pytest.param(
            "nginx",
            Place.IN_FRONT,
            {"render": {**TLS, "port": 8080}},
            "render.port: 8080 is taken by the edge itself",
            id="two on one port",
        ),
        pytest.param(
            "nginx",
            Place.IN_FRONT,
            {"render": TLS, "listen": {"http_port": 0}},
            "render.edges: say where the edges are",
            id="edges on any port",
        ),
        pytest.param(
            "varnish",
            Place.ALONE,
            {"listen": {"http_port": 0}},
            "listen.http_port: 0",
            id="any port",
        ),
        pytest.param(
            "nginx",
            Place.IN_FRONT,
            {"listen": {"tls_certificate": "/x.pem", "tls_key": "/x.key"}},
            "edges behind a server that ends TLS speak plain HTTP",
            id="TLS twice",
        ),
        pytest.param(
            "nginx",
            Place.ALONE,
            {"listen": {"tls_certificate": "/x y.pem", "tls_key": "/x.key"}},
            "listen.tls_certificate: /x y.pem cannot stand in a configuration",
            id="a path with a space",
        ),
        pytest.param(
            "haproxy",
            Place.IN_FRONT,
            {"render": {"certificate": "/a/b.pem", "key": "/c/d.pem"}},
            "HAProxy finds the key in",
            id="a key that HAProxy does not find",
        ),
        pytest.param(
            "nginx",
            Place.ALONE,
            {"origin": {"url": "https://a.example,https://b.example"}},
            "origins with different names over https",
            id="two names",
        ),
        pytest.param(
            "nginx",
            Place.ALONE,
            {"origin": {"url": "https://a.example,http://b.example"}},
            "one scheme for all origins",
            id="two schemes",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(
    engine: str, place: Place, sections: Flags, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        render(engine, place, sections)


@given(
    longest_target_s=st.floats(1, 60),
    first_byte_s=st.floats(0, 600),
    connect_s=st.floats(0, 60),
    place=st.sampled_from(Place),
)
def test_no_engine_gives_up_within_three_target_durations_or_before_the_edge(
    longest_target_s: float, first_byte_s: float, connect_s: float, place: Place
) -> None:
    origin = {
        "url": ORIGIN,
        "first_byte_timeout_s": first_byte_s,
        "connect_timeout_s": connect_s,
    }
    render = {"longest_target_s": longest_target_s}
    site = site_of(load(None, {"origin": origin, "render": render}), place, "edge.toml")
    assert site.wait_s >= 3 * longest_target_s
    assert site.wait_s >= first_byte_s
    if place is Place.IN_FRONT:
        assert site.wait_s > first_byte_s + connect_s


SEGMENTS = st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,5}", fullmatch=True)
NAMES = st.one_of(
    SEGMENTS,
    st.sampled_from(["v0", "a1", "vv", "assets", "ts", "m3u8", ".ts"]),
    st.builds(
        "{}.{}".format,
        st.sampled_from(["index", "ab-7", "ab-7.0", "a.m3u8", ""]),
        st.sampled_from(["m3u8", "m4s", "mp4", "ts", "aac", "vtt", "json", "js", "html", "m3u"]),
    ),
)


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_the_patterns_tell_kinds_apart_as_the_edge_does(names: list[str]) -> None:
    path = "/" + "/".join(names)
    found = next((kind for kind, each in PATTERNS.items() if re.search(each, path)), Kind.PAGE)
    assert found is kind_of(path)
