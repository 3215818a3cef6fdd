"""Ingest health: what can be told a streamer of the stream, from its packets alone.

Nothing is decoded. Per frame some numbers are put aside; once per second of the server's clock
they are looked at, by one module per concern, each with its thresholds and the reasons for them at
its top::

    Monitor.take(at, unit, now)  ->  Second  ->  keyframes   one interval after another
                                                 frames      rate, and gaps in it
                                                 bitrate     against what was declared
                                                 arrival     late, later, and clocks that drift
                                                 clocks      jumps, picture and sound apart
                                                 sound       missing, silent, too many channels
                                                 codecs      who can play it
                                                    |
                             Report <- latches <- levels

``codes`` names the findings, ``latches`` keeps them from flickering, ``report`` is what the shells
show. All of it is a core: time comes in with the frames.
"""
