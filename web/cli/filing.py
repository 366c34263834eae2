"""Filing one case file or many, completing, voiding, releasing."""

import shutil
import stat
from collections import Counter
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from archive.casefile.sources import printable
from archive.days import parse_day
from archive.errors import Code, Exit, MunimentError
from archive.ledger.entries import CONSOLE
from archive.vault import durable
from web.cli.frame import Frame, framed
from web.cli.packages import import_package

if TYPE_CHECKING:
    from archive.casefile.importing import Outcome

_PATH = click.Path(path_type=Path)
_BLOCK = 1 << 20


@click.command()
@click.option("--level", required=True, help="The level: 一级, 二级, 三级 · 等级：一级、二级、三级.")
@click.option(
    "--category", required=True, help="The category: 剧本相关, 服务相关, … · 类别：剧本相关、服务相关……"
)
@click.option(
    "--completed", metavar="DATE", help="Completion date, such as 2026-03-01 · 办结日期，如 2026-03-01."
)
@click.option(
    "--permanent",
    metavar="GROUND",
    help="Keep for ever: legal-dispute, brand-impact · "
    "永久保存的依据：legal-dispute（法律纠纷）、brand-impact（品牌影响）.",
)
@click.option(
    "--voucher",
    required=True,
    type=_PATH,
    help="The voucher, see muniment schema voucher · 登记凭证 voucher.json，格式见 muniment schema voucher.",
)
@click.argument("evidence", nargs=-1, type=_PATH)
@framed
def file(
    frame: Frame,
    *,
    level: str,
    category: str,
    completed: str | None,
    permanent: str | None,
    voucher: Path,
    evidence: tuple[Path, ...],
) -> None:
    """File one case file: the voucher and its evidence · 归档一份投诉：登记凭证和佐证材料."""
    from archive.casefile.filing import Submission  # noqa: PLC0415
    from archive.casefile.sources import Source  # noqa: PLC0415
    from archive.voucher.checking import check  # noqa: PLC0415
    from archive.voucher.fields import parse  # noqa: PLC0415

    with ExitStack() as opened:
        completed_on = _day(completed)
        text = _read(voucher)
        sources = tuple(Source(path.name, opened.enter_context(_open(path))) for path in evidence)
        house = opened.enter_context(frame.house())
        filed = house.filing.file(
            CONSOLE, Submission(level, category, completed_on, permanent, text, sources)
        )
        flags = [flag.say(frame.words.language) for flag in check(parse(text), len(evidence))]
    for flag in flags:
        frame.tell(frame.words("cli.flag", flag=flag))
    frame.give(
        {"reference": filed.reference, "documents": list(filed.documents), "flags": flags},
        (filed.reference, *(f"  {name}" for name in filed.documents)),
    )


@click.command("import")
@click.option("--level", help="For folders that name no level · 未写明等级的文件夹按此等级.")
@click.option("--category", help="For folders that name no category · 未写明类别的文件夹按此类别.")
@click.option(
    "--completed", metavar="DATE", help="Completion date, such as 2026-03-01 · 办结日期，如 2026-03-01."
)
@click.option(
    "--package",
    is_flag=True,
    help="DIRECTORY is a package of muniment export · DIRECTORY 是 muniment export 导出的保存包.",
)
@click.argument("directory", type=_PATH)
@framed
def import_(
    frame: Frame,
    *,
    level: str | None,
    category: str | None,
    completed: str | None,
    package: bool,
    directory: Path,
) -> Exit:
    """File every folder with a voucher.json below DIRECTORY; go on where it was cut off ·
    批量归档含 voucher.json 的文件夹，中断后可续.
    """
    if package:
        if level or category or completed:
            raise click.UsageError(frame.words("cli.package_alone"))
        return import_package(frame, directory)
    from archive.casefile.importing import Defaults, Importing  # noqa: PLC0415

    with frame.house() as house:
        importing = Importing(
            house.catalogue,
            house.filing,
            house.scheme,
            house.founded.fingerprint_key,
            frame.settings.workers,
            waiting=lambda error: frame.tell(error.say(frame.words.language)),
        )
        defaults = Defaults(level, category, _day(completed))
        folders = importing.folders(directory)
        steps = importing.import_all(CONSOLE, directory, defaults)
        outcomes = sorted(frame.progress(steps, len(folders)), key=lambda each: each.folder)
    for each in outcomes:
        if each.refusal is not None:
            frame.tell(f"{each.folder}: {each.refusal.say(frame.words.language)}")
    counts = Counter(_verdict(each) for each in outcomes)
    frame.give(
        {
            **{verdict: counts[verdict] for verdict in ("filed", "known", "refused")},
            "folders": [_outcome(frame, each) for each in outcomes],
        },
        (frame.words("cli.imported", **{each: counts[each] for each in ("filed", "known", "refused")}),),
    )
    return Exit.REFUSED if counts["refused"] else Exit.OK


