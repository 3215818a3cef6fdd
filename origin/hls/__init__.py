"""HLS: samples go in; initialization segments, parts, segments and playlists come out.

Top to bottom, in the order things happen::

    segmenter      decides where parts and segments end
    rendition      the rolling window: gives parts and segments their names, forgets old ones
        fmp4           writes a part's bytes: own boxes, payloads not copied
        mpegts         the same segment as a transport stream, made when asked for
        playlist       the media playlist of a window
        multivariant   the list of variants, with measured rates
    resource       what all of them hand out: an immutable body, ready to be served

All of it is pure: no socket, no clock; wall time comes in as an argument. Everything that is
handed out never changes, so it can be served by reference, cached anywhere, and compared.
"""
