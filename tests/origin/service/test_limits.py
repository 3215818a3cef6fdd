"""Every bound on strangers is a setting, and what the operator sets is what is in force."""

from dataclasses import asdict

from origin.config.layers import load_settings
from origin.config.settings import ControlSettings, LimitSettings, Settings
from origin.http.limits import HttpLimits
from origin.ingest.settings import IngestSettings
from origin.rtmp.limits import Limits
from origin.service.origin_process import http_limits, ingest_settings

ONE_MORE = {
    name: value + 1
    for name, value in LimitSettings().model_dump().items()
    if name not in ("connections_per_address", "unread_replies_bytes", "memory_mib")
}
"""Each limit that has the same name everywhere, and one more than its default."""


def test_by_default_they_are_those_that_are_declared_with_their_reasons() -> None:
    settings = load_settings({}, None)
    assert ingest_settings(settings) == IngestSettings()
    assert http_limits(settings) == HttpLimits()


def test_each_bound_of_a_connection_can_be_set() -> None:
    set_by_hand = ingest_settings(Settings(limits=LimitSettings(**ONE_MORE)))
    in_force = asdict(set_by_hand) | asdict(set_by_hand.limits)
    assert {name: in_force[name] for name in ONE_MORE} == ONE_MORE
    assert ONE_MORE.keys() >= asdict(Limits()).keys()


def test_what_has_another_name_outside_can_be_set() -> None:
    limits = LimitSettings(connections_per_address=7, unread_replies_bytes=70_000)
    in_force = ingest_settings(Settings(limits=limits))
    assert in_force.strangers_per_address == 7
    assert in_force.write_buffer_bytes == 70_000


def test_each_bound_of_the_control_port_can_be_set() -> None:
    control = ControlSettings(request_s=1, request_bytes=5000, slow_reader_s=2)
    assert http_limits(Settings(control=control)) == HttpLimits(1, 5000, 2)
