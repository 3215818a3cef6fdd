"""Processes: one edge in this process, or several behind one port with a supervisor over them.

Several workers share the port by SO_REUSEPORT: the kernel spreads connections over their sockets.
The supervisor opens all the sockets before it forks and never accepts on them. So a worker that
dies leaves its socket, and whoever is waiting in its queue, to its successor, which has no
import to wait for: it is a copy of the supervisor, which has imported everything and started
neither a loop nor a thread.

The supervisor is synchronous and waits for signals only::

    SIGCHLD            start a successor; at once, unless the worker died young
    SIGTERM, SIGINT    pass SIGTERM on; leave when all are gone, or kill what is left
    SIGHUP             read the settings again; if they are good, pass it on
    SIGRTMIN           a worker says that it is open
    its own death      the kernel kills its workers (prctl, PR_SET_PDEATHSIG): whoever starts the
                       next edge finds the ports free, instead of held by those who say goodbye

Each worker has a cache of its own, so N workers fetch an object up to N times.
"""

import asyncio
import ctypes
import errno
import gc
import os
import signal
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from secrets import token_hex
from typing import NoReturn

import structlog
import uvloop

from cdn.edge import Edge
from cdn.errors import SettingsError
from cdn.observe import MetricsServer
from cdn.observe.port import handed_over
from cdn.process import notify
from cdn.process.descriptors import raise_limit, too_many
from cdn.process.reload import merged
from cdn.process.server import STOP_SIGNALS, Reloading, Reread, Work, refuse, serve
from cdn.settings import EdgeSettings

YOUNG_S = 1.0
"""A worker that lived for less is restarted after a pause: one that cannot start must not spin."""

PAUSE_S = 0.5

GRACE_S = 2.0
"""What workers have beyond their drain time before they are killed."""

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when its parent dies."""

OPEN = signal.SIGRTMIN
"""How a worker tells its supervisor that it is open: real-time signals do not merge."""

HEARD = frozenset({signal.SIGCHLD, signal.SIGHUP, OPEN, *STOP_SIGNALS})
"""The signals that the supervisor waits for; they stay blocked, so that none gets lost."""


def run(settings: EdgeSettings, reread: Reread) -> None:
    """Serve until told to stop; a SIGHUP has the settings read again."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until somebody can hear it
    gc.freeze()  # imports and settings stay for good: neither collections nor forks touch them
    gc.enable()
    _ask_for_descriptors(settings)
    listen = settings.listen
    listeners = open_listeners(listen.host, listen.http_port, listen.workers, listen.backlog)
    if listen.workers == 1:
        work = Work(settings, listeners[0], reread, edge_name())
        run_worker(work, 0, lambda: notify.notify(notify.READY), _telling_the_manager)
        notify.notify(notify.STOPPING)
    else:
        Supervisor(settings, listeners, reread).run()


def edge_name() -> str:
    """Make up the name that this edge signs its requests with; all of its workers share it."""
    return f"tidecast-{token_hex(4)}"


def _ask_for_descriptors(settings: EdgeSettings) -> None:
    complaint = too_many(settings.listen.connections, settings.origin.connections, raise_limit())
    if complaint is not None:
        structlog.get_logger("edge").warning(complaint)


@contextmanager
def _telling_the_manager() -> Generator[None]:
    notify.reloading()
    yield
    notify.notify(notify.READY)


