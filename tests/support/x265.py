"""HEVC decoder configuration records, as x265 makes them with all kinds of settings."""

import io
from functools import cache

import av


@cache
def hevc_record(
    size: tuple[int, int] = (320, 180),
    *,
    rate: int = 30,
    pix_fmt: str = "yuv420p",
    params: str = "",
) -> bytes:
    """Encode one picture and return the ``hvcC`` that FFmpeg writes for it."""
    output = io.BytesIO()
    with av.open(output, "w", format="flv") as container:
        stream = container.add_stream("libx265", rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        quiet = "log-level=none:pools=none:frame-threads=1"
        stream.options = {"preset": "ultrafast", "x265-params": f"{quiet}:{params}".rstrip(":")}
        frame = av.VideoFrame(*size, pix_fmt)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    output.seek(0)
    with av.open(output, "r") as container:
        record = container.streams.video[0].codec_context.extradata
    assert record is not None
    return record
