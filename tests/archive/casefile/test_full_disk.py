"""A real disk without room: filing and voiding are refused with that sentence, and nothing is half done."""

import os
import shutil
from pathlib import Path

from archive.casefile.reading import FileState
from archive.errors import Code, refusal_of

ACTOR = "P0001"
FIRST = "2026-一级-剧本相关-001"
STEP = 12 * 1024  # bytes


def leave(disk: Path, free: int) -> None:
    """Fills the disk up to this many bytes."""
    state = os.statvfs(disk)
    (disk / "ballast").write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - free)))


def outcome(work) -> str:
    try:
        work()
    except Exception as error:
        refusal = refusal_of(error)
        if refusal is None or refusal.code is not Code.DISK_FULL:
            raise
        return "full"
    return "done"


def test_with_ever_more_room_filing_is_refused_until_it_is_done(
    small_disk, model, open_at, cleared, forms, press
):
    def file(archive) -> None:
        archive.filing.file(ACTOR, forms.submission(("照片.jpg", forms.photo("red")), level="二级"))

    _with_ever_more_room(small_disk, model, open_at, cleared, file, "2026-二级-剧本相关-001")


def test_with_ever_more_room_voiding_is_refused_until_it_is_done(small_disk, model, open_at, cleared):
    def void(archive) -> None:
        archive.voiding.void(ACTOR, FIRST, "重复登记")

    _with_ever_more_room(small_disk, model, open_at, cleared, void, None)


def _with_ever_more_room(small_disk, model, open_at, cleared, act, filed: str | None) -> None:
    outcomes = []
    for number in range(100):
        home = Path(shutil.copytree(model, small_disk / "archive"))
        with open_at(home, "act") as archive:
            leave(small_disk, number * STEP)
            outcomes.append(outcome(lambda archive=archive: act(archive)))
            (small_disk / "ballast").unlink()
            done = (
                filed in archive.references()
                if filed
                else archive.case_files.get(FIRST).state is FileState.VOID
            )
            assert done == (outcomes[-1] == "done")
            if not done:
                act(archive)  # there is room now: in the very same process it works
            cleared(archive)
            assert archive.wrong() == []
        shutil.rmtree(home)
        if outcomes[-1] == "done":
            break
    assert outcomes[-1] == "done"
    assert outcomes.count("full") > 5
