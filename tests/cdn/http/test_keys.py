"""Keys: two spellings of one resource meet, two resources never do, the rest is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.errors import RequestRefused
from cdn.http.keys import (
    LONGEST_PATH,
    MOST_QUERY_FIELDS,
    RESERVED,
    Key,
    Kind,
    accepts_gzip,
    key_of,
    kind_of,
    normalise,
)


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        pytest.param(b"/", "/", id="the home page"),
        pytest.param(b"/main", "/main", id="a page"),
        pytest.param(b"/main/", "/main/", id="a trailing slash is another resource"),
        pytest.param(b"/main/v0/ab12-7.1.m4s", "/main/v0/ab12-7.1.m4s", id="a part"),
        pytest.param(b"/%6dain/index%2Em3u8", "/main/index.m3u8", id="needless escapes"),
        pytest.param(b"/a%3ab", "/a%3Ab", id="an escape that is needed, in upper case"),
        pytest.param(b"/a:b@c;d=e,f", "/a:b@c;d=e,f", id="characters that need no escape"),
        pytest.param(b"/a...b/.well-known", "/a...b/.well-known", id="dots that are names"),
        pytest.param(b"/caf%c3%a9", "/caf%C3%A9", id="UTF-8"),
    ],
)
def test_a_path_has_one_spelling(sent: bytes, target: str) -> None:
    assert normalise(sent) == target


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/../etc/passwd", id="dot segments"),
        pytest.param(b"/main/..", id="a dot segment at the end"),
        pytest.param(b"/main/./index.m3u8", id="the current segment"),
        pytest.param(b"/main/%2e%2E/api", id="escaped dot segments"),
        pytest.param(b"/main/.%2e/api", id="half escaped"),
        pytest.param(b"//main", id="an empty segment at the front"),
        pytest.param(b"/main//index.m3u8", id="an empty segment"),
        pytest.param(b"/main%2Findex.m3u8", id="an escaped slash"),
        pytest.param(b"/main%5c..%5capi", id="escaped backslashes"),
        pytest.param(b"/main\\api", id="a backslash"),
        pytest.param(b"/main%00", id="an escaped NUL"),
        pytest.param(b"/main%0d%0aX: y", id="an escaped line break"),
        pytest.param(b"/main%7f", id="an escaped DEL"),
        pytest.param(b"/100%", id="a percent sign alone"),
        pytest.param(b"/a%zz", id="an escape that is none"),
        pytest.param(b"/caf\xc3\xa9", id="bytes that belong escaped"),
        pytest.param(b"/a b", id="a space"),
        pytest.param(b"main", id="no slash"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"*", id="the asterisk"),
    ],
)
def test_a_path_that_no_player_sends_is_refused(path: bytes) -> None:
    with pytest.raises(RequestRefused) as refusal:
        key_of(path)
    assert refusal.value.status == 400


@given(st.binary(max_size=40).map(lambda tail: b"/" + tail))
def test_whatever_comes_in_is_refused_or_safe_and_normal(path: bytes) -> None:
    try:
        target = normalise(path)
    except RequestRefused:
        return
    assert normalise(target.encode()) == target, "what is normal stays as it is"
    assert target.isascii()
    assert target.isprintable()
    assert not {"..", "."} & set(target.split("/"))
    assert "//" not in target


@given(st.text("abz019-._~", min_size=1, max_size=12), st.data())
def test_escaping_what_needs_no_escape_changes_no_key(name: str, data: st.DataObject) -> None:
    if name in (".", ".."):
        return
    escaped = "".join(
        f"%{ord(letter):02x}" if data.draw(st.booleans()) else letter for letter in name
    )
    assert key_of(f"/{escaped}".encode()) == key_of(f"/{name}".encode())


@pytest.mark.parametrize("reserved", RESERVED)
@pytest.mark.parametrize("form", ["/{}", "/{}/", "/{}/v1/streams"])
def test_the_control_side_of_the_origin_is_never_forwarded(reserved: str, form: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        key_of(form.format(reserved).encode())
    assert refusal.value.status == 404


def test_an_escaped_spelling_of_the_control_side_is_not_forwarded_either() -> None:
    with pytest.raises(RequestRefused) as refusal:
        key_of(b"/%61pi/v1/streams")
    assert refusal.value.status == 404


def test_a_stream_whose_name_begins_like_the_control_side_is_served() -> None:
    assert key_of(b"/apiary/index.m3u8").target == "/apiary/index.m3u8"
    assert key_of(b"/main/metrics").target == "/main/metrics"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"token=abc&CMCD=br%3D3000&_=17", "", id="what tells viewers apart"),
        pytest.param(b"_HLS_msn=7", "?_HLS_msn=7", id="a segment"),
        pytest.param(b"_HLS_part=2&_HLS_msn=7", "?_HLS_msn=7&_HLS_part=2", id="another order"),
        pytest.param(
            b"_HLS_skip=YES&t=1&_HLS_part=0&_HLS_msn=007",
            "?_HLS_msn=7&_HLS_part=0&_HLS_skip=YES",
            id="all, with noise and zeros in front",
        ),
        pytest.param(b"%5FHLS_msn=7", "?_HLS_msn=7", id="an escaped name"),
        pytest.param(b"_HLS_skip=v2", "?_HLS_skip=v2", id="the other skip"),
        pytest.param(b"_hls_msn=7&_HLS_other=1", "", id="names that are not these"),
    ],
)
def test_of_a_playlists_query_only_the_delivery_directives_remain(query: bytes, kept: str) -> None:
    assert key_of(b"/main/v0/index.m3u8", query).target == "/main/v0/index.m3u8" + kept


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(b"_HLS_msn=-1", id="a negative number"),
        pytest.param(b"_HLS_msn=x", id="no number"),
        pytest.param(b"_HLS_msn=%D9%A7", id="another script's digit"),
        pytest.param(b"_HLS_part=" + b"9" * 21, id="more than 64 bits"),
        pytest.param(b"_HLS_skip=NO", id="a skip that is none"),
        pytest.param(b"_HLS_msn=1&_HLS_msn=2", id="twice"),
        pytest.param(b"&".join([b"a=1"] * (MOST_QUERY_FIELDS + 1)), id="too many fields"),
    ],
)
def test_a_directive_that_means_nothing_is_refused(query: bytes) -> None:
    with pytest.raises(RequestRefused) as refusal:
        key_of(b"/main/v0/index.m3u8", query)
    assert refusal.value.status == 400


def test_a_segment_has_no_directives_so_its_query_cannot_bust_the_cache() -> None:
    assert key_of(b"/main/v0/a-1.m4s", b"_HLS_msn=7&x=1") == key_of(b"/main/v0/a-1.m4s")


def test_addresses_that_are_too_long_are_refused() -> None:
    for path, query in ((b"/" + b"a" * LONGEST_PATH, b""), (b"/x.m3u8", b"a" * 9000)):
        with pytest.raises(RequestRefused) as refusal:
            key_of(path, query)
        assert refusal.value.status == 414


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"", False),
        (b"gzip", True),
        (b"gzip, deflate, br, zstd", True),
        (b"br;q=1.0, GZIP;q=0.8, *;q=0.1", True),
        (b"identity", False),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000, br", False),
        (b"x-gzip", True),
        (b"*", True),
        (b"gzipped", False),
    ],
)
def test_an_accept_encoding_comes_down_to_gzip_or_not(header: bytes, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_what_is_compressed_already_has_one_key_for_everybody() -> None:
    assert key_of(b"/main/v0/a-1.m4s", b"", b"gzip") == Key("/main/v0/a-1.m4s", gzip=False)
    assert key_of(b"/main/index.m3u8", b"", b"gzip") == Key("/main/index.m3u8", gzip=True)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/main/index.m3u8", Kind.MULTIVARIANT),
        ("/main/ts/index.m3u8", Kind.MULTIVARIANT),
        ("/main/v0/index.m3u8?_HLS_msn=7", Kind.PLAYLIST),
        ("/main/ts/v0/index.m3u8", Kind.PLAYLIST),
        ("/main/a1/index.m3u8", Kind.PLAYLIST),
        ("/main/p0/index.m3u8", Kind.PLAYLIST),
        ("/main/v0/init-12ab.mp4", Kind.MEDIA),
        ("/main/v0/ab-7.m4s", Kind.MEDIA),
        ("/main/ts/v0/ab-7.ts", Kind.MEDIA),
        ("/main/status.json", Kind.STATUS),
        ("/assets/hls-0123.js", Kind.ASSET),
        ("/assets/map-0123.json", Kind.ASSET),
        ("/main", Kind.PAGE),
        ("/", Kind.PAGE),
        ("/favicon.ico", Kind.PAGE),
    ],
)
def test_the_kind_is_told_by_the_address(target: str, kind: Kind) -> None:
    assert kind_of(target) is kind
