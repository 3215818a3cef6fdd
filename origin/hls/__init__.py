"""HLS: samples go in; initialization segments, parts, segments and playlists come out.

Top to bottom, in the order things happen::

    rules              how long parts, segments and the window are
    segmenter          decides where parts and segments end
    rendition          keeps one session's stream
        names              what segments and parts are called, and where a name leads
        fmp4, fmp4_init    a part's bytes, and what a decoder must know before: own boxes
        window             which segments are listed, which are fetchable, the sequence numbers
        shelf              what can be fetched by name
        playlist           the media playlist of a window
            low_latency        what it says of parts, hints and skipping
        announcement       what the multivariant playlist says, as it is found out
            multivariant       its text, and the rates in it
        mpegts             the same segments as transport streams, made when asked for
            elementary         frames as a transport stream carries them
            ts_packets         from a muxer's output to what an HLS segment must be
    blocking           what to do with a request for what does not exist yet
    segment, resource  what all of them hand around: immutable, ready to be served

All of it is pure: no socket, no clock; wall time comes in as an argument. Everything that is
handed out never changes, so it can be served by reference, cached anywhere, and compared.
"""
