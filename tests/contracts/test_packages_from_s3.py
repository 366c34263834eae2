"""What reads a document twice does so from a bucket as from a disk."""

import pytest

from archive.ledger.entries import CONSOLE
from tests.conftest import QUICK
from web.settings import Settings
from web.wiring import init, opened


@pytest.fixture
def settings(in_a_bucket) -> Settings:
    return in_a_bucket


def test_a_package_leaves_a_bucket_and_enters_a_folder(house, filed, tmp_path):
    package = tmp_path / "package"
    house.exporting.export(CONSOLE, filed, package, {})
    elsewhere = Settings(home=tmp_path / "other")
    init(elsewhere)
    with opened(elsewhere, passwords=QUICK) as other:
        assert len(list(other.packages.import_all(CONSOLE, package))) == len(filed)
        assert other.fixity.check(CONSOLE).whole
