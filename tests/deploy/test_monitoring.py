"""Prometheus takes the files under deploy/, every alert fires when it should, and nothing asks for
a number that nobody exports.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client import generate_latest
from ruamel.yaml import YAML

from cdn.edge import Edge
from cdn.http.keys import Kind
from cdn.layers import load
from origin.ingest.shared import Counters
from origin.observe.metrics import MetricsPage
from origin.service.figures import read_figures
from origin.service.store_figures import store_families
from origin.store.disk import RealDisk
from origin.store.writer import Writer
from tests.support.clocks import FakeClock
from tests.support.disks import at_once
from tests.support.stations import Station

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "tidecast.json"
PLAYS = Path(__file__).parent / "alerts.test.yml"

PROMETHEUS_OWN = {"up", "ALERTS"}
_NAME = re.compile(r"\b(?:tidecast|process|up|ALERTS)\w*\b")


class Query(NamedTuple):
    where: str
    text: str


def alert_queries() -> Iterator[Query]:
    for group in YAML(typ="safe").load(ALERTS)["groups"]:
        for rule in group["rules"]:
            yield Query(f"the alert {rule['alert']}", rule["expr"])


def dashboard_queries() -> Iterator[Query]:
    board = json.loads(DASHBOARD.read_text())
    for note in board["annotations"]["list"]:
        yield Query(f"the annotation {note['name']}", note["expr"])
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield Query(f"the panel {panel['title']}", target["expr"])


QUERIES = [*alert_queries(), *dashboard_queries()]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def play_alerts(folder: Path, rules: str) -> subprocess.CompletedProcess[str]:
    (folder / "rules.yml").write_text(rules)
    (folder / "plays.yml").write_text(PLAYS.read_text().replace("RULES", "rules.yml"))
    return promtool("test", "rules", str(folder / "plays.yml"))


async def exported() -> set[str]:
    """Return the names of all that an edge and an origin export."""
    edge = Edge(load(None, {"origin": {"url": "http://127.0.0.1:9"}}), FakeClock())
    station = Station()
    await station.publish()
    writer = Writer(RealDisk(), at_once)
    origin = MetricsPage(
        lambda: chain(read_figures(station.registry, Counters()), store_families(writer))
    )
    page = (generate_latest(edge.metrics.registry) + origin.render()).decode()
    await edge.close()
    assert writer.close(10)
    samples = set(re.findall(r"^(\w+)[{ ]", page, re.MULTILINE))
    families = set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))
    histograms = set(re.findall(r"^# TYPE (\w+) histogram", page, re.MULTILINE))
    return samples | families | {f"{name}_bucket" for name in histograms}


def test_prometheus_takes_its_configuration() -> None:
    done = promtool("check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    done = play_alerts(tmp_path, ALERTS.read_text())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("broken", ["vector(0) > 1", "vector(1)"])
def test_alerts_that_never_fire_or_always_do_are_found_out(broken: str, tmp_path: Path) -> None:
    alerts: list[str] = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    rules = re.sub(r"expr: (?:>\n(?: {10}.*\n)+|.*\n)", f"expr: {broken}\n", ALERTS.read_text())
    done = play_alerts(tmp_path, rules)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert [alert for alert in alerts if f"alertname: {alert}," not in said] == []


def test_every_query_can_be_parsed(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query.text} for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "queries.json"  # JSON is YAML, too
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(QUERIES)} rules found" in done.stdout


async def test_nothing_asks_for_a_number_that_nobody_exports() -> None:
    known = await exported() | PROMETHEUS_OWN
    for query in QUERIES:
        plain = re.sub(r'"[^"]*"|\{[^}]*\}', "", query.text)
        asked = set(_NAME.findall(plain))
        assert asked, query.where
        assert asked <= known, query.where


async def test_the_page_lists_what_an_edge_exports_with_its_labels_and_nothing_else() -> None:
    edge = Edge(load(None, {"origin": {"url": "http://127.0.0.1:9"}}), FakeClock())
    edge.metrics.answered(Kind.PAGE, 200, "hit", 1)
    page = generate_latest(edge.metrics.registry).decode()
    await edge.close()
    types = dict(re.findall(r"^# TYPE (tidecast_edge_\w+) (\w+)$", page, re.MULTILINE))
    listed = re.findall(
        r"^\| `(tidecast_edge_\w+)` \|(.*?)\| (.*?) \|$",
        (ROOT / "docs" / "METRICS.md").read_text(),
        re.MULTILINE,
    )
    exported_names = {name for name in types if not name.endswith("_created")}
    assert {name for name, _, _ in listed} == exported_names
    for name, labels, text in listed:
        assert text.startswith("histogram: ") is (types[name] == "histogram"), name
        given = re.search(rf"^{name}(?:_count)?\{{(.*)\}} ", page, re.MULTILINE)
        if given is not None:
            assert set(re.findall(r"(\w+)=", given[1])) == set(re.findall(r"\w+", labels)), name


def test_the_page_lists_every_alert() -> None:
    page = (ROOT / "docs" / "METRICS.md").read_text()
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert [alert for alert in alerts if alert not in page] == []


def test_panels_do_not_overlap_and_have_a_sentence_each() -> None:
    taken: set[tuple[int, int]] = set()
    ids: set[int] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] == "row" or panel["description"].endswith(".")
        taken |= cells
        ids.add(panel["id"])
    assert len(ids) == len(json.loads(DASHBOARD.read_text())["panels"])


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    folder = DEPLOY / "grafana" / "provisioning"
    (source,) = YAML(typ="safe").load(folder / "datasources" / "prometheus.yml")["datasources"]
    board = json.loads(DASHBOARD.read_text())
    used = {
        target["datasource"]["uid"]
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
    assert used == {source["uid"]}
    (provider,) = YAML(typ="safe").load(folder / "dashboards" / "tidecast.yml")["providers"]
    compose = YAML(typ="safe").load(ROOT / "docker-compose.yml")
    mounted = compose["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounted
