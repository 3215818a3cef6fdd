"""Marks: what one process says of the disk, the next one knows."""

import os

from origin.store.marks import SLOTS, Marks, shared_memory


def test_what_a_process_marks_outlives_it() -> None:
    memory = shared_memory()
    pid = os.fork()
    if not pid:
        marks = Marks(memory)
        for number in (7, 8):
            marks.mark("main", number)
        marks.mark("x" * 64, 1 << 40)
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    after = Marks(memory)
    assert after.shown("main") == 8
    assert after.shown("x" * 64) == 1 << 40
    assert after.shown("other") == 0


def test_a_stream_has_one_place_whoever_marks_it() -> None:
    memory = shared_memory()
    Marks(memory).mark("one", 1)
    second = Marks(memory)
    second.mark("two", 2)
    second.mark("one", 3)
    assert [Marks(memory).shown(name) for name in ("one", "two")] == [3, 2]


def test_more_streams_than_there_are_places_are_known_to_this_process_alone() -> None:
    memory = shared_memory()
    marks = Marks(memory)
    for number in range(SLOTS + 5):
        marks.mark(f"stream{number}", number + 1)
    assert marks.shown(f"stream{SLOTS + 4}") == SLOTS + 5
    assert Marks(memory).shown(f"stream{SLOTS + 4}") == 0
    assert Marks(memory).shown(f"stream{SLOTS - 1}") == SLOTS


def test_without_shared_memory_nothing_is_lost_but_by_a_kill() -> None:
    marks = Marks()
    marks.mark("main", 7)
    assert marks.shown("main") == 7
