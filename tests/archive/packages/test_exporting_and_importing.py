"""A package leaves one archive and enters an empty one without difference; outsiders can check it without us."""

import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import bagit
import pikepdf
import pytest
import rfc8785

from archive.casefile.filing import Submission
from archive.casefile.reading import FileState
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from archive.ledger.merkle import Hash, leaf_hash, verify_inclusion
from archive.ledger.notes import Verifier, open_note
from archive.ledger.verifying import verify
from tests.conftest import QUICK
from tests.striking import in_a_child
from tests.vouchers import VOUCHER, voucher
from web.wiring import House, opened


@pytest.fixture
def package(house: House, filed, tmp_path) -> Path:
    house.holds.place(CONSOLE, filed[1], "法院调取")
    to = tmp_path / "package"
    house.exporting.export(CONSOLE, filed, to, {"console": "命令行"})
    return to


def bring(house: House, package: Path) -> list[tuple[str, bool]]:
    return [(each.reference, each.imported) for each in house.packages.import_all(CONSOLE, package)]


def everything(house: House, reference: str) -> dict[str, object]:
    """All that can be known of a case file, its pictures included."""
    case_file = house.case_files.get(reference)
    known: dict[str, object] = {
        "facts": case_file,
        "voucher": house.case_files.voucher(case_file),
        "titles": house.case_files.titles(case_file),
        "texts": house.case_files.texts(case_file),
        "holds": [each.reason for each in house.holds.active(reference)],
    }
    for each in house.case_files.all_documents(case_file):
        stream, password = house.case_files.open_version(case_file, each)
        with stream, house.sandbox.original(stream, password) as original:
            known[f"{each.name} v{each.version}"] = (
                each.kind,
                each.pages,
                each.original_sha256,
                original.read(),
                [house.sandbox.page(stream, password, number + 1, 300, "") for number in range(each.pages)],
            )
    inventory = house.founded.vault.inventory(Reference.parse(reference).folder)
    known["versions"] = {
        version: {key: value for key, value in each.items() if key != "state"}
        for version, each in inventory["versions"].items()
    }
    return known


def test_what_was_imported_differs_in_nothing(house: House, other: House, filed, package):
    assert bring(other, package) == [(each, True) for each in sorted(filed, key=Reference.parse)]
    for reference in filed:
        assert everything(other, reference) == everything(house, reference)
    assert other.case_files.get(filed[2]).state is FileState.VOID
    assert other.fixity.check(CONSOLE).whole
    with other.catalogue.reading() as connection:
        verify(connection, other.catalogue.ledger, other.case_files.file_key)
        acts = [entry.act for entry in follow(connection, 0)]
    assert acts.count(Act.IMPORTED) == 3
    assert acts.count(Act.HELD) == 1


def test_importing_again_changes_nothing_and_numbers_go_on_after_the_last(other: House, filed, package):
    bring(other, package)
    assert bring(other, package) == [(each, False) for each in sorted(filed, key=Reference.parse)]
    following = other.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher()))
    assert following.reference == "2026-一级-剧本相关-003"
    assert other.fixity.check(CONSOLE).whole


def test_an_import_says_how_many_case_files_are_done_of_how_many(other: House, filed, package):
    told: list[tuple[int, int]] = []
    for _ in other.packages.import_all(CONSOLE, package, lambda *step: told.append(step)):
        pass
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_other_people_s_software_accepts_the_bag(package):
    assert bagit.Bag(str(package)).is_valid()
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bagit", "--validate", str(package)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, "is valid" in ran.stderr) == (0, True), ran.stderr


def test_the_package_is_readable_without_us(house: House, filed, package):
    folder = package / "data" / filed[0]
    described = json.loads((folder / "metadata.json").read_text())
    assert [each["pdfa"] for each in described["documents"]] == ["3B", "", ""]
    for each in described["documents"]:
        with pikepdf.open(folder / each["pdf"]) as pdf, pdf.open_metadata() as metadata:
            assert not pdf.is_encrypted
            assert metadata.pdfa_status == each["pdfa"]
            assert pdf.pdf_version == "1.7"
            assert "/ID" in pdf.trailer
            assert ("/OutputIntents" in pdf.Root) is (each["pdfa"] != "")
        original = (folder / each["original"]).read_bytes()
        assert hashlib.sha256(original).hexdigest() == each["original_sha256"]
    assert json.loads((folder / "voucher.json").read_text()) == VOUCHER
    void = json.loads((package / "data" / filed[2] / "metadata.json").read_text())
    assert [(each["version"], each["name"]) for each in void["documents"]] == [
        (1, f"{filed[2]}.pdf"),
        (2, f"{filed[2]}.pdf"),
    ]


