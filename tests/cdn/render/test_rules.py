"""A setting that is changed changes its line in the rendered file, and no other."""

from difflib import ndiff

import pytest

from cdn.layers import Flags, load
from cdn.render.command import ENGINES
from cdn.render.site import Place, site_of

TLS = {"certificate": "/etc/ssl/live.pem", "key": "/etc/ssl/live.pem.key"}
FRONT, ALONE = Place.IN_FRONT, Place.ALONE


def changed(engine: str, place: Place, sections: Flags) -> set[str]:
    """The lines that are there with these settings, and were not without them."""
    before, after = (lines(engine, place, each) for each in ({}, sections))
    return {line[2:].strip() for line in ndiff(before, after) if line.startswith("+ ")}


def lines(engine: str, place: Place, sections: Flags) -> list[str]:
    given = {**sections, "origin": {"url": "http://10.0.0.1:8081", **sections.get("origin", {})}}
    if engine != "varnish":
        given["render"] = {**TLS, **given.get("render", {})}
    settings = load(None, given)
    return ENGINES[engine][1](site_of(settings, place, "edge.toml")).text.splitlines()


@pytest.mark.parametrize(
    ("kind", "fresh_s"),
    [("playlist", 2), ("multivariant", 3), ("media", 4), ("status", 5), ("asset", 6), ("page", 7)],
)
def test_nginx_alone_keeps_each_kind_as_its_rule_says(kind: str, fresh_s: int) -> None:
    assert changed("nginx", ALONE, {"rules": {kind: {"fresh_s": fresh_s}}}) == {
        "proxy_ignore_headers Vary Cache-Control Expires X-Accel-Expires;",
        f"proxy_cache_valid 200 {fresh_s}s;  # rules.{kind}.fresh_s",
        "proxy_no_cache $tidecast_forbidden;",
    }


@pytest.mark.parametrize("kind", ["media", "asset"])
def test_nginx_in_front_keeps_what_it_keeps_as_the_rule_says(kind: str) -> None:
    assert f"proxy_cache_valid 200 9s;  # rules.{kind}.fresh_s" in changed(
        "nginx", FRONT, {"rules": {kind: {"fresh_s": 9}}}
    )


@pytest.mark.parametrize("kind", ["playlist", "multivariant", "status", "page"])
def test_in_front_the_edges_see_to_what_is_passed(kind: str) -> None:
    rules = {"rules": {kind: {"fresh_s": 9}}}
    assert changed("nginx", FRONT, rules) == changed("haproxy", FRONT, rules) == set()


@pytest.mark.parametrize("kind", ["playlist", "multivariant", "media", "status", "asset", "page"])
def test_varnish_keeps_each_kind_as_its_rule_says(kind: str) -> None:
    rule = {"fresh_s": 0.25, "stale_if_error_s": 7.5}
    assert changed("varnish", ALONE, {"rules": {kind: rule}}) == {
        f"set beresp.ttl = 0.250s;  # rules.{kind}.fresh_s",
        f"set beresp.grace = 7.500s;  # rules.{kind}.stale_if_error_s",
    }


def test_a_lifetime_below_a_second_makes_nginx_pass_and_say_so() -> None:
    settings = load(
        None,
        {"origin": {"url": "http://10.0.0.1"}, "rules": {"playlist": {"fresh_s": 0.5}}},
    )
    rendered = ENGINES["nginx"][1](site_of(settings, ALONE, "edge.toml"))
    assert any("rules.playlist.fresh_s is 0.5 s" in warning for warning in rendered.warnings)
    assert "proxy_cache_valid 200 0s" not in rendered.text


@pytest.mark.parametrize(
    ("engine", "place", "sections", "line"),
    [
        pytest.param(
            "varnish",
            ALONE,
            {"cache": {"negative_s": 0.2}},
            "set beresp.ttl = 0.200s;  # cache.negative_s, and half a second at most",
            id="varnish keeps a 404 for less",
        ),
        pytest.param(
            "nginx",
            FRONT,
            {"origin": {"first_byte_timeout_s": 60}},
            "proxy_read_timeout 65s;  # a playlist may be held for three target durations",
            id="nginx in front waits longer than the edge",
        ),
        pytest.param(
            "haproxy",
            FRONT,
            {"render": {"longest_target_s": 60}},
            "timeout server 180s",
            id="haproxy waits for three targets",
        ),
        pytest.param(
            "varnish",
            ALONE,
            {"render": {"longest_target_s": 20}},
            ".first_byte_timeout = 60.000s;",
            id="varnish waits for three targets",
        ),
        pytest.param(
            "haproxy",
            FRONT,
            {"render": {"edges": ("10.0.0.2:8080", "[fd00::3]:8080")}},
            "server edge-2 [fd00::3]:8080",
            id="haproxy knows all edges",
        ),
        pytest.param(
            "nginx",
            FRONT,
            {"render": {"spread": "evenly"}},
            "random two least_conn;  # any server may get any stream",
            id="nginx spreads evenly",
        ),
        pytest.param(
            "haproxy",
            FRONT,
            {"render": {"spread": "evenly"}},
            "balance leastconn",
            id="haproxy spreads evenly",
        ),
        pytest.param(
            "haproxy",
            FRONT,
            {"listen": {"connections": 1000, "workers": 2}},
            "maxconn 2000  # listen.connections",
            id="haproxy takes as many as the edge",
        ),
        pytest.param(
            "nginx",
            ALONE,
            {"origin": {"url": "http://10.0.0.1,http://10.0.0.2"}},
            "server 10.0.0.2:80 max_fails=2 fail_timeout=2s backup;",
            id="nginx has the second origin in reserve",
        ),
        pytest.param(
            "varnish",
            ALONE,
            {"origin": {"url": "http://a,http://b", "choice": "by-stream"}},
            "new origins = directors.shard();  # each stream has its origin",
            id="varnish shards by stream",
        ),
        pytest.param(
            "nginx",
            FRONT,
            {"render": {"forwarded_for": True}},
            "proxy_set_header X-Forwarded-For $remote_addr;",
            id="nginx tells addresses if told to",
        ),
        pytest.param(
            "haproxy",
            FRONT,
            {"render": {"forwarded_for": True}},
            "http-request set-header X-Forwarded-For %[src]",
            id="haproxy tells addresses if told to",
        ),
    ],
)
def test_a_setting_reaches_its_line(engine: str, place: Place, sections: Flags, line: str) -> None:
    assert line in changed(engine, place, sections)


@pytest.mark.parametrize("place", Place)
def test_nginx_keeps_a_404_for_a_second_unless_told_not_to_at_all(place: Place) -> None:
    kept = "proxy_cache_valid 404 410 1s;  # cache.negative_s"
    assert kept in map(str.strip, lines("nginx", place, {"cache": {"negative_s": 0.2}}))
    assert "404 410" not in "".join(lines("nginx", place, {"cache": {"negative_s": 0}}))


def test_varnish_is_started_with_the_edges_memory_and_queue() -> None:
    told = changed("varnish", ALONE, {"cache": {"memory": "64MiB"}, "listen": {"backlog": 99}})
    assert {line.split()[2] for line in told if "malloc" in line} == {f"malloc,{64 << 20}"}
    assert any("listen_depth=99" in line for line in told)
