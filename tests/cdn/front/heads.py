"""Request heads: as browsers and players send them, odd ones, and mutations of both."""

import pytest
from hypothesis import strategies as st

BARE = b"GET /main/v0/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n"
HELD = BARE.replace(b"index.m3u8", b"index.m3u8?_HLS_msn=8")

CHROMIUM = (
    b"GET /main/v0/index.m3u8?_HLS_msn=7&_HLS_part=1&token=abc HTTP/1.1\r\n"
    b"Host: live.example:8080\r\n"
    b"Connection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="141", "Not?A_Brand";v="8"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/141.0.0.0 Safari/537.36\r\n"
    b'sec-ch-ua-platform: "Linux"\r\n'
    b"Accept: */*\r\n"
    b"Origin: https://elsewhere.example\r\n"
    b"Sec-Fetch-Site: cross-site\r\n"
    b"Sec-Fetch-Mode: cors\r\n"
    b"Sec-Fetch-Dest: empty\r\n"
    b"Referer: https://elsewhere.example/watch\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-GB,en;q=0.9\r\n\r\n"
)

HLS_JS = (
    b"GET /main/v0/ab-7.1.m4s HTTP/1.1\r\n"
    b"Host: live.example\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    b"Accept: */*\r\n"
    b"Accept-Encoding: gzip, deflate\r\n"
    b"Cookie: consent=1; theme=dark\r\n"
    b"Pragma: no-cache\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)

SAFARI = (
    b"GET /main/v0/index.m3u8?_HLS_skip=YES HTTP/1.1\r\n"
    b"Host: live.example\r\n"
    b"X-Playback-Session-Id: 6B4AA7D8-6F4D-4A3C-8C64-2F6C4B0B0A41\r\n"
    b"Accept: */*\r\n"
    b"User-Agent: AppleCoreMedia/1.0.0.22F76 (iPhone; U; CPU OS 18_5 like Mac OS X; en_us)\r\n"
    b"Accept-Language: en-GB,en;q=0.9\r\n"
    b"Accept-Encoding: gzip\r\n"
    b"Connection: keep-alive\r\n\r\n"
)

REAL = (BARE, CHROMIUM, HLS_JS, SAFARI)


def with_field(field: bytes) -> bytes:
    return BARE.removesuffix(b"\r\n") + field + b"\r\n\r\n"


ODD_FIELDS = {
    "a range": b"Range: bytes=0-1",
    "a length": b"Content-Length: 0",
    "a body": b"Transfer-Encoding: chunked",
    "an expectation": b"Expect: 100-continue",
    "an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket",
    "several options": b"Connection: hop, close",
    "an HTTP/2 upgrade": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
    "a condition by date": b"If-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT",
    "a second host": b"Host: y",
    "two encodings": b"Accept-Encoding: gzip\r\nAccept-Encoding: br",
    "a folded field": b"X-Folded: a\r\n b",
    "a space before the colon": b"X-Odd : a",
    "no space after the colon": b"X-Odd:a",
    "two spaces": b"X-Odd:  a",
    "a space at the end": b"X-Odd: a ",
    "a tab": b"X-Odd: a\tb",
    "an empty value": b"X-Odd: ",
    "a byte beyond ASCII": b"X-Odd: \xe4",
    "a null": b"X-Odd: \x00",
    "a bare LF": b"X-Odd: a\nX-Smuggled: b",
    "a bare CR": b"X-Odd: a\rb",
    "another edge": b"CDN-Loop: edge-7",
    "a length, half written": b"Content-Length",
}

ODD_LINES = {
    "HEAD": b"HEAD /a HTTP/1.1",
    "OPTIONS": b"OPTIONS /a HTTP/1.1",
    "lower case": b"get /a HTTP/1.1",
    "HTTP/1.0": b"GET /a HTTP/1.0",
    "absolute form": b"GET http://x/a HTTP/1.1",
    "asterisk": b"GET * HTTP/1.1",
    "two slashes": b"GET //a/b HTTP/1.1",
    "two spaces": b"GET  /a HTTP/1.1",
    "a fragment": b"GET /a#b HTTP/1.1",
    "a control side": b"GET /api/v1/streams HTTP/1.1",
    "health": b"GET /healthz HTTP/1.1",
    "dots": b"GET /a/../b HTTP/1.1",
    "a bad directive": b"GET /main/v0/index.m3u8?_HLS_msn=x HTTP/1.1",
}

ODD_HEADS = [
    *(pytest.param(with_field(field), id=name) for name, field in ODD_FIELDS.items()),
    *(
        pytest.param(line + b"\r\nHost: x\r\n\r\n", id=f"line: {name}")
        for name, line in ODD_LINES.items()
    ),
    pytest.param(b"GET /a HTTP/1.1\r\n\r\n", id="no host"),
    pytest.param(b"GET /a HTTP/1.1\r\nHost: x/y\r\n\r\n", id="a host that is none"),
    pytest.param(b"\r\n" + BARE, id="an empty line before"),
    pytest.param(BARE + BARE, id="two requests"),
    pytest.param(BARE + b"G", id="the beginning of another"),
    pytest.param(BARE + b"\r\n", id="an empty line behind"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01", id="TLS"),
]

_SPICE = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\x00", b"\x80", b"a", b"?", b"%41", b"#"]
    + [b"Host: y\r\n", b"Connection: close\r\n", b'If-None-Match: "p1"\r\n', b"HTTP/1.0"]
    + [field + b"\r\n" for field in ODD_FIELDS.values()]
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Real heads with a few things put in, taken out or doubled, where structure is."""
    head = draw(st.sampled_from(REAL))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(head)))
        lines = head.split(b"\r\n")
        kind = draw(st.integers(0, 3))
        if kind == 0:
            head = head[:at] + draw(_SPICE) + head[at:]
        elif kind == 1:
            head = head[:at] + head[at + draw(st.integers(1, 4)) :]
        elif kind == 2:
            line = draw(st.integers(0, len(lines) - 1))
            head = b"\r\n".join([*lines[: line + 1], *lines[line:]])
        else:
            line = draw(st.integers(0, len(lines) - 1))
            head = b"\r\n".join([*lines[:line], draw(_SPICE).strip(b"\r\n"), *lines[line:]])
    return head