def proven(document: dict[str, object]) -> list[tuple[str, object]]:
    """What an outsider can show with the file alone: every event is in the tree that the checkpoint signs."""
    checkpoint = open_note(document["checkpoint"], [Verifier.from_text(document["key"])])
    shown = []
    for event in document["events"]:
        leaf = json.loads(event["leaf"])
        proof = [Hash(base64.b64decode(each)) for each in event["proof"]]
        verify_inclusion(
            leaf_hash(event["leaf"].encode()), event["index"], checkpoint.size, proof, checkpoint.root
        )
        if event["detail"] is not None:
            opened = base64.b64decode(event["salt"]) + rfc8785.dumps(event["detail"])
            assert hashlib.sha256(opened).hexdigest() == leaf["detail"]
        shown.append((leaf["act"], event["detail"]))
    return shown


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_folder_beside_the_package_that_is_not_ours_is_left_alone(house: House, filed, tmp_path, cut_off):
    theirs = tmp_path / "package.partial"
    (theirs / "package").mkdir(parents=True)
    (theirs / "package" / "thesis.txt").write_text("of somebody else")
    if cut_off:
        (theirs / ".muniment-export").touch()
        house.exporting.export(CONSOLE, filed, tmp_path / "package", {})
        assert not theirs.exists()
        assert (tmp_path / "package" / "bagit.txt").exists()
        return
    with pytest.raises(MunimentError) as caught:
        house.exporting.export(CONSOLE, filed, tmp_path / "package", {})
    assert (caught.value.code, caught.value.facts["path"]) == (Code.OUTPUT_EXISTS, str(theirs))
    assert (theirs / "package" / "thesis.txt").read_text() == "of somebody else"
    assert not (tmp_path / "package").exists()


