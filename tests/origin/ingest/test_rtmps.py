"""RTMPS: the same listener behind TLS, with real FFmpeg, and a certificate that is renewed."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from origin.errors import SettingsError
from origin.ingest.settings import IngestSettings
from origin.ingest.tls import Certificate
from origin.media.coded import MediaKind
from origin.rtmp.limits import Limits
from tests.support.certificates import Pair, self_signed, trusting
from tests.support.doors import ClosedDoor, OpenDoor
from tests.support.encoders import ECHO, HELLO
from tests.support.listeners import listening
from tests.support.pushers import Ffmpeg, pushing
from tests.support.rtmp_client import rtmp_client

STARTED = "NetStream.Publish.Start"


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    folder = tmp_path_factory.mktemp("certificates")
    return self_signed(folder, "first"), self_signed(folder, "second")


@pytest.fixture
def pair(pairs: tuple[Pair, Pair], tmp_path: Path) -> Pair:
    """A copy of the first pair, to be renewed and broken."""
    copy = Pair(tmp_path / "rtmps.pem", tmp_path / "rtmps.key")
    put(pairs[0], copy)
    return copy


def put(source: Pair, target: Pair) -> None:
    target.certificate.write_bytes(source.certificate.read_bytes())
    target.key.write_bytes(source.key.read_bytes())


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("ffmpeg", Ffmpeg, ids=lambda ffmpeg: ffmpeg.value)
async def test_ffmpeg_publishes_over_tls_without_a_lost_frame(
    ffmpeg: Ffmpeg, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair.certificate))  # FFmpeg 9 checks; 5.1 does not
    door, tls = OpenDoor(), Certificate(*pair).context
    async with listening(door, tls=tls) as listener:
        url = f"rtmps://127.0.0.1:{listener.port}/live/key"
        async with pushing(url, ffmpeg=ffmpeg, seconds=3, in_real_time=False) as pusher:
            assert await pusher.finished() == 0, pusher.log()
            await door.publication.over.wait()
    assert door.publication.ends == [True]
    assert len(door.publication.frames(MediaKind.VIDEO)) == 3 * 30


async def test_a_live_publisher_is_read_through_tls_and_heard_to_its_end(pair: Pair) -> None:
    door, tls = OpenDoor(), Certificate(*pair).context
    async with (
        listening(door, tls=tls) as listener,
        rtmp_client(listener.port, trusting(pair)) as client,
    ):
        await client.begin()
        await client.hear(STARTED)
        for at in range(0, 2000, 10):
            client.writer.write(client.encoder.video(at) + client.encoder.audio(at))
            await client.writer.drain()
        client.writer.write(client.encoder.goodbye())
        await door.publication.over.wait()
    assert len(door.publication.frames(MediaKind.VIDEO)) == 200
    assert door.publication.ends == [True]


async def test_a_refusal_is_read_before_the_connection_ends(pair: Pair) -> None:
    door, tls = ClosedDoor("No such key."), Certificate(*pair).context
    async with (
        listening(door, tls=tls) as listener,
        rtmp_client(listener.port, trusting(pair)) as client,
    ):
        await client.begin()
        assert await client.hear("NetStream.Publish.BadName") == "No such key."
        await client.closed()


async def test_a_publisher_that_is_replaced_is_told(pair: Pair) -> None:
    door, tls = OpenDoor(), Certificate(*pair).context
    async with (
        listening(door, tls=tls) as listener,
        rtmp_client(listener.port, trusting(pair)) as client,
    ):
        await client.begin()
        await client.hear(STARTED)
        door.publication.close("Another encoder took over.")
        assert await client.hear("NetStream.Publish.Rejected") == "Another encoder took over."
        await client.closed()
    assert door.publication.ends == [False]


async def test_a_publisher_that_vanishes_is_ended_once(pair: Pair) -> None:
    door, tls = OpenDoor(), Certificate(*pair).context
    async with listening(door, tls=tls) as listener:
        async with rtmp_client(listener.port, trusting(pair)) as client:
            await client.begin()
            await client.hear(STARTED)
            client.writer.write(client.encoder.video(0))
            await client.writer.drain()
            await door.publication.pushed.wait()
        await door.publication.over.wait()
    assert door.publication.ends == [False]


async def test_who_does_not_speak_tls_is_closed(pair: Pair) -> None:
    tls = Certificate(*pair).context
    settings = IngestSettings(limits=Limits(handshake_s=0.2))
    async with listening(OpenDoor(), settings, tls) as listener:
        for greeting in (HELLO, b"GET / HTTP/1.1\r\n\r\n", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(greeting)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(100_000)
            writer.close()


async def test_who_speaks_rtmp_where_rtmps_is_spoken_is_told_of_in_the_log(pair: Pair) -> None:
    tls = Certificate(*pair).context
    with capture_logs() as lines:
        async with listening(OpenDoor(), tls=tls) as listener:
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(HELLO)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
    assert ("warning", "connection closed: this port is for rtmps://, and that was no TLS") in [
        (line["log_level"], line["event"]) for line in lines
    ]


async def test_sockets_that_never_agree_are_strangers_like_any_other(pair: Pair) -> None:
    tls, settings = Certificate(*pair).context, IngestSettings(strangers_per_address=2)
    async with listening(OpenDoor(), settings, tls) as listener:
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        with pytest.raises((ConnectionError, ssl.SSLError)):
            async with rtmp_client(listener.port, trusting(pair)) as client:
                await client.shake_hands()
        async with rtmp_client(listener.port, trusting(pair), local="127.0.0.2") as client:
            await client.shake_hands()
            assert (listener.counters.accepted, listener.counters.refused) == (1, 1)
        for reader, writer in silent:
            writer.write(b"this is no TLS at all")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(100_000)
            writer.close()
        async with rtmp_client(listener.port, trusting(pair)) as client:
            await client.begin()
            await client.hear(STARTED)


async def test_who_comes_in_a_pause_is_let_in_after_it(pair: Pair) -> None:
    tls = Certificate(*pair).context
    async with listening(OpenDoor(), tls=tls) as listener:
        for _ in range(2):
            listener.listener.pause()
            await turns(5)
            coming = asyncio.ensure_future(
                asyncio.open_connection("127.0.0.1", listener.port, ssl=trusting(pair))
            )
            await turns(20)
            assert not coming.done()
            await listener.listener.resume()
            _, writer = await coming
            writer.transport.abort()


async def test_closing_the_listener_waits_for_no_agreement(pair: Pair) -> None:
    tls = Certificate(*pair).context
    async with listening(OpenDoor(), tls=tls) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x16\x03\x01")  # the beginning of a ClientHello
        await turns(20)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_a_peer_that_sends_all_at_once_is_heard_to_its_end(pair: Pair) -> None:
    door, tls = OpenDoor(), Certificate(*pair).context
    async with (
        listening(door, tls=tls) as listener,
        rtmp_client(listener.port, trusting(pair)) as client,
    ):
        encoder = client.encoder
        client.writer.write(HELLO + ECHO + encoder.connect() + encoder.publish())
        client.writer.write(b"".join(encoder.video(at) for at in range(500)) + encoder.goodbye())
        await door.entered.wait()
        await door.publication.over.wait()
    assert len(door.publication.frames(MediaKind.VIDEO)) == 500
    assert door.publication.ends == [True]


async def test_a_renewed_certificate_holds_for_who_comes_next(
    pair: Pair, pairs: tuple[Pair, Pair]
) -> None:
    door, certificate = OpenDoor(), Certificate(*pair)
    async with (
        listening(door, tls=certificate.context) as listener,
        rtmp_client(listener.port, trusting(pairs[0])) as early,
    ):
        await early.begin()
        await early.hear(STARTED)
        put(pairs[1], pair)
        certificate.load()
        async with rtmp_client(listener.port, trusting(pairs[1])) as late:
            await late.begin()
            await late.hear(STARTED)
        early.writer.write(early.encoder.video(0) + early.encoder.goodbye())
        await door.publications[0].over.wait()
    assert door.publications[0].ends == [True]


@pytest.mark.parametrize("what", ["key of another", "no certificate", "gone", "passphrase"])
async def test_a_certificate_that_cannot_be_used_leaves_the_old_one(
    pair: Pair, pairs: tuple[Pair, Pair], what: str
) -> None:
    certificate = Certificate(*pair)
    match what:
        case "key of another":
            pair.key.write_bytes(pairs[1].key.read_bytes())
        case "no certificate":
            pair.certificate.write_text("-----BEGIN CERTIFICATE-----\nhalf of i")
        case "gone":
            pair.key.unlink()
        case _:
            pair.key.write_text(ENCRYPTED_KEY)
    with pytest.raises(SettingsError, match=r"rtmp\.tls_certificate.* in PEM") as refusal:
        certificate.load()
    assert (f"cannot read {pair.key}: No such file" in str(refusal.value)) is (what == "gone")
    async with (
        listening(OpenDoor(), tls=certificate.context) as listener,
        rtmp_client(listener.port, trusting(pairs[0])) as client,
    ):
        await client.shake_hands()


# openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x
ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjdpWrpFrU6LgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIKd/KHgEY3zRH/wO96jUxAEgZBD
GD/XguX65ttoLZEOCyPsII1ZJhALBY0Pc5xHqm4oBgesq8CIRoiE2chvFLZBKv6m
yqHVSVvbGO8yJYa1O/zgZ8Wv8oOtePY4UTKby8egqFbmKvpfUaxljh4UJOw0mLzB
Ay5QfaxTzikN/9Ot+u/xapR//seBp0LktniLa6u90l3KUXMrtkAQel2y9l5Qa1Y=
-----END ENCRYPTED PRIVATE KEY-----
"""
