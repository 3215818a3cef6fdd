"""The port for operators: the scrape, and who may purge what."""

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from contextlib import closing
from wsgiref.types import WSGIEnvironment

import pytest
from prometheus_client import CollectorRegistry

from cdn.errors import RequestRefused, SettingsError
from cdn.observe import Metrics, MetricsServer
from cdn.observe.port import Desk, checked_prefix, handed_over


class Reader:
    """Asks the port's application, from wherever the test wants."""

    def __init__(self, token: str = "") -> None:
        self.purged: list[str] = []
        self.desk = Desk(CollectorRegistry(), self.purge, token)

    def purge(self, prefix: str) -> int:
        self.purged.append(prefix)
        return 7

    def ask(
        self, path: str, method: str = "POST", address: str = "127.0.0.1", **fields: str
    ) -> tuple[int, dict[str, object]]:
        path, _, query = path.partition("?")
        environment: WSGIEnvironment = {
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "REMOTE_ADDR": address,
            **fields,
        }
        statuses: list[int] = []

        def start(status: str, *_: object) -> "object":
            statuses.append(int(status.split()[0]))
            return lambda _data: None

        body = b"".join(self.desk(environment, start))  # type: ignore[arg-type]  # a test's stand-in
        (status,) = statuses
        document: dict[str, object] = json.loads(body) if body.startswith(b"{") else {}
        return status, document


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_from_this_machine_purging_needs_no_token(reader: Reader, address: str) -> None:
    answer = reader.ask("/purge?prefix=/main/", address=address)
    assert answer == (200, {"prefix": "/main/", "purged": 7})
    assert reader.purged == ["/main/"]


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "", "unix"])
def test_from_elsewhere_it_needs_one_and_says_so(reader: Reader, address: str) -> None:
    status, document = reader.ask("/purge?prefix=/main/", address=address)
    assert status == 403
    assert "[purge] token" in str(document["detail"])
    assert reader.purged == []


def test_with_the_token_it_is_done_from_everywhere() -> None:
    reader = Reader(token="s3cret")
    given = {"HTTP_AUTHORIZATION": "Bearer s3cret"}
    assert reader.ask("/purge?prefix=/", address="192.0.2.7", **given)[0] == 200
    assert reader.ask("/purge?prefix=/", address="192.0.2.7")[0] == 403
    assert reader.ask("/purge?prefix=/", address="127.0.0.1")[0] == 200
    assert len(reader.purged) == 2


@pytest.mark.parametrize("given", ["Bearer wrong", "s3cret", "Basic s3cret", "Bearer ", "Bearer ü"])
@pytest.mark.parametrize("token", ["s3cret", ""])
def test_a_wrong_token_is_refused_even_from_this_machine(given: str, token: str) -> None:
    reader = Reader(token)
    assert reader.ask("/purge?prefix=/", HTTP_AUTHORIZATION=given)[0] == 401
    assert reader.purged == []


def test_a_page_in_a_browser_may_not_purge(reader: Reader) -> None:
    status, document = reader.ask("/purge?prefix=/", HTTP_ORIGIN="https://elsewhere.example")
    assert status == 403
    assert "browser" in str(document["detail"])
    assert reader.purged == []


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        pytest.param("/purge?prefix=/main/", "GET", 405, id="not by GET"),
        pytest.param("/purge", "POST", 400, id="no prefix"),
        pytest.param("/purge?prefix=", "POST", 400, id="an empty prefix"),
        pytest.param("/purge?prefix=main", "POST", 400, id="no slash"),
        pytest.param("/purge?prefix=/a&prefix=/b", "POST", 400, id="two of them"),
        pytest.param("/purge?prefix=/a%3Fb", "POST", 400, id="a query"),
        pytest.param("/purge?prefix=/a/../b", "POST", 400, id="dots"),
        pytest.param("/purge?prefix=/%C3%BC", "POST", 400, id="not ASCII"),
        pytest.param("/purge?prefix=/" + "a" * 2000, "POST", 414, id="too long"),
        pytest.param("/other", "POST", 404, id="another address"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    reader: Reader, path: str, method: str, status: int
) -> None:
    given, document = reader.ask(path, method)
    assert given == status
    assert str(document["detail"]).endswith((".", "/"))
    assert reader.purged == []


def test_a_prefix_is_brought_to_the_spelling_of_keys() -> None:
    assert checked_prefix("/%6dain/") == "/main/"
    assert checked_prefix("/") == "/"
    with pytest.raises(RequestRefused, match="begins with a slash"):
        checked_prefix("main/")


def test_a_worker_without_a_cache_has_nothing_to_purge() -> None:
    reader = Reader()
    reader.desk = Desk(CollectorRegistry())
    assert reader.ask("/purge?prefix=/")[0] == 404


async def test_purging_happens_in_the_event_loop_and_the_caller_hears_how_much() -> None:
    threads: list[int] = []

    def purge(prefix: str) -> int:
        threads.append(threading.get_ident())
        return len(prefix)

    from_afar = handed_over(purge, asyncio.get_running_loop())
    assert await asyncio.to_thread(from_afar, "/main/") == 6
    assert threads == [threading.get_ident()]


def test_a_worker_that_is_too_busy_to_purge_says_so() -> None:
    reader = Reader()

    def too_busy(_prefix: str) -> int:
        raise TimeoutError

    reader.desk = Desk(CollectorRegistry(), too_busy)
    assert reader.ask("/purge?prefix=/")[0] == 503


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.watch("cache_objects", "Objects in the cache.", lambda: 7)
    return metrics


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_metrics_are_served_in_prometheus_own_form(metrics: Metrics, host: str) -> None:
    with closing(MetricsServer(metrics, host, 0, must_have=True)) as server:
        at = f"[{host}]" if ":" in host else host
        with urllib.request.urlopen(f"http://{at}:{server.port}/metrics", timeout=60) as answer:
            text: str = answer.read().decode()
            assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "tidecast_edge_cache_objects 7.0" in text
    assert "process_resident_memory_bytes" in text


def test_the_port_purges_over_http(metrics: Metrics) -> None:
    server = MetricsServer(metrics, "127.0.0.1", 0, must_have=True, purge=len, token="")
    with closing(server):
        url = f"http://127.0.0.1:{server.port}/purge?prefix=/main/"
        asked = urllib.request.Request(url, method="POST")
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert json.load(answer) == {"prefix": "/main/", "purged": 6}
        with pytest.raises(urllib.error.HTTPError, match="405"):
            urllib.request.urlopen(url, timeout=60)


def test_a_port_that_was_asked_for_must_be_free_and_the_default_need_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} .* --metrics-port"):
            MetricsServer(Metrics(), "127.0.0.1", port, must_have=True)
        with closing(MetricsServer(Metrics(), "127.0.0.1", port, must_have=False)) as server:
            assert server.port not in (0, port)