def test_an_export_that_was_killed_is_cleared_away_by_the_next_one(house: House, filed, tmp_path):
    to = tmp_path / "package"
    house.catalogue.database.close()  # no connection crosses into a child

    def killed(done: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        with opened(house.settings, clock=house.clock, passwords=QUICK) as own:
            own.exporting.export(CONSOLE, filed, to, {}, killed)

    assert in_a_child(work) == -signal.SIGKILL
    assert (tmp_path / "package.partial").exists()
    house.exporting.export(CONSOLE, filed, to, {})
    assert bagit.Bag(str(to)).is_valid()
    assert [each.name for each in tmp_path.glob("package*")] == ["package"]


def test_two_exports_to_one_place_do_not_undo_each_other(house: House, filed, tmp_path):
    to = tmp_path / "package"

    def meanwhile(_done: int) -> None:
        with pytest.raises(MunimentError) as caught:
            house.exporting.export(CONSOLE, filed, to, {})
        assert caught.value.code is Code.ARCHIVE_BUSY

    house.exporting.export(CONSOLE, filed, to, {}, meanwhile)
    assert bagit.Bag(str(to)).is_valid()


def test_every_event_is_proven_and_so_is_the_export_itself(house: House, filed, package):
    acts = [act for act, _ in proven(json.loads((package / "data" / filed[2] / "events.json").read_text()))]
    assert acts == ["filed", "voided"]
    manifest = hashlib.sha512((package / "manifest-sha512.txt").read_bytes()).hexdigest()
    exports = proven(json.loads((package / "export-proof.json").read_text()))
    assert exports == [("exported", {"manifest": manifest})] * 3


def test_what_happened_before_goes_along_when_it_is_exported_again(other: House, filed, package, tmp_path):
    bring(other, package)
    other.exporting.export(CONSOLE, [filed[2]], tmp_path / "again", {})
    events = json.loads((tmp_path / "again" / "data" / filed[2] / "events.json").read_text())
    assert [act for act, _ in proven(events)] == ["imported"]
    assert [act for act, _ in proven(events["former"])] == ["filed", "voided"]
    assert events["former"]["key"] != events["key"]


def documents(package: Path) -> dict[str, str]:
    """What the manifest has of the PDFs and originals."""
    lines = (package / "manifest-sha512.txt").read_text().splitlines()
    digests = {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}
    return {path: each for path, each in digests.items() if path.endswith(".pdf") or "/originals/" in path}


def test_the_same_documents_are_the_same_bytes_in_every_export(
    house: House, other: House, filed, package, tmp_path
):
    first = documents(package)
    assert len([each for each in first if each.endswith(".pdf")]) > 5
    house.exporting.export(CONSOLE, filed, tmp_path / "again", {})
    assert documents(tmp_path / "again") == first
    bring(other, package)
    other.exporting.export(CONSOLE, filed, tmp_path / "beyond", {})
    assert documents(tmp_path / "beyond") == first


def test_a_flipped_bit_or_a_missing_file_anywhere_is_refused_and_nothing_imported(
    other: House, package, record_property
):
    dice, flips = random.Random(9), 0
    files = sorted(path for path in package.rglob("*") if path.is_file())
    for path in files:
        content = path.read_bytes()
        for place in sorted({0, len(content) // 2, len(content) - 1, dice.randrange(len(content))}):
            altered = bytearray(content)
            altered[place] ^= 1 << dice.randrange(8)
            path.write_bytes(altered)
            with pytest.raises(MunimentError) as caught:
                bring(other, package)
            assert caught.value.code is Code.PACKAGE_DAMAGED
            flips += 1
        path.unlink()
        with pytest.raises(MunimentError) as caught:
            bring(other, package)
        assert caught.value.code is Code.PACKAGE_DAMAGED
        path.write_bytes(content)
    assert other.case_files.select() == []
    assert len(bring(other, package)) == 3
    record_property("faults", (flips, "a bit flipped in a file of a package"))
    record_property("faults", (len(files), "a file of a package missing"))


def test_a_flipped_bit_that_leaves_the_end_of_a_line_an_end_of_a_line_is_refused(other: House, package):
    path = package / "tagmanifest-sha512.txt"
    content = path.read_bytes()
    for place in (at for at, byte in enumerate(content) if byte == ord("\n")):
        path.write_bytes(content[:place] + b"\v" + content[place + 1 :])
        with pytest.raises(MunimentError) as caught:
            bring(other, package)
        assert caught.value.code is Code.PACKAGE_DAMAGED
    path.write_bytes(content)
    assert len(bring(other, package)) == 3


def rebag(package: Path) -> None:
    """Whoever alters a package knowingly makes its checksums fit."""
    for each in package.glob("*manifest*"):
        each.unlink()
    payload = sorted(path for path in (package / "data").rglob("*") if path.is_file())
    oxum = f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"
    info = package / "bag-info.txt"
    info.write_text(re.sub(r"(?<=Payload-Oxum: ).*", oxum, info.read_text()))
    _list(package, "manifest-sha512.txt", payload)
    _list(package, "tagmanifest-sha512.txt", sorted(path for path in package.iterdir() if path.is_file()))


def _list(package: Path, name: str, paths: list[Path]) -> None:
    lines = [
        f"{hashlib.sha512(path.read_bytes()).hexdigest()}  {path.relative_to(package).as_posix()}\n"
        for path in paths
    ]
    (package / name).write_text("".join(lines))


def test_a_package_that_somebody_altered_and_bagged_anew_is_not_what_was_exported(
    other: House, filed, package
):
    path = package / "data" / filed[0] / "voucher.json"
    path.write_text(path.read_text().replace("退费", "道歉"))
    rebag(package)
    assert bagit.Bag(str(package)).is_valid()
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.facts["path"] == "export-proof.json"


@pytest.mark.parametrize("key", ["checkpoint", "key", "events"])
def test_a_proof_that_was_altered_proves_nothing(other: House, filed, package, key):
    path = package / "export-proof.json"
    document = json.loads(path.read_text())
    if key == "events":
        document["events"][0]["detail"]["manifest"] = "0" * 128
    else:
        document[key] = document[key].swapcase()
    path.write_text(json.dumps(document))
    rebag(package)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.facts["path"] == "export-proof.json"


@pytest.fixture
def believing(monkeypatch) -> None:
    """As if the altered package were signed for: what lies behind the proof must hold by itself."""
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize(
    "change",
    [
        {"reference": "2026-一级-剧本相关-009"},
        {"number": 9},
        {"state": "destroyed"},
        {"state": "void"},
        {"version": 2},
        {"version": 0},
        {"received_at": "yesterday"},
        {"completed_on": "2026-02-30"},
        {"headcount": "1"},
        {"headcount": None},
        {"level": "九级"},
        {"extra": 1},
    ],
)
def test_metadata_that_filing_could_not_have_made_is_refused(other: House, filed, package, change):
    path = package / "data" / filed[0] / "metadata.json"
    document = json.loads(path.read_text())
    document["case_file"].update(change)
    path.write_text(json.dumps(document))
    rebag(package)
    assert bagit.Bag(str(package)).is_valid()
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.PACKAGE_DAMAGED
    with pytest.raises(MunimentError):
        other.case_files.get(filed[0])


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize("change", [{"kind": "spell"}, {"pdf": "../../../outside.pdf"}, {"pdf": "x.pdf"}])
def test_a_document_that_no_export_describes_so_is_refused(other: House, filed, package, change):
    """A PDF outside the package would be read although no checksum covers it."""
    folder = package / "data" / filed[0]
    shutil.copy(folder / "documents" / "v1" / f"{filed[0]}-01.pdf", package.parent / "outside.pdf")
    document = json.loads((folder / "metadata.json").read_text())
    document["documents"][1].update(change)
    (folder / "metadata.json").write_text(json.dumps(document))
    if change.get("pdf") == "x.pdf":
        shutil.copy(package.parent / "outside.pdf", folder / "x.pdf")
    rebag(package)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert (caught.value.code, caught.value.facts["path"]) == (
        Code.PACKAGE_DAMAGED,
        f"data/{filed[0]}/metadata.json",
    )
    assert other.case_files.select() == []


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize("kind", ["bytes", "other document", "pages", "original"])
def test_a_document_that_is_not_what_is_described_is_refused(other: House, filed, package, kind):
    folder = package / "data" / filed[0]
    target = folder / "documents" / "v1" / f"{filed[0]}-01.pdf"
    if kind == "bytes":
        target.write_bytes(b"%PDF-1.7 nothing")
    elif kind == "other document":
        shutil.copy(folder / "documents" / "v1" / f"{filed[0]}-02.pdf", target)
    else:
        document = json.loads((folder / "metadata.json").read_text())
        document["documents"][1].update({"pages": 2} if kind == "pages" else {"original_sha256": "0" * 64})
        (folder / "metadata.json").write_text(json.dumps(document))
    rebag(package)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.PACKAGE_DAMAGED
    assert other.case_files.select() == []
    assert not any(path.startswith("2026") for path in other.founded.vault.paths())


def test_links_and_ways_out_of_the_package_are_refused(other: House, filed, package, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    (package / "data" / "link").symlink_to(secret)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.PACKAGE_DAMAGED
    (package / "data" / "link").unlink()
    manifest = package / "manifest-sha512.txt"
    line = f"{hashlib.sha512(b'x').hexdigest()}  data/../../secret\n"
    manifest.write_text(manifest.read_text() + line)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.PACKAGE_DAMAGED


def test_an_archive_in_which_something_was_filed_takes_no_package(house: House, package):
    with pytest.raises(MunimentError) as caught:
        bring(house, package)
    assert caught.value.code is Code.ARCHIVE_IN_USE


def test_a_package_takes_no_number_under_which_an_object_lies_that_was_not_rebuilt(
    other: House, filed, package
):
    with other.catalogue.unit(CONSOLE) as unit:
        unit.record(Act.NOT_REBUILT, filed[0])
    lies = other.settings.home / "vault" / Reference.parse(filed[0]).folder / "inventory.json"
    lies.parent.mkdir(parents=True)
    lies.write_bytes(b"of a case file that only waits for its key")
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.ARCHIVE_IN_USE
    assert lies.read_bytes() == b"of a case file that only waits for its key"


def test_an_export_overwrites_nothing_and_a_failed_one_leaves_nothing(house: House, filed, package, tmp_path):
    with pytest.raises(MunimentError) as caught:
        house.exporting.export(CONSOLE, filed, package, {})
    assert caught.value.code is Code.OUTPUT_EXISTS
    folder = house.founded.vault.now.root / Reference.parse(filed[0]).folder
    (folder / "v1" / "content" / f"{filed[0]}-02.pdf").write_bytes(b"x")
    with pytest.raises(MunimentError) as caught:
        house.exporting.export(CONSOLE, filed, tmp_path / "second", {})
    assert caught.value.code is Code.DOCUMENT_ALTERED
    assert sorted(path.name for path in tmp_path.glob("second*")) == []


def test_an_unknown_reference_is_told_before_anything_is_written(house: House, filed, tmp_path):
    with pytest.raises(MunimentError) as caught:
        house.exporting.export(CONSOLE, [filed[0], "2026-一级-其他-404"], tmp_path / "x", {})
    assert caught.value.code is Code.FILE_NOT_FOUND
    assert not (tmp_path / "x").exists()
