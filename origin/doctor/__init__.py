"""``tidecast doctor``: will it run here, and does it?

Two halves. ``checks`` look at what a start would find (ports, the data directory, keys, file
descriptors, the clock, codecs) with the settings that a start would use, and change nothing.
``trial`` is the proof: another Tidecast on ports and in a directory of its own, which publishes a
moving picture to itself, and is watched through its edge until three seconds have been decoded.

Everything comes to one line per finding. What has to be mended before a broadcast is a problem and
ends in exit status 1; what only may have to be is a warning. Each says what to do.
"""