def run_worker(
    work: Work, index: int, on_open: Callable[[], None], on_reload: Reloading = nullcontext
) -> None:
    """Serve viewers in this process; worker ``index`` has the metrics port of that number."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_with_metrics(work, index, on_open, on_reload))


async def _serve_with_metrics(
    work: Work, index: int, say_open: Callable[[], None], on_reload: Reloading
) -> None:
    settings = work.settings
    metrics_server: MetricsServer | None = None

    def on_open(edge: Edge) -> None:
        nonlocal metrics_server
        wanted = settings.metrics
        if wanted.enabled:
            explicit = "port" in wanted.model_fields_set
            port = wanted.port + index if wanted.port else 0
            metrics_server = MetricsServer(
                *(edge.metrics, wanted.host, port),
                must_have=explicit,
                purge=handed_over(edge.cache.purge, asyncio.get_running_loop()),
                token=settings.purge.token,
            )
        _say_ready(settings, work.listener, metrics_server)
        say_open()

    try:
        await serve(work, on_open, on_reload)
    finally:
        if metrics_server is not None:
            metrics_server.close()


def _say_ready(
    settings: EdgeSettings, listener: socket.socket, metrics_server: MetricsServer | None
) -> None:
    host, port = listener.getsockname()[:2]
    origins = ",".join(settings.origin.url)
    facts: dict[str, object] = {"listen": f"{host}:{port}", "origin": origins}
    if metrics_server is not None:
        facts["metrics"] = f"http://{settings.metrics.host}:{metrics_server.port}/metrics"
    structlog.get_logger("edge").info("the edge is open", **facts)


def open_listeners(host: str, port: int, count: int, backlog: int) -> list[socket.socket]:
    """Open the port ``count`` times; one that somebody else has is a ``SettingsError``.

    SO_REUSEPORT would let two edges of one user share a port without a word, so the port is
    first taken without it.
    """
    listeners = [_bind(host, port, shared=False)]
    if count > 1:
        port = listeners[0].getsockname()[1]
        listeners[0].close()
        listeners = [_bind(host, port, shared=True) for _ in range(count)]
    for listener in listeners:
        listener.listen(backlog)
    return listeners


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SettingsError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; stop it, or choose --http-port"
    if error.errno == errno.EACCES:
        return f"port {port} needs privileges; choose one above 1023 with --http-port"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def end_with_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the parent dies; leave at once if it already has."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, number) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise SystemExit(0)


def successor_due(started_at: float, ended_at: float) -> float:
    """Return when to start the successor of a worker that lived from then to then."""
    return ended_at if ended_at - started_at >= YOUNG_S else ended_at + PAUSE_S


@dataclass(frozen=True, slots=True)
class Worker:
    """A child process: which socket and metrics port it has, and since when."""

    pid: int
    index: int
    started_at: float


class Supervisor:
    """Keeps one worker on each listener."""

    def __init__(
        self, settings: EdgeSettings, listeners: list[socket.socket], reread: Reread
    ) -> None:
        self._settings = settings
        self._listeners = listeners
        self._reread = reread
        self._name = edge_name()
        self._open: set[int] = set()
        """Workers, by index, that have been open once."""
        self._pid = os.getpid()
        self._workers: dict[int, Worker] = {}
        self._due = dict.fromkeys(range(len(listeners)), 0.0)
        """Workers to be started, by index, and when."""
        self._log = structlog.get_logger("edge")

    def run(self) -> None:
        """Supervise until a signal says stop, or a worker says that it can never start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        while True:
            self._start_due()
            number = self._hear(min(self._due.values(), default=None))
            if number in STOP_SIGNALS:
                self._stop()
                return
            if any(code == os.EX_CONFIG for code in self._reap()):
                self._stop()
                raise SettingsError("a worker could not start; see above")

    def _hear(self, until: float | None) -> int | None:
        """Wait for the next signal, and do what it asks for, short of ending."""
        info = self._next_signal(until)
        if info is None:
            return None
        if info.si_signo == signal.SIGHUP:
            self._reload()
        elif info.si_signo == OPEN and info.si_pid in self._workers:
            self._note_open(self._workers[info.si_pid].index)
        return info.si_signo

    def _note_open(self, index: int) -> None:
        before = len(self._open)
        self._open.add(index)
        if before < len(self._open) == len(self._listeners):
            notify.notify(notify.READY)

    def _reload(self) -> None:
        """Have the settings read again by all; refuse, once, what cannot be used."""
        with _telling_the_manager():
            try:
                self._settings, _ = merged(self._settings, self._reread())
            except SettingsError as error:
                refuse(error)
                return
            self._tell(signal.SIGHUP)

    def _next_signal(self, until: float | None) -> signal.struct_siginfo | None:
        if until is None:
            return signal.sigwaitinfo(HEARD)
        return signal.sigtimedwait(HEARD, max(0.0, until - time.monotonic()))

    def _start_due(self) -> None:
        now = time.monotonic()
        for index in [index for index, at in self._due.items() if at <= now]:
            del self._due[index]
            pid = os.fork()
            if pid == 0:
                self._be_worker(index)
            self._workers[pid] = Worker(pid, index, now)

    def _be_worker(self, index: int) -> NoReturn:
        # A process group of its own: Ctrl-C in a terminal reaches every process of the
        # foreground group, and a worker that gets it twice would not drain.
        code = 1
        try:
            os.setpgid(0, 0)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
            end_with_parent(self._pid, signal.SIGKILL)
            for other, listener in enumerate(self._listeners):
                if other != index:
                    listener.close()
            work = Work(self._settings, self._listeners[index], self._reread, self._name)
            run_worker(work, index, lambda: os.kill(self._pid, OPEN))
            code = 0
        except SettingsError as error:
            self._log.error(str(error))
            code = os.EX_CONFIG
        except Exception:
            self._log.exception("a worker failed")
        finally:
            os._exit(code)  # the supervisor's own way out (its caller's cleanup) is not ours

    def _reap(self) -> list[int]:
        """Take leave of workers that ended; return their exit codes, and plan successors."""
        codes: list[int] = []
        while (ended := self._ended()) is not None:
            worker, code = ended
            codes.append(code)
            self._due[worker.index] = successor_due(worker.started_at, time.monotonic())
            self._log.warning("a worker ended", pid=worker.pid, exit_code=code)
        return codes

    def _ended(self) -> tuple[Worker, int] | None:
        # Signals of one number are not queued: one SIGCHLD may stand for several children.
        if not self._workers:
            return None
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        return self._workers.pop(pid), os.waitstatus_to_exitcode(status)

    def _stop(self) -> None:
        """Have all workers drain, and kill those that take too long."""
        notify.notify(notify.STOPPING)
        for listener in self._listeners:
            listener.close()  # else the port would stay open, with nobody to accept
        listen = self._settings.listen
        deadline = time.monotonic() + listen.drain_notice_s + listen.drain_s + GRACE_S
        self._tell(signal.SIGTERM)
        while self._workers and time.monotonic() < deadline:
            info = self._next_signal(deadline)
            if info is not None and info.si_signo in STOP_SIGNALS:
                self._tell(signal.SIGTERM)
            while self._ended() is not None:
                pass
        self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._workers:
            os.kill(pid, number)  # a child that has ended is still ours until it is reaped
