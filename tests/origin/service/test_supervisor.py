"""The supervisor: what dies is started again, and everything ends together."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from origin.service.supervisor import GROWN_UP_S, pause_after

pytestmark = pytest.mark.timeout(90)  # less than an orphan would live

PROGRAM = """
import os, sys, time
from origin.observe.log import configure_log
from origin.service.supervisor import Child, fork, spawn, supervise

configure_log(as_json=False)

def sleeper() -> None:
    print("forked", os.getpid(), flush=True)
    time.sleep(100)

def quitter() -> None:
    print("quitter", os.getpid(), flush=True)

def stubborn() -> None:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("stubborn", os.getpid(), flush=True)
    time.sleep(100)

def reader() -> None:
    import signal
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    print("reader", os.getpid(), flush=True)
    while True:
        signal.sigwait([signal.SIGHUP])
        print("heard", os.getpid(), flush=True)

SPAWNED = "import os, time; print('spawned', os.getpid(), flush=True); time.sleep(100)"
CHILDREN = {
    "forked": Child("forked", lambda: fork(sleeper)),
    "spawned": Child("spawned", lambda: spawn(["-c", SPAWNED])),
    "quitter": Child("quitter", lambda: fork(quitter)),
    "reader": Child("reader", lambda: fork(reader), reloads=True),
    "stubborn": Child("stubborn", lambda: fork(stubborn)),
}
import origin.service.supervisor as module
module.STOP_WITHIN_S = 0.5 if "stubborn" in sys.argv else 60.0
sys.exit(supervise([CHILDREN[name] for name in sys.argv[1:]]))
"""


class Supervised:
    """A supervisor in a process of its own, and what its children said."""

    def __init__(self, *children: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *children],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    def next_child(self) -> tuple[str, int]:
        """Wait until a child says its name and pid."""
        assert self.process.stdout is not None
        name, pid = self.process.stdout.readline().split()
        return name, int(pid)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def wait_for_silence(self) -> None:
        """Wait until every process that could write here has ended."""
        assert self.process.stdout is not None
        self.process.stdout.read()


@pytest.fixture
def supervised() -> Iterator[type[Supervised]]:
    made: list[Supervised] = []

    class Noted(Supervised):
        def __init__(self, *children: str) -> None:
            super().__init__(*children)
            made.append(self)

    yield Noted
    for supervisor in made:
        supervisor.process.kill()
        supervisor.process.wait()
        assert supervisor.process.stdout is not None
        supervisor.process.stdout.close()


@pytest.mark.parametrize("kind", ["forked", "spawned"])
def test_a_child_that_dies_is_started_again(supervised: type[Supervised], kind: str) -> None:
    supervisor = supervised(kind)
    _, first = supervisor.next_child()
    os.kill(first, signal.SIGKILL)
    name, second = supervisor.next_child()
    assert name == kind
    assert second != first


@pytest.mark.parametrize("kind", ["forked", "spawned"])
def test_ctrl_c_in_a_terminal_reaches_the_supervisor_alone(
    supervised: type[Supervised], kind: str
) -> None:
    _, pid = supervised(kind).next_child()
    assert os.getpgid(pid) == pid != os.getpgid(0)


def test_pauses_double_for_a_child_that_dies_young_and_end_when_it_has_grown_up() -> None:
    pauses = [0.0]
    for _ in range(8):
        pauses.append(pause_after(1.0, pauses[-1]))
    assert pauses == [0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert pause_after(GROWN_UP_S + 1, 5.0) == 0.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_everything_ends_together(supervised: type[Supervised], number: signal.Signals) -> None:
    supervisor = supervised("forked", "spawned")
    assert {supervisor.next_child()[0] for _ in range(2)} == {"forked", "spawned"}
    assert supervisor.end(number) == 0
    supervisor.wait_for_silence()


def test_a_hangup_is_passed_on_to_those_who_can_use_it_and_ends_nobody(
    supervised: type[Supervised],
) -> None:
    supervisor = supervised("forked", "spawned", "reader")
    pids = dict(supervisor.next_child() for _ in range(3))
    for _ in range(2):
        supervisor.process.send_signal(signal.SIGHUP)
        assert supervisor.next_child() == ("heard", pids["reader"])
    for pid in pids.values():
        os.kill(pid, 0)  # is there still
    assert supervisor.end(signal.SIGTERM) == 0


def test_a_child_that_keeps_dying_is_tried_again_and_again(supervised: type[Supervised]) -> None:
    supervisor = supervised("quitter")
    assert len({supervisor.next_child()[1] for _ in range(3)}) == 3
    assert supervisor.end(signal.SIGTERM) == 0


def test_a_child_that_does_not_end_is_killed_and_the_status_says_so(
    supervised: type[Supervised],
) -> None:
    supervisor = supervised("stubborn")
    supervisor.next_child()
    assert supervisor.end(signal.SIGTERM) == 1
    supervisor.wait_for_silence()


def test_no_forked_child_outlives_a_supervisor_that_is_killed(
    supervised: type[Supervised],
) -> None:
    supervisor = supervised("forked")
    supervisor.next_child()
    supervisor.end(signal.SIGKILL)
    supervisor.wait_for_silence()
