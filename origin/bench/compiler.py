"""The load generator: C, compiled once on the machine that it runs on.

Ten thousand viewers beside the server that they measure leave no room for an interpreter. A wheel
for every platform would be worth less than the seventy kilobytes of source in this package: a C
compiler is on nearly every machine that serves streams, and where it is not, a sentence says what
to install. The program is kept in the user's cache directory under the hash of its source, so
that another version of the package never runs the wrong one.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from origin.bench.errors import CannotMeasure

SOURCES = Path(__file__).parent / "load"
FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra")
COMPILERS = ("cc", "gcc", "clang")
COMPILE_WITHIN_S = 60.0


def load_generator(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the program, compiled now if it has not been before."""
    program = cache_directory(environment) / f"load-{source_hash()}"
    if not program.exists():
        try:
            program.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=program.parent) as folder:
                fresh = Path(folder) / "load"
                compile_program(find_compiler(environment), fresh)
                fresh.replace(program)  # whole or not at all: two may be starting at once
        except OSError as error:
            raise CannotMeasure(
                f"The load generator cannot be kept in {program.parent}: {error.strerror}. "
                "XDG_CACHE_HOME names another place."
            ) from error
    return program


def compile_program(compiler: str, program: Path, *extra_flags: str) -> None:
    """Compile every source file into ``program``."""
    files = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    done = subprocess.run(
        [compiler, *FLAGS, *extra_flags, "-o", str(program), *files, "-lm"],
        capture_output=True,
        text=True,
        check=False,
        timeout=COMPILE_WITHIN_S,
    )
    if done.returncode:
        raise CannotMeasure(f"{compiler} could not compile the load generator:\n{done.stderr}")


def find_compiler(environment: Mapping[str, str]) -> str:
    """Return the C compiler: what CC names, or what there is."""
    wanted = [environment["CC"]] if environment.get("CC") else COMPILERS
    for name in wanted:
        if found := shutil.which(name, path=environment.get("PATH")):
            return found
    raise CannotMeasure(
        f"The load generator is compiled on first use, and there is no C compiler "
        f"({', '.join(wanted)}). Debian and Ubuntu: apt-get install gcc libc6-dev; "
        "Fedora: dnf install gcc; Alpine: apk add gcc musl-dev linux-headers."
    )


def cache_directory(environment: Mapping[str, str]) -> Path:
    """Return where programs are kept (XDG Base Directory Specification)."""
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tidecast"


def source_hash() -> str:
    """Return what tells one version of the source, and of the flags, from another."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in sorted(SOURCES.glob("*.[ch]")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
