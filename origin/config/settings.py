"""Every setting of ``tidecast serve``, with its unit, its default and what it is for.

Nothing else is said here: where values come from is ``layers``, what they must not be together is
``checks``. Flags, variables, the example file and the settings page are made from this.
"""

from pathlib import Path
from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field

from origin.http.limits import HttpLimits
from origin.ingest.settings import IngestSettings
from origin.rtmp.limits import Limits

Port = Annotated[int, Field(ge=1, le=65535)]  # not 0: what is printed has to be true


class Section(BaseModel):
    """What all sections have in common: they are frozen, and strict about their keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ServerSettings(Section):
    """Where Tidecast listens for streamers and viewers, and where it keeps its files."""

    host: str = "0.0.0.0"
    """Address on which RTMP and the edge listen. With `open`, loopback unless set."""
    http_port: Port = 8080
    """Port of the edge: viewers' pages and streams."""
    edge_workers: int = Field(default=1, ge=0, le=64)
    """Processes of the edge; 0 starts none (edges on other machines only)."""
    data_dir: Path = Path("~/.local/share/tidecast")
    """Directory of everything durable, such as the stream keys."""
    log_json: bool = False
    """Write the log as JSON lines."""


class RtmpSettings(Section):
    """Taking streams in."""

    port: Port = 1935
    """Port on which encoders publish."""
    open: bool = False
    """Let any name publish without a key, for tests and closed networks."""
    force_open: bool = False
    """Allow `open` on an address that the whole internet can reach."""
    grace_s: float = Field(default=90.0, ge=0, le=3600)
    """Seconds that a stream waits for a lost publisher before it ends."""
    keep_ended_s: float = Field(default=300.0, ge=0, le=86400)
    """Seconds that an ended stream's last segments can still be fetched."""
    chunk_size: int = Field(default=60_000, ge=128, le=0xFFFFFF)
    """Bytes per chunk that encoders are told to expect from the origin; FFmpeg copies it."""
    failed_key_delay_s: float = Field(default=4.0, ge=0, le=4)
    """Longest wait, in seconds, of an address that has shown wrong keys."""
    login_app: str = Field(default="login", pattern=r"^[A-Za-z0-9_-]{0,64}$")
    """App at which encoders are asked for user (a stream) and password (its key); empty: none."""
    tls_port: Port = 1936
    """Port of RTMPS, which is open where there is a certificate."""
    tls_certificate: str = ""
    """File with the certificate chain of RTMPS, in PEM; read again when it changes."""
    tls_key: str = ""
    """File with that certificate's private key, in PEM, without a passphrase."""

    @property
    def has_tls(self) -> bool:
        """Whether RTMPS is spoken."""
        return bool(self.tls_certificate)


_LIMITS, _INGEST, _HTTP = Limits(), IngestSettings(), HttpLimits()


