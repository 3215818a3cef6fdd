"""The processes of ``tidecast serve``.

``supervisor`` holds the listening sockets and keeps the others running: ``origin_process`` takes
streams in and packages them, ``python -m cdn`` is the edge in front of it, and ``demo`` publishes
a test picture if asked to.
"""
