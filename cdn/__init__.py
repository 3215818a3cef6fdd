"""Tidecast's edge: an HTTP cache that knows live HLS, between the origin and its viewers.

The floors, top to bottom; each imports only from those below it::

    cli -> workers -> server -> app
        -> { answer  cache  health  observe  policy  reference  upstream }
        -> { body  settings } -> { freshness  keys } -> { clock  message } -> errors

``keys``, ``freshness`` and ``policy`` are cores: they decide from what they are given and touch no
socket, clock or process. The edge knows the origin over HTTP alone (its headers are the whole
contract), so any other cache can stand where this one stands, and this one before any origin.
"""
