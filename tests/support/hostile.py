"""Requests that no player makes: the same for the edge and the origin, which share no code.

RFC 9112 is meant where only a section is named.
"""

_GET = b"GET /healthz HTTP/1.1\r\nHost: o\r\n"
_POST = b"POST /healthz HTTP/1.1\r\nHost: o\r\n"
_SMUGGLED = b"GET /metrics HTTP/1.1\r\nHost: o\r\n\r\n"

MALFORMED = {
    "a length and chunks (6.3)": (
        _POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SMUGGLED
    ),
    "two lengths (6.3)": _POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + _SMUGGLED,
    "a list of lengths (6.3)": _POST + b"Content-Length: 0, 44\r\n\r\n" + _SMUGGLED,
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": _POST + b"Content-Length: +1\r\n\r\nx",
    "a length beyond counting": _POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "an unknown coding (6.1)": _POST + b"Transfer-Encoding: xchunked\r\n\r\n" + _SMUGGLED,
    "chunks that are not last (6.1)": (
        _POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + _SMUGGLED
    ),
    "a space before the colon (5.1)": _POST + b"Transfer-Encoding : chunked\r\n\r\n" + _SMUGGLED,
    "a chunk of no size (7.1)": _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "a chunk beyond counting": _POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a folded field (5.2)": _GET + b"X: a\r\n b\r\n\r\n",
    "bare LF (2.2)": b"GET /healthz HTTP/1.1\nHost: o\n\n",
    "bare CR (2.2)": _GET + b"X: a\rb\r\n\r\n",
    "NUL in a field": _GET + b"X: a\0b\r\n\r\n",
    "NUL in the path": b"GET /heal\0thz HTTP/1.1\r\nHost: o\r\n\r\n",
    "no host (3.2)": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts (3.2)": _GET + b"Host: p\r\n\r\n",
    "a host that is none (3.2)": b"GET /healthz HTTP/1.1\r\nHost: o/p\r\n\r\n",
    "a head without measure": _GET + b"X: and so on\r\n" * 5_000 + b"\r\n",
    "HTTP/3.0 in letters": b"GET /healthz HTTP/3.0\r\nHost: o\r\n\r\n",
    "HTTP/2 from memory": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303"),
    "RTMP": b"\x03" + bytes(1536),
    "a tunnel": b"CONNECT o:80 HTTP/1.1\r\nHost: o\r\n\r\n",
    "a method of its own": b"BREW /healthz HTTP/1.1\r\nHost: o\r\n\r\n",
    "bytes beyond ASCII in the path": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: o\r\n\r\n",
}
"""Byte streams that are no request: answered 400 once, and the connection is closed."""

MISSPELT = {
    "/main/../other": 400,
    "/main/%2e%2e/other": 400,
    "/main%2findex.m3u8": 400,
    "//evil.example/": 400,
    "/%zz": 400,
    "/assets/..%2f..%2fpyproject.toml": 400,
    "/main%00": 400,
    "/" + "a" * 20_000: 414,
    "/main/index.m3u8?" + "a=b&" * 9_000: 414,
}
"""Paths that lead nowhere, and what an edge says of them."""

NONSENSE = (
    "_HLS_msn=-1",
    "_HLS_msn=a",
    "_HLS_msn=" + "9" * 400,
    "_HLS_msn=%D9%A3",
    "_HLS_msn=1&_HLS_msn=2",
    "_HLS_msn=1&_HLS_part=x",
    "_HLS_skip=NO",
    "_HLS_msn=",
    "_HLS_skip",
    "_HLS_msn=1&_HLS_part=",
    "_HLS_msn=1&_HLS_msn",
)
"""Delivery directives that are none (rfc8216bis, 6.2.5)."""

UNSERVED = ("POST", "PUT", "DELETE", "PATCH", "TRACE")
