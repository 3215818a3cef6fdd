"""The origin's settings: declared once, read from flags, environment, file and defaults.

``settings`` declares them, ``layers`` puts together what was given, and ``checks`` refuses what
does not go together. ``reference`` renders the example file and the settings page from the
declaration, so that neither can say anything else.
"""
