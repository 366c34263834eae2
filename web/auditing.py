"""Verifying the ledger while somebody waits: one run at a time, in the background, its progress in memory."""

import threading
from dataclasses import dataclass
from datetime import datetime

from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import size
from archive.ledger.verifying import Verified, verify
from web.wiring import House


@dataclass(frozen=True, slots=True)
class Run:
    """A verification as it stands. It is over when there is a result or an error."""

    started_at: datetime
    total: int
    done: int = 0
    result: Verified | None = None
    error: MunimentError | None = None

    @property
    def running(self) -> bool:
        return self.result is None and self.error is None


class Verification:
    """The newest run of this server, if there was one. Every finished run is recorded, whatever it found."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._run: Run | None = None

    @property
    def latest(self) -> Run | None:
        with self._lock:
            return self._run

    def start(self, actor: Actor, kept: str | None) -> Run:
        """``kept`` is a checkpoint that somebody kept. A run under way is not started again."""
        with self._lock:
            if self._run is not None and self._run.running:
                return self._run
            with self._house.catalogue.reading() as connection:
                total = size(connection)
            self._run = run = Run(self._house.clock(), total)
        threading.Thread(target=self._work, args=(run, actor, kept), name="verification", daemon=True).start()
        return run

    def _work(self, run: Run, actor: Actor, kept: str | None) -> None:
        house = self._house

        def progress(done: int) -> None:
            if done % 100 == 0:
                self._put(Run(run.started_at, max(run.total, done), done))

        result, error = None, None
        try:
            with house.catalogue.reading() as connection:
                result = verify(
                    connection,
                    house.catalogue.ledger,
                    house.case_files.file_key,
                    kept=kept,
                    progress=progress,
                )
            detail: dict[str, str | int] = {"entries": result.entries, "root": result.root, "result": "whole"}
        except MunimentError as refusal:
            error, detail = refusal, {"result": refusal.code.value}
        except Exception as defect:  # noqa: BLE001 - the page must not wait for ever on a thread that died
            error = MunimentError(Code.INTERNAL, incident=type(defect).__name__)
            detail = {"result": error.code.value}
        try:
            with house.catalogue.unit(actor) as unit:
                unit.record(Act.LEDGER_VERIFIED, "ledger", detail=detail)
        except MunimentError as refusal:
            result, error = None, error or refusal
        self._put(Run(run.started_at, run.total, run.total, result, error))

    def _put(self, run: Run) -> None:
        with self._lock:
            self._run = run
