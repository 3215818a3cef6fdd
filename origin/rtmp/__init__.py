"""RTMP 1.0, the server's side of a publish, as a sans-IO protocol.

The files, from the wire up::

    handshake   C0 C1 C2 in, S0 S1 S2 out
    chunk       chunks of any interleaving into messages, and our messages into chunks
    amf0        the values that commands and metadata are made of
    messages    a message's payload as a typed value
    replies     what we say, as messages; playback is what we say to players
    wire        all of the above together: bytes in, whole messages out, within budgets
    events      what a session tells its caller
    session     the states of one publisher or player: which message is welcome when
    flv         a media message's body into coded frames; enhanced the same for codecs by FourCC
    limits      every bound of the above, with its reason

Nothing here knows a socket, a clock or chance: bytes, the time and the random bytes of the
handshake come from the caller (``origin.ingest``), so a whole session can be replayed in a test
without a network and always ends the same way.
"""
