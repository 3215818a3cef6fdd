"""Tidecast's origin: takes a live stream in over RTMP and serves it out as HLS.

The floors, top to bottom; each imports only from those below it::

    cli -> service -> config -> { http  ingest } -> streams
        -> { rtmp  hls  auth  store  observe } -> media -> errors

``rtmp``, ``hls`` and ``media`` are cores: bytes, samples and time go in, values come out, and
they touch no socket, clock or process. Everything that does is a shell above them.
"""
