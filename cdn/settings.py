"""Every setting of the edge, declared once.

A field's docstring is its documentation, in the command line's help and wherever else settings
are listed. Values come from four layers: a flag wins over the environment
(``TIDECAST_EDGE__SECTION__KEY``), that over the TOML file, that over the default. An unknown name
is refused in each of them, with the name that was probably meant: a misspelt limit that is
silently ignored is found on the evening of the broadcast.
"""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from cdn.errors import SettingsError

ENV_PREFIX = "TIDECAST_EDGE__"
ENV_DELIMITER = "__"

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]


def _origin_url(value: str) -> str:
    url = urlsplit(value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("the origin's address looks like https://live.example.com:8081")
    if url.path not in ("", "/") or url.query or url.fragment or url.username:
        raise ValueError("the origin's address has a scheme, a host and a port, and nothing else")
    return f"{url.scheme}://{url.netloc}"


class Section(BaseModel):
    """What all sections share: unknown names are errors, and nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Origin(Section):
    """The origin, and how patient the edge is with it."""

    url: Annotated[str, AfterValidator(_origin_url), Field(examples=["https://live.example.com"])]
    """The origin's address: scheme, host and port."""
    connect_timeout_s: Seconds = 3.0
    """How long a connection may take to be established."""
    first_byte_timeout_s: Seconds = 30.0
    """How long an answer may take to begin; a blocked playlist takes up to three segments."""
    read_timeout_s: Seconds = 10.0
    """How long an answer may pause in the middle."""
    total_timeout_s: Seconds = 60.0
    """How long an answer may take as a whole; this is what stops one byte a second."""
    connections: Annotated[int, Field(ge=1)] = 512
    """Most connections to the origin at a time, per worker."""
    largest_object: ByteSize = ByteSize(64 * 1024 * 1024)
    """Largest answer that is taken from the origin (64MiB)."""


class Listen(Section):
    """Where viewers connect, and how the edge says goodbye."""

    host: str = "0.0.0.0"
    """Address to listen on."""
    http_port: Port = 8080
    """Port for viewers; 0 picks a free one."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Processes that share the port; each has a cache of its own, so one per core is the most."""
    backlog: Annotated[int, Field(ge=1)] = 4096
    """Connections that may wait to be accepted (the kernel's net.core.somaxconn bounds it)."""
    keep_alive_s: Annotated[int, Field(ge=1)] = 30
    """How long an idle connection is kept for the viewer's next request."""
    drain_notice_s: Seconds = 0.5
    """After SIGTERM, how long new connections still get an answer, with /readyz saying 503."""
    drain_s: Annotated[int, Field(ge=1, le=3600)] = 8
    """How long responses that are running may go on after that."""


class Cache(Section):
    """What is kept, and for how long where the origin does not say."""

    memory: ByteSize = ByteSize(512 * 1024 * 1024)
    """Most memory for objects, per worker (512MiB); the least recently used go first."""
    stale_if_error_s: Seconds = 60.0
    """How long the last good answer stands in for an origin that fails."""
    negative_s: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How long a 404 and its like are kept at most."""
    patience_s: Seconds = 1.5
    """How long viewers of an expired object wait for a slow origin before they get the old one."""
    retry_s: Seconds = 1.0
    """How long the edge leaves a failing origin alone before it asks for that object again."""


class Rule(Section):
    """What to do with one kind of resource, instead of obeying the origin's headers."""

    fresh_s: Seconds | None = None
    """Lifetime of a good answer that may be stored at all."""
    stale_if_error_s: Seconds | None = None
    """How long after that it stands in for an origin that fails."""


class Rules(Section):
    """Rules by kind of resource; without one, the origin's headers are obeyed."""

    playlist: Rule = Rule()
    """Media playlists: index.m3u8 below v0/, v1/, ..."""
    multivariant: Rule = Rule()
    """Multivariant playlists: any other .m3u8."""
    media: Rule = Rule()
    """Segments, parts and initialization sections."""
    status: Rule = Rule()
    """JSON that pages poll, such as status.json."""
    asset: Rule = Rule()
    """Everything below /assets/."""
    page: Rule = Rule()
    """Pages, and all that is none of the above."""


class Metrics(Section):
    """Prometheus metrics, on a port that viewers do not reach."""

    enabled: bool = True
    """Whether metrics are served at all."""
    host: str = "127.0.0.1"
    """Address to serve metrics on."""
    port: Port = 9180
    """Port of the first worker's metrics, the next worker has the next port. Where the default is
    taken, a free one is used; a port that was asked for must be free."""


class Log(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important line that is written."""


class EdgeSettings(BaseSettings):
    """All sections together, as in the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    origin: Origin
    listen: Listen = Listen()
    cache: Cache = Cache()
    rules: Rules = Rules()
    metrics: Metrics = Metrics()
    log: Log = Log()


Flags = Mapping[str, Mapping[str, object]]
"""Sections, and in each the values given on the command line."""


def load(file: Path | None, flags: Flags) -> EdgeSettings:
    """Put the layers on top of each other; raise ``SettingsError`` that names every error."""

    class Layered(EdgeSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            layers = [init_settings, env_settings]
            if file is not None:
                layers.append(TomlConfigSettingsSource(settings_cls, file))
            return tuple(layers)

    if file is not None and not file.is_file():
        raise SettingsError(f"{file}: there is no such file")
    refuse_unknown_environment(os.environ)
    try:
        return Layered(**_plain(flags))
    except ValidationError as error:
        raise SettingsError("\n".join(map(explain, error.errors()))) from error
    except (SourceError, ValueError) as error:  # ValueError: not TOML, or not UTF-8
        raise SettingsError(f"{file or 'environment'}: {error}") from error


def _plain(flags: Flags) -> dict[str, Any]:
    return {section: dict(values) for section, values in flags.items() if values}


def refuse_unknown_environment(environment: Mapping[str, str]) -> None:
    """Refuse sections that do not exist; names within a section are checked with all the rest."""
    for name in environment:
        if not name.upper().startswith(ENV_PREFIX):
            continue
        section = name[len(ENV_PREFIX) :].split(ENV_DELIMITER)[0].lower()
        if section not in EdgeSettings.model_fields:
            hint = did_you_mean(section, EdgeSettings.model_fields)
            raise SettingsError(f"{name}: there is no section {section!r}{hint}")


def explain(error: ErrorDetails) -> str:
    """Say in one line what is wrong with one setting."""
    path = [str(step) for step in error["loc"]]
    name = ".".join(path)
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{did_you_mean(path[-1], _siblings(path))}"
    if error["type"] == "missing":
        return f"{name}: is needed{' (--origin URL)' if path[0] == 'origin' else ''}"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}, not {error['input']!r}"


def _siblings(path: list[str]) -> Mapping[str, object]:
    model: type[BaseModel] = EdgeSettings
    for step in path[:-1]:
        section = model.model_fields[step].annotation
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return {}
        model = section
    return model.model_fields


def did_you_mean(wrong: str, known: Mapping[str, object]) -> str:
    """Suggest the closest name, or say what names there are."""
    close = get_close_matches(wrong, list(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""
