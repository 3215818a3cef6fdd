"""Tidecast's edge: an HTTP cache that knows live HLS, between the origin and its viewers.

The floors, top to bottom; each imports only from those below it::

    cli -> { commands  render } -> process -> edge -> figures -> { front  fetch }
        -> { cache  health  observe  policy } -> settings -> http -> clock -> errors

A request comes in at ``front``, is looked up in ``cache``, and goes out through ``fetch`` once,
however many ask for the same. ``process`` is what an operator starts and stops, ``commands`` and
``render`` are what else may be asked of the command line.

``http``, ``policy``, ``render``, ``fetch.origins`` and ``process.reload`` are cores: they decide
from what they are given and touch no socket, clock or process. The edge knows the origin over
HTTP alone (its headers are the whole contract), so any other cache can stand where this one stands,
and this one before any origin.
"""