@click.command()
@click.option(
    "--on",
    required=True,
    metavar="DATE",
    help="Completion date, such as 2026-03-01 · 办结日期，如 2026-03-01.",
)
@click.argument("reference")
@framed
def complete(frame: Frame, *, on: str, reference: str) -> None:
    """Give the completion date, from which the retention period counts · 登记办结日期，保管期限自此起算."""
    day = parse_day(on)
    with frame.house() as house:
        case_file = house.completing.complete(CONSOLE, reference, day)
    frame.give(
        {"reference": case_file.reference, "completed_on": day.isoformat()},
        (frame.words("case.completed", reference=case_file.reference),),
    )


@click.command()
@click.option("--reason", required=True, help="Why it is void · 作废理由.")
@click.argument("reference")
@framed
def void(frame: Frame, *, reason: str, reference: str) -> None:
    """Void a file: stamped 作废 and kept whole, its number never reused · 作废：加盖作废章整份保存，编号不再使用."""
    with frame.house() as house:
        case_file = house.voiding.void(CONSOLE, reference, reason)
    frame.give(
        {"reference": case_file.reference, "state": case_file.state.value},
        (frame.words("case.voided", reference=case_file.reference),),
    )


@click.command()
@click.option(
    "--to", "directory", required=True, type=_PATH, help="The folder for the copy · 存放副本的目录."
)
@click.option("--for", "recipient", default="", help="Who gets it, and what for · 交给何人、作何用途.")
@click.option(
    "--with-originals",
    "originals",
    is_flag=True,
    help="Also the files as they were handed in, with camera notes and places · 附上原件，含拍摄信息和地点.",
)
@click.argument("reference")
@framed
def release(frame: Frame, *, directory: Path, recipient: str, originals: bool, reference: str) -> None:
    """Write a stamped copy under a one-time password; recorded · 出具加盖标记的副本（一次性密码，留有记录）."""
    with frame.house() as house, ExitStack() as opened:
        target = _fresh_folder(directory, house.case_files.get(reference).reference)
        unfinished = opened.enter_context(ExitStack())  # what is half written has no password
        unfinished.callback(shutil.rmtree, target, ignore_errors=True)
        copy = house.releasing.release(CONSOLE, reference, to=recipient, originals=originals)
        paths = []
        for name, stream in copy.documents:
            opened.enter_context(stream)
            # A recording is opened while it is written, and may turn out to be damaged.
            durable.write(target / name, iter(partial(stream.read, _BLOCK), b""))
            paths.append(target / name)
        unfinished.pop_all()
    frame.give(
        {"reference": copy.reference, "password": copy.password, "documents": [str(path) for path in paths]},
        (*(str(path) for path in paths), frame.words("cli.one_time_password", password=copy.password)),
    )


def _fresh_folder(directory: Path, reference: str) -> Path:
    """``directory/reference``, made before anything is recorded. Raises OUTPUT_EXISTS."""
    target = directory / reference
    try:
        target.mkdir(parents=True, mode=0o700)
    except (FileExistsError, NotADirectoryError):
        raise MunimentError(Code.OUTPUT_EXISTS, path=str(target)) from None
    except PermissionError:
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(directory)) from None
    return target


def _open(path: Path) -> BinaryIO:
    """A plain file; one that is named outright may be reached by a link."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before opening: a pipe would be waited for
            raise MunimentError(Code.EVIDENCE_NOT_A_FILE, name=printable(path.name or str(path)))
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
        raise MunimentError(Code.PATH_NOT_FOUND, path=str(path)) from None


def _read(voucher: Path) -> bytes:
    """No more than the reader needs to see that it is too long."""
    from archive.voucher.fields import MOST_BYTES  # noqa: PLC0415

    with _open(voucher) as file:
        return file.read(MOST_BYTES + 1)


def _day(text: str | None) -> date | None:
    return None if text is None else parse_day(text)


def _verdict(outcome: "Outcome") -> str:
    if outcome.refusal is not None:
        return "refused"
    return "filed" if outcome.filed else "known"


def _outcome(frame: Frame, outcome: "Outcome") -> dict[str, str | None]:
    said: dict[str, str | None] = {"folder": outcome.folder, "outcome": _verdict(outcome)}
    if outcome.refusal is None:
        return {**said, "reference": outcome.reference}
    return {**said, "error": outcome.refusal.code.value, "message": outcome.refusal.say(frame.words.language)}


@click.command("convert-pending")
@framed
def convert_pending(frame: Frame) -> Exit:
    """Make pages of what was filed behind a cover, now that its converter is installed ·
    转换程序装好后，补转只有封面的材料.
    """
    with frame.house() as house:
        total = len(house.converting.waiting())
        outcomes = list(frame.progress(house.converting.convert_all(CONSOLE), total))
    for each in outcomes:
        if each.refusal is not None:
            frame.tell(f"{each.document}: {each.refusal.say(frame.words.language)}")
    verdicts = {
        each.document: "converted" if each.converted else "refused" if each.refusal else "waiting"
        for each in outcomes
    }
    counts = Counter(verdicts.values())
    named = {verdict: counts[verdict] for verdict in ("converted", "waiting", "refused")}
    frame.give({**named, "documents": verdicts}, (frame.words("cli.converted", **named),))
    return Exit.REFUSED if counts["refused"] else Exit.OK


COMMANDS = (file, import_, complete, void, release, convert_pending)
