"""The origin over HTTP: addresses, caching, conditions, ranges, and what is said when it is not."""

import gzip
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import m3u8
import pytest

from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.broadcasts import broadcast
from tests.support.stations import Station

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
async def live(station: Station) -> Station:
    broadcast(await station.publish(), 9.0, meanwhile=station.clock.advance)
    return station


async def first_uri(client: httpx.AsyncClient, playlist: str) -> str:
    parsed = m3u8.loads((await client.get(playlist)).text, uri=f"http://origin{playlist}")
    return str(parsed.segments[0].absolute_uri)


@pytest.mark.usefixtures("live")
async def test_the_multivariant_playlist_leads_to_media_and_init(client: httpx.AsyncClient) -> None:
    top = await client.get("/main/index.m3u8")
    variant = m3u8.loads(top.text, uri="http://origin/main/index.m3u8").playlists[0]
    assert variant.stream_info.codecs == "avc1.64000d,mp4a.40.2"
    assert variant.stream_info.resolution == (320, 180)
    media = await client.get(variant.absolute_uri)
    parsed = m3u8.loads(media.text, uri=variant.absolute_uri)
    assert len([each for each in parsed.segments if each.uri]) == 4
    for uri in (parsed.segment_map[0].absolute_uri, parsed.segments[0].absolute_uri):
        answer = await client.get(uri)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["cache-control"] == FOR_EVER


@pytest.mark.usefixtures("live")
async def test_parts_are_the_segment_in_pieces(client: httpx.AsyncClient) -> None:
    segment = await first_uri(client, "/main/v0/index.m3u8")
    parts = [await client.get(segment.replace(".m4s", f".{n}.m4s")) for n in range(6)]
    assert [part.status_code for part in parts] == [200] * 5 + [404]
    assert b"".join(part.content for part in parts[:5]) == (await client.get(segment)).content


