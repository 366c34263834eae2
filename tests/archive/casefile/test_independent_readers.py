"""What other people's programs say of a stored document: AES-256, and nothing without the password."""

import shutil
import subprocess
from collections.abc import Callable

import pytest

FIRST = "2026-一级-剧本相关-001"
Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program(request) -> Program:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return lambda *given: subprocess.run(
        [name, *map(str, given)], capture_output=True, text=True, check=False
    )


@pytest.fixture(params=[0, 1], ids=["voucher", "photograph"])
def document(archive, request):
    """The path of a stored document and its password."""
    stream, password = archive.case_files.open_document(archive.case_files.get(FIRST), request.param)
    with stream:
        return stream.name, password


def of(*names: str):
    return pytest.mark.parametrize("program", names, indirect=True)


@of("qpdf")
def test_qpdf_finds_aes_256_of_revision_6(program, document):
    path, password = document
    told = program("--show-encryption", f"--password={password}", path)
    assert told.returncode == 0, told.stderr
    assert "R = 6" in told.stdout
    for part in ("stream", "string", "file"):
        assert f"{part} encryption method: AESv3" in told.stdout
    assert program("--check", f"--password={password}", path).returncode == 0


@of("qpdf")
@pytest.mark.parametrize("password", ["", "wrong"])
def test_qpdf_does_not_open_it_otherwise(program, document, password):
    told = program("--show-npages", f"--password={password}", document[0])
    assert told.returncode == 2
    assert "invalid password" in told.stderr + told.stdout


@of("pdfinfo")
def test_pdfinfo_refuses_without_and_opens_with_the_password(program, document):
    path, password = document
    refused = program(path)
    assert refused.returncode != 0
    assert "Incorrect password" in refused.stderr
    assert program("-upw", "wrong", path).returncode != 0
    opened = program("-upw", password, path)
    assert opened.returncode == 0, opened.stderr
    assert "algorithm:AES-256" in opened.stdout


@of("mutool")
def test_mutool_refuses_without_and_opens_with_the_password(program, document):
    path, password = document
    assert "cannot authenticate" in program("info", path).stderr
    assert "cannot authenticate" in program("info", "-p", "wrong", path).stderr
    opened = program("info", "-p", password, path)
    assert opened.returncode == 0, opened.stderr
    assert "Pages:" in opened.stdout
