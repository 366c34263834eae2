"""The server's own chores, in one thread: backup, locks, the daily sample, the quarterly check, repair.

Several servers may watch over one archive: a lease in the catalogue sees to it that one of them works. A chore that
fails is tried again after an hour; nothing of it fails a request.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import uuid4

from archive.chores import Chore, Hours, daily_sample, due, last
from archive.database import leasing
from archive.errors import MunimentError, refusal_of
from archive.fixity.pace import Pace
from archive.fixity.report import Report
from archive.ledger.entries import SYSTEM
from web.backup_places import backup_place
from web.tracing import places
from web.wiring import House

_LOOK_EVERY = 60.0  # seconds
_LEASE = timedelta(minutes=10)
_BEAT = 150.0  # seconds after which it is renewed
_AGAIN_AFTER = timedelta(hours=1)
_NAME = "chores"
_log = logging.getLogger("muniment.chores")


class Stopped(Exception):  # noqa: N818 - no error: the server ends
    """The chore is cut off; the next start takes it up again."""


class Watch:
    """``with Watch(house):`` works in the background until the block ends."""

    def __init__(self, house: House, every: float = _LOOK_EVERY, beat: float = _BEAT) -> None:
        self._house = house
        self._every = every
        self._beat = beat
        self._holder = str(uuid4())
        self._stopping = threading.Event()
        self._failed: dict[Chore, datetime] = {}
        self._lease: leasing.Lease | None = None
        self._weaker_said = False
        self._thread = threading.Thread(target=self._work, name="chores", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(30)

    def _work(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self.look()
            except Stopped:
                return
            except MunimentError as refusal:  # the archive is busy: the next look is soon enough
                _log.warning("chores: %s", refusal.code)
            except Exception as defect:  # noqa: BLE001 - the watch goes on
                _log.error("chores: %s in %s", type(defect).__name__, places(defect))

    def look(self) -> tuple[Chore, ...]:
        """Does what is due; returns what was done."""
        house, settings = self._house, self._house.settings
        hours = Hours(
            settings.backup_hour if settings.backup_to else None,
            settings.fixity_hour,
            0 if house.founded.vault.protecting else None,
        )
        wanted = [
            chore
            for chore in due(last(house.catalogue), house.clock(), settings.zone, hours)
            if house.clock() - self._failed.get(chore, datetime.min.replace(tzinfo=settings.zone))
            > _AGAIN_AFTER
        ]
        if not wanted:
            return ()
        with leasing.held(house.catalogue, _NAME, self._holder, _LEASE, self._beat) as lease:
            self._lease = lease
            return tuple(chore for chore in wanted if lease is not None and self._done(chore))

    def _done(self, chore: Chore) -> bool:
        try:
            _CHORES[chore](self)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - the other chores and the server go on
            refusal = refusal_of(error)
            _log.error(
                "%s: %s", chore, refusal.code if refusal else f"{type(error).__name__} in {places(error)}"
            )
            self._failed[chore] = self._house.clock()
            return False
        self._failed.pop(chore, None)
        return True

    def _backup(self) -> None:
        settings, vault = self._house.settings, self._house.founded.vault
        wanted = backup_place(settings, vault, settings.backup_to, settings.backup_keys_to)
        taken = self._house.backups.take(SYSTEM, wanted, keep=settings.backup_keep, progress=self._step)
        if taken.damaged:
            _log.error("backup: %d files in the vault are damaged", len(taken.damaged))

    def _fixity_all(self) -> None:
        self._check(None)

    def _fixity_sample(self) -> None:
        self._check(daily_sample(self._house.case_files.count()))

    def _protect(self) -> None:
        settled = self._house.protecting.settle(SYSTEM, self._step)
        if settled.left:
            _log.error("protection: %d case files cannot be locked as they must be", len(settled.left))
        if settled.weaker and not self._weaker_said:
            self._weaker_said = True
            _log.warning(
                "protection: %d case files stay under governance locks until these run out: the archive has no right "
                "to make compliance locks of them, and who may bypass governance can delete them. What is filed from "
                "now on is under compliance. See docs/vault.md, Object Lock.",
                settled.weaker,
            )

    def _check(self, sample: int | None) -> None:
        house = self._house
        pace = Pace(float(house.settings.fixity_rate), sleep=self._rest)
        report = house.fixity.check(SYSTEM, sample, pace=pace, parallel=1, progress=self._step)
        if not report.whole:
            _log.error("fixity: report %d has %d findings", report.number, len(report.findings))
            self._repair(report)

    def _repair(self, report: Report) -> None:
        if self._house.repairing is not None:
            self._house.repairing.repair(SYSTEM, report)

    def _rest(self, seconds: float) -> None:
        """Between two pieces of a file, of which a recording may have thousands."""
        if self._stopping.wait(seconds):
            raise Stopped
        self._step(0, 0)

    def _step(self, _done: int, _total: int) -> None:
        if self._stopping.is_set() or self._lease is None or self._lease.lost:
            raise Stopped


_CHORES: dict[Chore, Callable[[Watch], None]] = {
    Chore.BACKUP: Watch._backup,  # noqa: SLF001 - its own
    Chore.FIXITY_ALL: Watch._fixity_all,  # noqa: SLF001
    Chore.FIXITY_SAMPLE: Watch._fixity_sample,  # noqa: SLF001
    Chore.PROTECTION: Watch._protect,  # noqa: SLF001
}
