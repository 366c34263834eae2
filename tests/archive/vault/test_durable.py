"""Writing so that a power cut loses nothing."""

import os
from pathlib import Path

import pytest

from archive.vault import durable


@pytest.fixture
def synced(monkeypatch):
    """The paths that were fsynced, in order."""
    real, seen = os.fsync, []

    def fsync(descriptor: int) -> None:
        seen.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_a_new_file_is_on_the_disk_and_never_over_another(tmp_path, synced):
    durable.write(tmp_path / "a", b"one")
    assert synced == ["a"]
    with pytest.raises(FileExistsError):
        durable.write(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_a_new_file_is_all_there_or_not_at_all(tmp_path):
    def damaged():
        yield b"one"
        raise ValueError

    with pytest.raises(ValueError):
        durable.write(tmp_path / "a", damaged())
    assert list(tmp_path.iterdir()) == []
    durable.write(tmp_path / "a", iter([b"one", b"two"]), mode=0o600)
    assert (tmp_path / "a").read_bytes() == b"onetwo"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        durable.write(tmp_path / "a", damaged())
    assert (tmp_path / "a").read_bytes() == b"onetwo"


def test_a_replaced_file_is_whole_before_it_takes_the_name(tmp_path, synced):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "a.new").write_bytes(b"left by a crash")
    durable.replace(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert synced == ["a.new", tmp_path.name]
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_each_new_folder_is_on_the_disk(tmp_path, synced):
    durable.make_folders(tmp_path / "a" / "b", tmp_path)
    assert synced == [tmp_path.name, "a"]
    durable.make_folders(tmp_path / "a" / "b", tmp_path)
    assert synced == [tmp_path.name, "a"]