@pytest.mark.parametrize(
    ("path", "content_type", "cache", "ours"),
    [
        ("/main/index.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1", "max-age=0.5"),
        (
            "/main/v0/index.m3u8",
            "application/vnd.apple.mpegurl",
            "public, max-age=1",
            "max-age=0.25",
        ),
        (
            "/main/ts/v0/index.m3u8",
            "application/vnd.apple.mpegurl",
            "public, max-age=1",
            "max-age=0.5",
        ),
        ("/main/status.json", "application/json", "public, max-age=1", "max-age=0.5"),
        ("/main", "text/html; charset=utf-8", "public, max-age=1", "max-age=0.5"),
        ("/main/embed", "text/html; charset=utf-8", "public, max-age=1", "max-age=0.5"),
        ("/", "text/html; charset=utf-8", "public, max-age=1", "max-age=0.5"),
        ("/healthz", "application/json", "no-store", None),
        ("/nobody/index.m3u8", "application/problem+json", "public, max-age=1", None),
    ],
)
@pytest.mark.usefixtures("live")
async def test_each_kind_of_resource_may_be_cached_as_long_as_is_right(
    client: httpx.AsyncClient, path: str, content_type: str, cache: str, ours: str | None
) -> None:
    answer = await client.get(path)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == cache
    assert answer.headers.get("tidecast-cache-control") == ours
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("live")
async def test_a_playlist_is_compressed_for_who_accepts_it(client: httpx.AsyncClient) -> None:
    plain = await client.get("/main/v0/index.m3u8")
    async with client.stream(
        "GET", "/main/v0/index.m3u8", headers={"Accept-Encoding": "br, gzip;q=0.5"}
    ) as packed:
        body = b"".join([piece async for piece in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain.content
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    refused = await client.get("/main/v0/index.m3u8", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("path", ["/main/index.m3u8", "/main/v0/index.m3u8", "/main/status.json"])
async def test_what_has_not_changed_is_not_sent_again(client: httpx.AsyncClient, path: str) -> None:
    etag = (await client.get(path)).headers["etag"]
    again = await client.get(path, headers={"If-None-Match": f'"other", {etag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == etag
    assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("bytes=99999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        ("bytes=5-2", 200, slice(None)),
        ("bytes=0-1,5-6", 200, slice(None)),
        ("bytes=a-b", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=²-", 200, slice(None)),
        ("lines=0-9", 200, slice(None)),
    ],
)
@pytest.mark.usefixtures("live")
async def test_ranges_of_segments(
    client: httpx.AsyncClient, wanted: str, status: int, span: slice
) -> None:
    uri = await first_uri(client, "/main/v0/index.m3u8")
    whole = (await client.get(uri)).content
    answer = await client.get(uri, headers=[(b"Range", wanted.encode())])
    assert answer.status_code == status
    assert answer.content == whole[span]
    if status == 206:
        start, stop, _ = span.indices(len(whole))
        assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    if status == 416:
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.usefixtures("live")
async def test_a_range_of_another_version_is_the_whole(client: httpx.AsyncClient) -> None:
    uri = await first_uri(client, "/main/v0/index.m3u8")
    headers = {"Range": "bytes=0-9", "If-Range": '"older"'}
    assert (await client.get(uri, headers=headers)).status_code == 200


@pytest.mark.usefixtures("live")
async def test_head_says_what_get_would(client: httpx.AsyncClient) -> None:
    segment = await first_uri(client, "/main/v0/index.m3u8")
    playlists = ("/main/index.m3u8", "/main/v0/index.m3u8")
    control = ("/healthz", "/readyz", "/metrics", "/api/v1/streams", "/api/v1/streams/main")
    for path in ("/", "/main", *playlists, segment, *control, "/docs", "/openapi.json"):
        head, get = await client.head(path), await client.get(path)
        assert head.status_code == get.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == get.headers["content-length"]
        assert head.headers.get("etag") == get.headers.get("etag")


@pytest.mark.usefixtures("live")
async def test_any_page_may_play_the_stream(client: httpx.AsyncClient) -> None:
    answer = await client.get("/main/v0/index.m3u8", headers={"Origin": "https://example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Age" in answer.headers["access-control-expose-headers"]
    assert answer.headers["timing-allow-origin"] == "*"
    preflight = await client.options("/main/v0/index.m3u8")
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"


async def test_no_page_of_others_may_ask_the_control_api(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/streams", headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in answer.headers
    assert (await client.options("/api/v1/streams")).status_code == 405


@pytest.mark.parametrize("name", ["apiary", "studio-2"])
async def test_a_stream_whose_name_begins_like_the_control_api_is_a_stream(
    station: Station, client: httpx.AsyncClient, name: str
) -> None:
    broadcast(await station.publish(name), 5)
    answer = await client.get(f"/{name}/index.m3u8")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.usefixtures("live")
async def test_the_stream_is_there_as_mpeg_ts(client: httpx.AsyncClient) -> None:
    top = await client.get("/main/ts/index.m3u8")
    assert "v0/index.m3u8" in top.text
    media = await client.get("/main/ts/v0/index.m3u8")
    assert re.search(r"^epoch0-\d+\.ts$", media.text, re.MULTILINE)


async def test_before_the_first_segment_viewers_are_asked_to_wait(
    station: Station, client: httpx.AsyncClient
) -> None:
    broadcast(await station.publish(), 1.0)
    for path in ("/main/index.m3u8", "/main/v0/index.m3u8", "/main/ts/index.m3u8"):
        answer = await client.get(path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["status"] == 503
    status = (await client.get("/main/status.json")).json()
    assert (status["state"], status["playlist"]) == ("starting", None)


async def test_audio_only_pages_work_too(station: Station, client: httpx.AsyncClient) -> None:
    publication = await station.publish()
    publication.describe({"videocodecid": 7.0})
    broadcast(publication, 3.0)
    assert (await client.get("/main/status.json")).json()["state"] == "live"


async def test_an_ended_stream_says_so_and_stays_fetchable(
    live: Station, client: httpx.AsyncClient
) -> None:
    uri = await first_uri(client, "/main/v0/index.m3u8")
    stream = live.registry.find("main")
    assert stream is not None
    stream.detach(clean=True)
    assert (await client.get("/main/v0/index.m3u8")).text.endswith("#EXT-X-ENDLIST\n")
    assert (await client.get(uri)).status_code == 200
    assert (await client.get("/main/status.json")).json()["state"] == "ended"


@pytest.mark.parametrize(
    "path",
    [
        "/nobody/v0/index.m3u8",
        "/main/v1/index.m3u8",
        "/main/v0/epoch0-1.m4s",
        "/main/v0/../v0/x.m4s",
        "/main/ts/v0/epoch0-1.ts",
        "/main/ts/v1/index.m3u8",
        "/a%2Fb/status.json",
        "/assets/none.js",
        "/a/b/c/d/e",
        "/api/v1/streams/a%20b",
        "/api/v2",
    ],
)
@pytest.mark.usefixtures("live")
async def test_what_is_not_there_is_a_problem_document(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


async def test_what_tidecast_keeps_for_itself_is_no_stream(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/nope", "/studio/v0/index.m3u8"):
        assert (await client.get(path)).json()["detail"] == "there is nothing at this address"


async def test_a_name_that_cannot_be_published_has_a_page_that_says_so(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/a%20b")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.usefixtures("live")
async def test_the_api_says_what_is_on_the_air(client: httpx.AsyncClient) -> None:
    (report,) = (await client.get("/api/v1/streams")).json()["streams"]
    assert report == (await client.get("/api/v1/streams/main")).json()
    assert report["name"] == "main"
    assert report["state"] == "live"
    assert report["codecs"] == "avc1.64000d,mp4a.40.2"
    assert (report["width"], report["height"], report["frame_rate"]) == (320, 180, 25.0)
    assert report["bitrate"] > 0
    assert report["segments"] == 4
    assert report["target_duration"] == 2
    assert report["since"].startswith("2026-01-02T03:04:")


async def test_pages_allow_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    watch, embed = await client.get("/main"), await client.get("/main/embed")
    assert "default-src 'none'" in watch.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in watch.headers["content-security-policy"]
    assert "frame-ancestors *" in embed.headers["content-security-policy"]


async def test_assets_have_names_of_their_content(client: httpx.AsyncClient) -> None:
    page = (await client.get("/main")).text
    addresses = set(re.findall(r'"(/assets/[^"]+)"', page))
    assert addresses
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == FOR_EVER


@pytest.mark.usefixtures("live")
async def test_the_home_page_lists_what_is_on_the_air(client: httpx.AsyncClient) -> None:
    assert 'href="/main"' in (await client.get("/")).text


async def test_a_draining_process_is_alive_and_not_ready(
    station: Station, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    station.is_draining = True
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


async def test_a_process_that_cannot_keep_streams_is_ready_and_says_so(station: Station) -> None:
    notices = iter([None, "1 stream is not kept for a restart: No space left on device"])
    state = OriginState(
        station.registry, MetricsPage(lambda: ()), lambda: False, notice=lambda: next(notices)
    )
    transport = httpx.ASGITransport(create_app(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
        answers = [await client.get("/readyz") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {"status": "ready"}
    assert answers[1].json()["notice"].endswith("No space left on device")


@pytest.mark.parametrize("path", ["/", "/main/index.m3u8", "/healthz", "/api/v1/streams", "/docs"])
async def test_what_can_only_be_read_says_so(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bug_is_admitted_and_not_explained(station: Station) -> None:
    def fail() -> bool:
        raise RuntimeError("a secret")

    state = OriginState(station.registry, MetricsPage(lambda: ()), fail)
    transport = httpx.ASGITransport(create_app(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert "secret" not in answer.text


async def test_the_documentation_needs_no_other_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert addresses
    assert [address for address in addresses if not re.match(r"/(?!/)|#", address)] == []
    for path in (await client.get("/openapi.json")).json()["paths"]:
        assert f"<code>{path}</code>" in page.text


async def test_the_api_is_described_with_the_errors_that_it_has(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    answers = paths["/api/v1/streams/{name}"]["get"]["responses"]
    assert set(answers) == {"200", "default"}
    assert list(answers["default"]["content"]) == ["application/problem+json"]


async def test_the_documentation_and_the_metrics_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs")).status_code == 200
    assert (await client.get("/metrics")).headers["content-type"].startswith("text/plain")
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert set(paths) == {
        "/api/v1/streams",
        "/api/v1/streams/{name}",
        "/api/v1/streams/{name}/health",
        "/api/v1/streams/{name}/bandwidth-test",
        "/api/v1/ingest/attempts",
        "/healthz",
        "/readyz",
        "/metrics",
    }


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("path", ["/main/index.m3u8", "/healthz", "/nobody/index.m3u8"])
async def test_every_answer_is_dated_when_it_is_given(client: httpx.AsyncClient, path: str) -> None:
    """By the application: the server's own Date would be that of the request."""
    before = datetime.now(UTC).replace(microsecond=0)
    answer = await client.get(path)
    assert len(answer.headers.get_list("date")) == 1
    assert before <= parsedate_to_datetime(answer.headers["date"]) <= datetime.now(UTC)