class LimitSettings(Section):
    """What anybody who reaches the RTMP port may cost, before and after being let in."""

    handshake_s: float = Field(default=_LIMITS.handshake_s, gt=0, le=60)
    """Seconds from a connection's start until its handshake is done."""
    connect_s: float = Field(default=_LIMITS.connect_s, gt=0, le=60)
    """Seconds from a connection's start until `connect`."""
    publish_s: float = Field(default=_LIMITS.publish_s, gt=0, le=300)
    """Seconds from a connection's start, or the end of its last publish, until `publish`."""
    silence_s: float = Field(default=_LIMITS.silence_s, gt=0, le=300)
    """Seconds that a live publisher may send no media."""
    unfinished_message_s: float = Field(default=_LIMITS.unfinished_message_s, gt=0, le=60)
    """Seconds that a message may take to become complete while bytes flow."""
    closing_s: float = Field(default=_LIMITS.closing_s, gt=0, le=60)
    """Seconds for a peer to read why it is closed, and to agree on the end of TLS."""
    decision_s: float = Field(default=_INGEST.decision_s, ge=5, le=60)
    """Seconds for the decision on a publish; longer than any wait for wrong keys."""
    longest_message_before_publish_bytes: int = Field(
        default=_LIMITS.longest_message_before_publish_bytes, ge=4096, le=0xFFFFFF
    )
    """Bytes of a message before a publish is let in: commands have some hundred."""
    longest_message_bytes: int = Field(default=_LIMITS.longest_message_bytes, ge=65536, le=0xFFFFFF)
    """Bytes of a message after that: a keyframe of 4K at 60 Mbit/s has less than 2 MiB."""
    unfinished_before_publish_bytes: int = Field(
        default=_LIMITS.unfinished_before_publish_bytes, ge=4096
    )
    """Bytes held in unfinished messages before a publish: two of the longest."""
    unfinished_bytes: int = Field(default=_LIMITS.unfinished_bytes, ge=65536)
    """Bytes held in unfinished messages after that: two of the longest."""
    chunk_streams: int = Field(default=_LIMITS.chunk_streams, ge=8, le=65_597)
    """Chunk streams of a connection: encoders use up to 5."""
    chunks_per_turn: int = Field(default=_LIMITS.chunks_per_turn, ge=16, le=4096)
    """Chunks that are parsed before everybody else has a turn: a chunk may be a single byte."""
    stranger_turns_per_s: int = Field(default=_INGEST.stranger_turns_per_s, ge=1, le=1000)
    """Turns in a second, beyond the first one of each, of all together who are not publishing."""
    command_bytes: int = Field(default=_LIMITS.command_bytes, ge=4096, le=0xFFFFFF)
    """Bytes of a command: encoders' have some hundred."""
    command_values: int = Field(default=_LIMITS.command_values, ge=64, le=100_000)
    """Values of a command, those within others counted: encoders' have up to 60."""
    metadata_bytes: int = Field(default=_LIMITS.metadata_bytes, ge=4096, le=0xFFFFFF)
    """Bytes of metadata: less than 1 KiB, or with an index of keyframes 18 for each of them."""
    metadata_values: int = Field(default=_LIMITS.metadata_values, ge=64, le=100_000)
    """Values of metadata, those within others counted; 64 numbers of an index count as one."""
    amf_depth: int = Field(default=_LIMITS.amf_depth, ge=4, le=64)
    """How deep values may lie within one another: encoders need 2."""
    unread_replies_bytes: int = Field(default=_INGEST.write_buffer_bytes, ge=65536)
    """Bytes of replies that a peer does not read, until it is cut off."""
    players: int = Field(default=_INGEST.players, ge=0)
    """Who may watch over RTMP at once: relays and tests. The audience has HLS."""
    connections: int = Field(default=_INGEST.connections, ge=1)
    """RTMP connections at once."""
    connections_per_address: int = Field(default=_INGEST.strangers_per_address, ge=1)
    """RTMP connections of one address that have not been let in to publish."""
    memory_mib: int = Field(default=0, ge=0)
    """Memory in MiB, of which new publishers are refused at 80 %; 0 is the machine's."""


class ControlSettings(Section):
    """The origin's own HTTP server: what edges fetch, and the control API."""

    host: str = "127.0.0.1"
    """Address of the control port; anything but loopback also exposes the API."""
    port: Port = 8081
    """Port of the control API and of everything that edges fetch."""
    token_file: str = ""
    """File with the administrator's token; empty: `control.token` in the data directory."""
    request_s: float = Field(default=_HTTP.request_s, gt=0, le=600)
    """Seconds in which a request has to arrive as a whole: an edge takes milliseconds."""
    request_bytes: int = Field(default=_HTTP.request_bytes, ge=4096)
    """Bytes that a request may have: nothing that is asked here has a body worth mentioning."""
    slow_reader_s: float = Field(default=_HTTP.slow_reader_s, gt=0, le=600)
    """Seconds that a client may take nothing of what it is sent."""


class HlsSettings(Section):
    """How streams are cut."""

    segment_s: float = Field(default=2.0, ge=0.5, le=10)
    """Seconds after which a segment ends at the next keyframe."""
    part_s: float = Field(default=0.5, ge=0.1, le=2)
    """Longest part of a segment, in seconds."""
    window: int = Field(default=12, ge=3, le=1800)
    """Segments that a playlist lists."""
    low_latency: bool = True
    """List parts in the fMP4 playlist, and hold requests for what comes next."""
    keep_over_restarts: bool = True
    """Write what can be fetched to the data directory, so that a restart loses nothing."""


class Settings(Section):
    """All of them, by section."""

    server: ServerSettings = ServerSettings()
    rtmp: RtmpSettings = RtmpSettings()
    control: ControlSettings = ControlSettings()
    hls: HlsSettings = HlsSettings()
    limits: LimitSettings = LimitSettings()

    @property
    def data_dir(self) -> Path:
        """The data directory, with ``~`` resolved."""
        return self.server.data_dir.expanduser()


def known_keys() -> dict[str, type[Section]]:
    """The sections by name."""
    return {
        name: cast("type[Section]", field.annotation)
        for name, field in Settings.model_fields.items()
    }
