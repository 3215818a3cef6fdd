"""The files that browsers fetch, under names made of their own bytes.

A page is read for about a second and its script for a year, so a script must never change under
its name: `boot.js` is served as `boot-3f9a...js`, and a new version has a new name. Nothing is
built ahead of time. When a process first asks, every file is read from the package, its
references to the others (`import "./state.js"`, `url("./logo.svg")`) are rewritten to their hashed
names, and only then is its own name made; therefore what is imported comes before what imports it,
and two modules that import each other have no name at all. On disk the references stay as they
are, so the same modules run unchanged under `node --test`.

Comments stay behind, too: they are for whoever reads the source, and half of its bytes. Vendored
files are served byte for byte as they were published: they are read, never rewritten.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

PREFIX = "/assets/"
"""Where the origin serves `asset(name)`; every name that a page mentions stands below it."""

HASH_DIGITS = 12  # 48 bits: an accident among a dozen files is out of the question

CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

# A quoted relative path, and nothing else in our modules and style sheets looks like one.
REFERENCE = re.compile(rb"""(?<=["'])\.{1,2}/[\w./-]+(?=["'])""")

# Block comments, and lines that are nothing but a comment; our sources hold neither in a string.
COMMENT = re.compile(rb"/\*.*?\*/\s*|^\s*//[^\n]*\n", re.DOTALL | re.MULTILINE)

# `from "./x.js"` is fetched before the module runs; `import("./x.js")` when it is asked for.
STATIC_IMPORT = re.compile(rb"""\bfrom\s+["']\.{1,2}/([\w./-]+)["']""")


class BrokenAssetError(Exception):
    """A file of the package refers to one that is not there, or in a circle: our own bug."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served: immutable under its name, for as long as anyone keeps it."""

    name: str
    body: bytes
    gzip: bytes | None
    """The same, compressed; None where that would not be smaller."""
    content_type: str
    etag: str
    """Strong, with its quotes."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it lies in the package."""

    body: bytes
    vendored: bool


def asset(name: str) -> Asset | None:
    """Find a file by its hashed name, as it stands after `/assets/`."""
    return _shelf().by_name.get(name)


def address(file: str) -> str:
    """Say under which address the package's ``file`` (`boot.js`) is served."""
    return PREFIX + _shelf().by_file[file].name


def imports(file: str) -> tuple[str, ...]:
    """List the addresses of all modules that ``file`` needs before it runs, itself last.

    A page names them in its head; a browser would otherwise find them one after the other.
    """
    return tuple(PREFIX + _shelf().by_file[each].name for each in _shelf().imports_of(file))


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything that can be served, by either name."""

    by_name: Mapping[str, Asset]
    by_file: Mapping[str, Asset]
    static_imports: Mapping[str, tuple[str, ...]]

    def imports_of(self, file: str) -> tuple[str, ...]:
        needed: dict[str, None] = {}
        for each in self.static_imports[file]:
            needed.update(dict.fromkeys(self.imports_of(each)))
        return (*needed, file)


class Press:
    """Names files by their content, the referred before the referring."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._done: dict[str, Asset] = {}
        self._underway: list[str] = []

    def press(self, file: str) -> Asset:
        """Make the asset of ``file``, and before it those of all files that it refers to."""
        if file in self._done:
            return self._done[file]
        if file in self._underway:
            raise BrokenAssetError(f"{' -> '.join([*self._underway, file])} is a circle")
        if file not in self._sources:
            raise BrokenAssetError(f"{self._underway[-1]} refers to {file}, which is not there")
        self._underway.append(file)
        self._done[file] = _finish(file, self._resolve(self._sources[file]))
        self._underway.pop()
        return self._done[file]

    def _resolve(self, source: Source) -> bytes:
        if source.vendored:
            return source.body
        return REFERENCE.sub(
            lambda found: b"./" + self.press(_file_name(found[0])).name.encode(),
            COMMENT.sub(b"", source.body),
        )


def stock(sources: Mapping[str, Source]) -> Shelf:
    """Give every file its name, and remember who imports whom."""
    press = Press(sources)
    by_file = {file: press.press(file) for file in sources}
    return Shelf(
        by_name=MappingProxyType({each.name: each for each in by_file.values()}),
        by_file=MappingProxyType(by_file),
        static_imports=MappingProxyType({file: _imports(sources[file]) for file in sources}),
    )


def _imports(source: Source) -> tuple[str, ...]:
    if source.vendored:
        return ()
    return tuple(_file_name(path) for path in STATIC_IMPORT.findall(source.body))


def _finish(file: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:HASH_DIGITS]
    stem, dot, suffix = file.rpartition(".")
    squeezed = gzip.compress(body, compresslevel=9, mtime=0)
    return Asset(
        name=f"{stem}-{digest}{dot}{suffix}",
        body=body,
        gzip=squeezed if len(squeezed) < len(body) else None,
        content_type=CONTENT_TYPES[dot + suffix],
        etag=f'"{digest}"',
    )


def _file_name(path: bytes) -> str:
    return path.decode().rpartition("/")[2]


@cache
def _shelf() -> Shelf:
    here = resources.files("player")
    return stock(
        {each.name: Source(each.read_bytes(), False) for each in _files(here / "assets")}
        | {
            each.name: Source(each.read_bytes(), True)
            for each in _files(here / "vendor" / "hls.js")
        }
    )


def _files(folder: Traversable) -> list[Traversable]:
    """List what can be served: a licence lies beside the code, but no page asks for it."""
    return [
        each for each in folder.iterdir() if f".{each.name.rpartition('.')[2]}" in CONTENT_TYPES
    ]
