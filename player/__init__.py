"""What viewers see: the pages, their own small controls, and hls.js, which is vendored.

Nearly everything here is templates, style and browser modules; Python only finds them. ``pages``
renders a view into a page, ``assets`` gives every file a name made of its own bytes. Nothing in
this package knows HTTP: the origin's web side serves what it is handed.
"""
