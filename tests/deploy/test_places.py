"""Each place that a container's files name is the same at both ends.

No engine runs here, so what it would find out is read: a health check asks an address that is
served and a port that is open, a path behind an option is mounted where it is looked for, whoever
writes to a volume owns it, and an image opens the ports that the settings have.
"""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from cdn.layers import load
from origin.config.settings import Settings
from tests.deploy.test_containers import ROOT, SERVICES

DEPLOY = ROOT / "deploy"
SETTINGS = Settings()
EDGE = load(DEPLOY / "edge.toml", {})
SERVED = {
    "origin": (SETTINGS.control.port, {"/healthz", "/readyz"}),
    "edge-a": (EDGE.listen.http_port, {"/healthz", "/readyz"}),
    "edge-b": (EDGE.listen.http_port, {"/healthz", "/readyz"}),
    "balancer": (EDGE.render.port, {"/healthz"}),
    "prometheus": (9090, {"/-/ready"}),
    "grafana": (3000, {"/api/health"}),
}


def mounts(service: str) -> dict[str, str]:
    """What is mounted, by where it is mounted."""
    pairs = (mount.split(":") for mount in SERVICES[service]["volumes"])
    return {where: what for what, where, *_ in pairs}


def source(service: str, path: str) -> Path:
    """The file of this checkout that a service finds at ``path``."""
    for where, what in mounts(service).items():
        if path == where or path.startswith(where + "/"):
            return ROOT / (what + path.removeprefix(where))
    raise AssertionError(f"{service} finds nothing at {path}")


def option(service: str, name: str) -> str:
    """The value of an option of a service's command."""
    given = SERVICES[service]
    words: list[str] = [*given.get("entrypoint", ()), *given.get("command", ())]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    raise AssertionError(f"{service} is not given {name}")


def yaml(path: Path) -> dict[str, Any]:
    """What the file holds."""
    held: dict[str, Any] = YAML(typ="safe").load(path)
    return held


def dockerfile(*folders: str) -> str:
    return DEPLOY.parent.joinpath(*folders, "Dockerfile").read_text().replace("\\\n", " ")


def test_every_health_check_asks_what_is_served_at_a_port_that_is_open() -> None:
    checked = {name for name, service in SERVICES.items() if "healthcheck" in service}
    assert checked == SERVED.keys()
    for name, (port, paths) in SERVED.items():
        words = " ".join(SERVICES[name]["healthcheck"]["test"])
        (address,) = re.findall(r"https?://[^'\s]+", words)
        url = urlsplit(address)
        assert (url.hostname, url.port) == ("127.0.0.1", port), name
        assert url.path in paths, name


def test_who_is_waited_for_can_be_waited_for() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            awaited = SERVICES[other]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in awaited, f"{name}: {other}"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert awaited["restart"] == "no", f"{name}: {other} would be started again"


def test_every_file_that_a_command_names_is_mounted_there() -> None:
    for name in ("edge-a", "edge-b"):
        assert source(name, option(name, "--config")) == DEPLOY / "edge.toml"
    assert source("balancer", option("balancer", "-c")) == DEPLOY / "nginx.conf"
    prometheus = source("prometheus", option("prometheus", "--config.file"))
    assert prometheus == DEPLOY / "prometheus" / "prometheus.yml"
    for rules in yaml(prometheus)["rule_files"]:
        assert (prometheus.parent / rules).is_file()
    assert option("prometheus", "--storage.tsdb.path") in mounts("prometheus")


def test_the_balancer_finds_the_certificate_where_it_is_made_and_may_read_its_key() -> None:
    folder = str(Path(EDGE.render.certificate).parent)
    assert folder == str(Path(EDGE.render.key).parent)
    assert mounts("balancer")[folder] == mounts("certificate")[folder] == "certificate"
    text = dockerfile("deploy", "certificate")
    made = re.search(r'^ENTRYPOINT \["(.*)", "(.*)"\]', text, re.MULTILINE)
    assert made is not None
    assert made[2] == folder
    script = DEPLOY / "certificate" / made[1]
    assert script.stat().st_mode & 0o111, "COPY keeps the mode"
    names = [Path(path).name for path in (EDGE.render.certificate, EDGE.render.key)]
    assert [name for name in names if f"$folder/{name}" not in script.read_text()] == []
    (user,) = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert SERVICES["balancer"]["user"] == user, "the key is its owner's alone"
    uid, gid = user.split(":")
    assert f"install -d -o {uid} -g {gid} {folder}" in text


def test_the_origin_keeps_what_lasts_in_a_volume_that_its_user_owns() -> None:
    text = dockerfile()
    folder = option("origin", "--data-dir")
    assert mounts("origin")[folder] == "tidecast"
    assert re.findall(r"^VOLUME (\S+)", text, re.MULTILINE) == [folder]
    (uid,) = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert f"useradd --uid {uid} --create-home tidecast" in text
    assert f"install -d -o tidecast -g tidecast {folder}" in text
    assert f'CMD ["serve", "--data-dir", "{folder}"]' in text


def test_the_image_opens_the_ports_of_the_settings_and_runs_the_wheels_command() -> None:
    text = dockerfile()
    (opened,) = re.findall(r"^EXPOSE (.*)", text, re.MULTILINE)
    ports = {SETTINGS.rtmp.port, SETTINGS.server.http_port, SETTINGS.control.port}
    assert {int(port) for port in opened.split()} == ports | {EDGE.metrics.port}
    (command,) = re.findall(r'^ENTRYPOINT \["(.*)"\]', text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert command in project["project"]["scripts"]
    copied = {
        word
        for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE)
        for word in line.split()
    }
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied
    wanted = re.findall(r'"?requires-python"? = ">=(\S+)"', (ROOT / "pyproject.toml").read_text())
    for version in re.findall(r"^FROM python:(\d+\.\d+)", text, re.MULTILINE):
        assert version == wanted[0]


def test_what_goes_into_the_image_is_not_left_out_of_what_is_sent_to_the_builder() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    for line in re.findall(r"^COPY (?!--)(.*) \S+$", dockerfile(), re.MULTILINE):
        assert ignored.isdisjoint(line.split())


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    environment = SERVICES["grafana"]["environment"]
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert source("grafana", home) == DEPLOY / "grafana" / "dashboards" / "tidecast.json"
    provisioning = source("grafana", "/etc/grafana/provisioning")
    (provider,) = yaml(provisioning / "dashboards" / "tidecast.yml")["providers"]
    assert provider["options"]["path"] == str(Path(home).parent)
    (found,) = yaml(provisioning / "datasources" / "prometheus.yml")["datasources"]
    url = urlsplit(found["url"])
    assert url.hostname in SERVICES
    assert url.port == SERVED[str(url.hostname)][0]
    scraped = yaml(DEPLOY / "prometheus" / "prometheus.yml")["global"]["scrape_interval"]
    assert found["jsonData"]["timeInterval"] == scraped


def test_what_the_compose_file_says_to_open_is_open() -> None:
    said = (ROOT / "docker-compose.yml").read_text().split("\n\n")[0]
    published = {
        port.rpartition(":")[0].rpartition(":")[2]
        for service in SERVICES.values()
        for port in service.get("ports", ())
    }
    named = {
        url.port or {"https": 443, "rtmp": 1935}[url.scheme]
        for url in map(urlsplit, re.findall(r"\w+://localhost\S*", said))
    }
    assert {str(port) for port in named} == published
    assert f"{option('origin', '--data-dir')}/keys.toml" in said
