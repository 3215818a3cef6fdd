"""The load generator compiles without a warning, once, and says what to do where it cannot."""

from pathlib import Path

import pytest

from origin.bench.compiler import SOURCES, compile_program, find_compiler, load_generator
from origin.bench.errors import CannotMeasure


def test_the_source_compiles_with_warnings_as_errors(tmp_path: Path) -> None:
    compile_program("gcc", tmp_path / "load", "-Werror", "-Wshadow", "-Wstrict-prototypes")
    assert (tmp_path / "load").stat().st_mode & 0o100


def test_it_is_compiled_once_into_the_cache_directory(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    program = load_generator(environment)
    assert program.parent == tmp_path / "tidecast"
    no_compiler = {"XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path)}
    assert load_generator(no_compiler) == program  # nothing is compiled any more
    assert [path.name for path in program.parent.iterdir()] == [program.name]


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="apt-get install gcc"):
        load_generator({"XDG_CACHE_HOME": str(tmp_path), "PATH": str(tmp_path)})


def test_the_compiler_that_the_environment_names_is_taken() -> None:
    assert find_compiler({"CC": "gcc", "PATH": "/usr/bin"}) == "/usr/bin/gcc"


def test_a_cache_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotMeasure, match="XDG_CACHE_HOME"):
        load_generator({"XDG_CACHE_HOME": str(tmp_path / "file"), "PATH": "/usr/bin:/bin"})


def test_every_source_file_begins_with_what_it_is_for() -> None:
    for path in SOURCES.glob("*.h"):
        assert path.read_text().startswith("// "), path.name
