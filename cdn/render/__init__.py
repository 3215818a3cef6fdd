"""Configurations for other servers, written from the edge's own settings file.

Many an operator already runs nginx, Varnish or HAProxy and knows how to keep it alive. What such a
server has to be told to carry live HLS is in no manual, and each of them has a trap in it. So the
edge writes it down for them, from the file that it runs on itself.

Pure: settings go in, text and warnings come out. Only ``command`` prints.
"""
