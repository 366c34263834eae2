"""Importing many case files from folders: resumable, and never the same one twice.

A folder that holds a ``voucher.json`` is a case file; everything else in it is evidence. Level, category and
completion date come from a ``case.json`` beside it (keys ``level``, ``category``, ``completed``, ``permanent``), else
from the names of the folders above and the folder itself (``一级/剧本相关/…`` or ``一级-剧本相关-…``), else from the
defaults of the call. A keyed fingerprint of all of it is kept with the file, so that what was filed is passed over.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from hmac import new as hmac_new
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.filing import Filing, Submission
from archive.casefile.sources import Source, check_name, printable
from archive.database.catalogue import Catalogue
from archive.days import parse_day
from archive.errors import Code, MunimentError, refusal_of
from archive.ledger.entries import Actor
from archive.scheme.scheme import Scheme

VOUCHER, CASE = "voucher.json", "case.json"
_LARGEST_FORM = 4_000_000  # bytes of either
_CASE_KEYS = frozenset({"level", "category", "completed", "permanent"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every folder that does not say otherwise."""

    level: str | None = None
    category: str | None = None
    completed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one folder: a reference, newly filed or known already, or the refusal."""

    folder: str  # relative to what was imported
    reference: str | None
    filed: bool
    refusal: MunimentError | None


@dataclass(frozen=True, slots=True)
class Importing:
    catalogue: Catalogue
    filing: Filing
    scheme: Scheme
    fingerprint_key: bytes
    parallel: int = 2
    # While the virus scanner is away, the import waits: it says so, and tries the folder again.
    waiting: Callable[[MunimentError], None] = lambda _: None
    again_after: float = 10.0  # seconds

    def folders(self, root: Path) -> list[Path]:
        """Every case file folder at or below ``root``, in order. Raises PATH_NOT_FOUND, NOTHING_TO_IMPORT."""
        if not root.is_dir():
            raise MunimentError(Code.PATH_NOT_FOUND, path=str(root))
        found = sorted(
            Path(folder) for folder, _, names in os.walk(root, followlinks=False) if VOUCHER in names
        )
        if not found:
            raise MunimentError(Code.NOTHING_TO_IMPORT, path=printable(str(root)))
        return found

    def import_all(self, actor: Actor, root: Path, defaults: Defaults) -> Iterator[Outcome]:
        """Files folder after folder, a few at a time; yields as each is done. A refused one stops no other."""
        waiting, stopped = iter(self.folders(root)), Event()
        with ThreadPoolExecutor(max_workers=self.parallel) as pool:
            running: set[Future[Outcome]] = set()
            try:
                while True:
                    for folder in waiting:
                        running.add(
                            pool.submit(self._import_patiently, actor, root, folder, defaults, stopped)
                        )
                        if len(running) > self.parallel:
                            break
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                stopped.set()  # or the pool would wait for those who wait

    def _import_patiently(
        self, actor: Actor, root: Path, folder: Path, defaults: Defaults, stopped: Event
    ) -> Outcome:
        while True:
            outcome = self._import_one(actor, root, folder, defaults)
            if outcome.refusal is None or outcome.refusal.code is not Code.SCANNER_UNAVAILABLE:
                return outcome
            self.waiting(outcome.refusal)
            if stopped.wait(self.again_after):
                return outcome

    def _import_one(self, actor: Actor, root: Path, folder: Path, defaults: Defaults) -> Outcome:
        shown = printable(str(folder.relative_to(root)) if folder != root else folder.name)
        try:
            with ExitStack() as opened:
                submission = self._submission(root, folder, defaults, opened)
                known = self._reference_of(submission.fingerprint or "")
                if known is not None:
                    return Outcome(shown, known, filed=False, refusal=None)
                return Outcome(shown, self.filing.file(actor, submission).reference, filed=True, refusal=None)
        except sa.exc.IntegrityError:
            known = self._reference_of(submission.fingerprint or "")
            if known is None:
                raise
            return Outcome(shown, known, filed=False, refusal=None)  # filed by another process meanwhile
        except (
            MunimentError,
            OSError,
        ) as error:  # a folder that is moved away or cannot be read stops no other
            refusal = refusal_of(error) or MunimentError(Code.EVIDENCE_UNREADABLE, name=shown)
            return Outcome(shown, None, filed=False, refusal=refusal)

    def _submission(self, root: Path, folder: Path, defaults: Defaults, opened: ExitStack) -> Submission:
        paths = sorted(path for path in folder.iterdir() if path.name not in (VOUCHER, CASE))
        for path in (folder / VOUCHER, folder / CASE, *paths):
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise MunimentError(Code.EVIDENCE_NOT_A_FILE, name=printable(path.name))
            check_name(path.name)
        facts = self._facts(root, folder, defaults)
        voucher = _read(folder / VOUCHER)
        sources = tuple(Source(path.name, opened.enter_context(path.open("rb"))) for path in paths)
        for each in sources:  # before all of it is read
            self.filing.check_size(each)
            each.rewound()
        fingerprint = hmac_new(self.fingerprint_key, digestmod=sha256)
        fingerprint.update(json.dumps(facts, sort_keys=True, default=str).encode())
        for source in (Source(VOUCHER, (folder / VOUCHER).open("rb")), *sources):
            opened.enter_context(source.stream)
            digest = sha256()
            while block := source.stream.read(1 << 20):
                digest.update(block)
            source.stream.seek(0)
            fingerprint.update(digest.digest() + source.name.encode() + b"\0")
        return Submission(voucher=voucher, evidence=sources, fingerprint=fingerprint.hexdigest(), **facts)

    def _facts(self, root: Path, folder: Path, defaults: Defaults) -> dict[str, Any]:
        given = _read_case(folder / CASE)
        words = re.split(r"[-_ /\\]+", str(folder.relative_to(root.parent)))
        levels = {level.name for level in self.scheme.levels}
        categories = {category.name for category in self.scheme.categories}
        level = given.get("level") or next((w for w in words if w in levels), None) or defaults.level
        category = (
            given.get("category") or next((w for w in words if w in categories), None) or defaults.category
        )
        if level is None or category is None:
            raise MunimentError(Code.CASE_INCOMPLETE, folder=printable(folder.name))
        completed = given.get("completed")
        return {
            "level": self.scheme.level(str(level)).name,
            "category": self.scheme.category(str(category)).name,
            "completed_on": defaults.completed_on if completed is None else parse_day(str(completed)),
            "permanent": given.get("permanent"),
        }

    def _reference_of(self, fingerprint: str) -> str | None:
        query = sa.select(tables.case_file.c.reference).where(tables.case_file.c.fingerprint == fingerprint)
        with self.catalogue.reading() as connection:
            return connection.execute(query).scalar()


def _read(path: Path) -> bytes:
    """What people wrote, never a film that bears its name."""
    with path.open("rb") as file:
        content = file.read(_LARGEST_FORM + 1)
    if len(content) > _LARGEST_FORM:
        raise MunimentError(Code.EVIDENCE_TOO_LARGE, name=path.name, limit=_LARGEST_FORM // 1_000_000)
    return content


def _read_case(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        document = json.loads(_read(path).decode())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not set(document) <= _CASE_KEYS:
        raise MunimentError(Code.CASE_INVALID, name=CASE, keys="、".join(sorted(_CASE_KEYS)))
    return document
