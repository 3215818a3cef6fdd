"""Tidecast's edge: an HTTP cache that knows live HLS, between the origin and its viewers.

The floors, top to bottom; each imports only from those below it::

    cli -> { check  workers  render  purge  plan } -> server
        -> { edge  descriptors  notify  reload } -> figures -> { front  failover }
        -> { cache  health  observe  policy  reference  tls  upstream }
        -> { flight  store } -> entry -> { body  settings }
        -> { freshness  keys  loops  origins } -> { clock  message } -> errors

``keys``, ``freshness``, ``loops``, ``origins``, ``policy`` and ``reload`` are cores: they decide
from what they are given and touch no socket, clock or process. The edge knows the origin over
HTTP alone (its headers are the whole contract), so any other cache can stand where this one stands,
and this one before any origin.
"""
