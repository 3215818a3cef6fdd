"""The files for containers. No engine runs here: what can be known of them without one is checked.

The Compose file against the Compose specification's schema, Dockerfiles by hadolint, and all that
they refer to (files, ports, folders, commands) against what there is. That the wheel builds,
installs and serves is shown in tests/plays/test_wheel.py, and the same services run as processes
in tests/plays/test_topology.py.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cdn.layers import load

ROOT = Path(__file__).parents[2]
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "deploy" / "certificate" / "Dockerfile"]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
TOOLS = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_the_compose_file_is_what_the_specification_says() -> None:
    check = (str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    done = run(*check, str(ROOT / "docker-compose.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_compose_file_with_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(
        (ROOT / "docker-compose.yml").read_text().replace("healthcheck", "heathcheck")
    )
    check = (str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    assert run(*check, str(broken)).returncode == 1


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_linter_finds_nothing_in_a_dockerfile(file: Path) -> None:
    done = run(str(TOOLS / "hadolint"), "--failure-threshold", "info", str(file))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_dockerfile_copies_what_there_is_and_ends_without_privileges(file: Path) -> None:
    text = file.read_text().replace("\\\n", " ")
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        *sources, _ = line.split()
        assert [source for source in sources if not (file.parent / source).exists()] == []
    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users
    assert users[-1].split(":")[0].isdigit()
    assert users[-1] != "0"


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_images_are_pinned_to_a_version(file: Path) -> None:
    images = re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE)
    assert [image for image in images if not re.search(r":\D*\d+\.\d+(\.\d+)?", image)] == []


def test_services_are_pinned_healthy_unprivileged_and_read_only() -> None:
    for name, service in SERVICES.items():
        image = service["image"]
        assert re.search(r":v?\d+\.\d+\.\d+$", image) or image.endswith(":local"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "healthcheck" in service or service["restart"] == "no", name
        is_ours = image.endswith(":local")  # whose Dockerfile names a user
        assert is_ours or service["user"].split(":")[0] not in ("0", "root"), name


def test_what_is_mounted_is_there() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
                assert mount.endswith(":ro"), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"


def test_only_viewers_and_streamers_reach_it_from_outside() -> None:
    published = {
        name: service["ports"] for name, service in SERVICES.items() if service.get("ports")
    }
    opened = {
        name: port
        for name, ports in published.items()
        for port in ports
        if not port.startswith("127.0.0.1:")
    }
    assert opened == {"origin": "1935:1935", "balancer": "443:8443"}


def test_no_service_is_given_less_time_to_stop_than_it_takes() -> None:
    listen = load(ROOT / "deploy" / "edge.toml", {}).listen
    needed_s = listen.drain_notice_s + listen.drain_s + 2
    for name in ("edge-a", "edge-b"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > needed_s


def test_names_and_ports_are_the_same_everywhere() -> None:
    settings = load(ROOT / "deploy" / "edge.toml", {})
    edges = [f"{name}:{settings.listen.http_port}" for name in ("edge-a", "edge-b")]
    assert list(settings.render.edges) == edges
    assert {"edge-a", "edge-b", "origin"} <= SERVICES.keys()
    assert settings.origin.url == ("http://origin:8081",)
    assert SERVICES["balancer"]["ports"] == [f"443:{settings.render.port}"]
    config = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "prometheus.yml")
    targets = {job["job_name"]: job["static_configs"][0] for job in config["scrape_configs"]}
    port = settings.metrics.port
    assert targets["tidecast-edge"]["targets"] == [f"edge-a:{port}", f"edge-b:{port}"]
    assert targets["tidecast-origin"]["targets"] == ["origin:8081"]


def test_commands_in_the_compose_file_are_ours_and_would_be_taken() -> None:
    serve = SERVICES["origin"]["command"]
    done = run(sys.executable, "-m", "origin", "config", "check", *serve[1:])
    assert (done.returncode, serve[0]) == (0, "serve"), done.stderr
    check = (sys.executable, "-m", "cdn", "--config", str(ROOT / "deploy" / "edge.toml"), "--check")
    assert run(*check).stdout == "OK\n"
    for name in ("edge-a", "edge-b"):
        assert SERVICES[name]["command"] == ["edge", "--config", "/etc/tidecast/edge.toml"]
        assert "./deploy/edge.toml:/etc/tidecast/edge.toml:ro" in SERVICES[name]["volumes"]


def test_the_balancers_configuration_is_rendered_from_the_edges_settings() -> None:
    render = (sys.executable, "-m", "cdn", "render", "nginx", "--config", "deploy/edge.toml")
    done = subprocess.run(render, cwd=ROOT, capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout == (ROOT / "deploy" / "nginx.conf").read_text(), "see deploy/edge.toml"


def test_the_balancer_may_write_where_its_cache_is() -> None:
    """It makes the folder of a cache, and none above that."""
    config = (ROOT / "deploy" / "nginx.conf").read_text()
    folders = {str(Path(path).parent) for path in re.findall(r"proxy_cache_path (\S+)", config)}
    owned = {
        mount.partition(":")[0]
        for mount in SERVICES["balancer"]["tmpfs"]
        if f"uid={SERVICES['balancer']['user'].split(':')[0]}" in mount
    }
    assert folders
    assert folders <= owned


def test_a_certificate_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    make = str(ROOT / "deploy" / "certificate" / "make-certificate")
    assert run(make, str(tmp_path), "live.example.com").returncode == 0
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    assert key.stat().st_mode & 0o077 == 0
    openssl = shutil.which("openssl")
    assert openssl is not None
    shown = run(openssl, "x509", "-in", str(certificate), "-noout", "-text").stdout
    assert "DNS:live.example.com, DNS:localhost, IP Address:127.0.0.1" in shown
    before = certificate.read_bytes()
    assert "left alone" in run(make, str(tmp_path)).stdout
    assert certificate.read_bytes() == before
