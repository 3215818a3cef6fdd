"""What a reload may change, and what has to wait for the next start: a decision on two settings.

Whatever a process has opened before it served anybody stays open as it is: its port and its metrics
port, its siblings, whether it speaks TLS. A reload that asks for another one is not refused for it,
since the rest of the file may be urgent; the names of what was left as it is are returned, so that
they can be said.
"""

from collections.abc import Mapping

from cdn.settings import EdgeSettings

FIXED: Mapping[str, tuple[str, ...]] = {
    "listen": (
        "host",
        "http_port",
        "workers",
        "backlog",
        "fast_path",
        "tls_certificate",
        "tls_key",
    ),
    "metrics": ("enabled", "host", "port"),
    "purge": ("token",),
    "log": ("access_file",),
}
"""Settings that hold until the process ends, by section. (Of TLS the files are read again.)"""


def merged(running: EdgeSettings, wanted: EdgeSettings) -> tuple[EdgeSettings, list[str]]:
    """Return the settings to go on with, and the names of those that stay as they are."""
    sections: dict[str, object] = {}
    left: list[str] = []
    for name in type(wanted).model_fields:
        old, new = getattr(running, name), getattr(wanted, name)
        kept = {key: getattr(old, key) for key in FIXED.get(name, ())}
        if name == "log" and bool(old.access_sample) is not bool(new.access_sample):
            kept["access_sample"] = old.access_sample  # there is an access log, or there is none
        left += [f"{name}.{key}" for key, value in kept.items() if getattr(new, key) != value]
        sections[name] = new.model_copy(update=kept)
    return wanted.model_copy(update=sections), left
