"""The pool: caged workers, started when first needed, kept for the next job, ended when they rest or are worn out."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from archive.causes import CLOSED, of_system
from archive.errors import Code, MunimentError
from archive.evidence.limits import Limits
from archive.evidence.workers import Worker

_MOST_JOBS = 500  # a worker is replaced after so many: leaks and stowaways do not pile up


class Pool:
    """At most ``most`` workers at once. Thread-safe."""

    def __init__(self, most: int, limits: Limits, idle_seconds: float) -> None:
        self._most = most
        self._limits = limits
        self._idle_seconds = idle_seconds
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._starting = 0
        self._closed = False
        self._changed = threading.Condition()
        self._timer: threading.Timer | None = None
        # One thread that lives as long as the pool starts every worker; see Worker.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="sandbox-starter")

    @property
    def pids(self) -> tuple[int, ...]:
        """The living workers."""
        with self._changed:
            return tuple(worker.pid for worker in self._all if worker.alive())

    @property
    def closed(self) -> bool:
        return self._closed

    def on_starter(self, start: Callable[[], Any]) -> Any:
        """What ``start`` gives, called on the thread that starts workers.

        :raises RuntimeError: the pool is closed.
        """
        return self._starter.submit(start).result()

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker of one's own for one job, given back healthy or ended; waits until one is free.

        :raises MunimentError: SANDBOX_UNAVAILABLE.
        """
        worker = self._borrow()
        healthy = False
        try:
            yield worker
            healthy = worker.jobs < _MOST_JOBS and not worker.spent
        finally:
            self._give_back(worker, healthy=healthy)

    def close(self) -> None:
        """End all workers. Jobs under way fail; calls after this are refused."""
        with self._changed:
            self._closed = True
            idle = tuple(self._idle)
            for worker in self._all.difference(idle):
                worker.stop()
            self._idle.clear()
            if self._timer:
                self._timer.cancel()
            self._changed.notify_all()
        for worker in idle:
            worker.end()
        with self._changed:
            self._all.difference_update(idle)
        self._starter.shutdown()

    def _borrow(self) -> Worker:
        with self._changed:
            while True:
                if self._closed:
                    raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=CLOSED)
                while self._idle:
                    worker = self._idle.pop()
                    if worker.alive():
                        return worker
                    self._all.discard(worker)
                    worker.end()
                if len(self._all) + self._starting < self._most:
                    self._starting += 1
                    break
                self._changed.wait()
        return self._start()

    def _start(self) -> Worker:
        worker: Worker | None = None
        try:
            worker = self._starter.submit(Worker, self._limits).result()
        except OSError as fault:
            raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=of_system(fault.errno)) from fault
        except RuntimeError:  # closed in the meantime
            raise MunimentError(Code.SANDBOX_UNAVAILABLE, problem=CLOSED) from None
        finally:
            with self._changed:
                self._starting -= 1
                if worker:
                    self._all.add(worker)
                self._changed.notify()
        return worker

    def _give_back(self, worker: Worker, *, healthy: bool) -> None:
        with self._changed:
            healthy = healthy and not self._closed
            if healthy:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
                self._watch()
            else:
                self._all.discard(worker)
            self._changed.notify()
        if not healthy:
            worker.end()

    def _watch(self) -> None:
        """See to it that idle workers end; called with the lock held."""
        if self._timer is None and self._idle and not self._closed:
            self._timer = threading.Timer(self._idle_seconds, self._sweep)
            self._timer.daemon = True
            self._timer.start()

    def _sweep(self) -> None:
        with self._changed:
            self._timer = None
            rested = time.monotonic() - self._idle_seconds * 0.9
            ending = [worker for worker in self._idle if worker.idle_since <= rested]
            for worker in ending:
                self._idle.remove(worker)
                self._all.discard(worker)
            self._watch()
        for worker in ending:
            worker.end()
