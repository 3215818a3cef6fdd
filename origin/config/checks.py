"""What settings must not be together, each of them good by itself."""

from collections.abc import Mapping
from itertools import combinations

from origin.config.addresses import LOOPBACK, is_public, is_unspecified
from origin.config.settings import Settings
from origin.errors import SettingsError


def checked(settings: Settings, server: Mapping[str, object]) -> Settings:
    """Return ``settings`` as they are to be used; ``server`` is what was given of that section.

    Raises:
        SettingsError: they cannot be used together; says which, and what to do.
    """
    if server.get("data_dir") == "":
        raise SettingsError("server.data_dir is empty: name a directory (--data-dir)")
    if bool(settings.rtmp.tls_certificate) != bool(settings.rtmp.tls_key):
        raise SettingsError("rtmp.tls_certificate and rtmp.tls_key: give both of them, or none")
    _check_ports(settings)
    return _with_safe_host(settings, host_is_given="host" in server)


def _check_ports(settings: Settings) -> None:
    """Refuse one port for two: whoever comes second would be started again and again."""
    server, rtmp, control = settings.server, settings.rtmp, settings.control
    used = [
        ("rtmp.port", server.host, rtmp.port, True),
        ("rtmp.tls_port", server.host, rtmp.tls_port, rtmp.has_tls),
        ("server.http_port", server.host, server.http_port, server.edge_workers > 0),
        ("control.port", control.host, control.port, True),
    ]
    opened = [(name, host, port) for name, host, port, is_opened in used if is_opened]
    for (one, host, port), (other, other_host, other_port) in combinations(opened, 2):
        meet = host == other_host or is_unspecified(host) or is_unspecified(other_host)
        if port == other_port and meet:
            raise SettingsError(f"{one} and {other} are both {port}: give each a port of its own")


def _with_safe_host(settings: Settings, *, host_is_given: bool) -> Settings:
    """Keep an open door off the internet: loopback by default, never public by accident."""
    if not settings.rtmp.open or settings.rtmp.force_open:
        return settings
    if not host_is_given:
        server = settings.server.model_copy(update={"host": LOOPBACK})
        return settings.model_copy(update={"server": server})
    if is_public(settings.server.host):
        raise SettingsError(
            f"open publishing on the public address {settings.server.host} would let anyone "
            "broadcast from here: give a private --host, or --force-open if that is what you want",
        )
    return settings
