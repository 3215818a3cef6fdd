"""The RTMP listener: the thin shell between sockets and ``origin.rtmp``.

``settings`` are the operator's choices, ``listener`` accepts and counts, ``connection`` moves
bytes and events between one socket, one session and one publication. What a publish is and
whether it is wanted is decided behind ``origin.streams.door``.
"""
