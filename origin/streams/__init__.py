"""Live streams: one publisher's frames become one rolling playlist that survives the publisher.

``door`` is what ingest asks, ``registry`` knows the streams by name, ``stream`` is the life of
one, ``packager`` with ``timeline`` turns its frames into segments, and ``waiting`` holds requests
for what comes next.
"""
