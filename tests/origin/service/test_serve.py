"""The edge that is started in front of the origin: where it is told to look."""

import pytest

from origin.config.layers import load_settings
from origin.service.serve import edge_arguments


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1", "http://127.0.0.1:8081"),
        ("0.0.0.0", "http://127.0.0.1:8081"),
        ("::", "http://127.0.0.1:8081"),
        ("::1", "http://[::1]:8081"),
        ("192.168.1.20", "http://192.168.1.20:8081"),
    ],
)
def test_the_edge_asks_the_origin_where_this_machine_reaches_it(host: str, origin: str) -> None:
    arguments = edge_arguments(load_settings({"control": {"host": host}}, None))
    assert arguments[arguments.index("--origin") + 1] == origin
