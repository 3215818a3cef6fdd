"""The origin over HTTP: what edges fetch, what operators ask, and the pages.

A FastAPI application on uvicorn. Viewers always come through an edge, so each object is asked
for about once per edge; nothing here needs to be fast, everything has to be right.
"""
