"""A lost home folder comes back from a bucket, the master key and the key journal."""

import shutil

from archive.casefile.filing import Submission
from archive.errors import Code, MunimentError
from archive.ledger.entries import CONSOLE
from tests.conftest import QUICK
from tests.vouchers import voucher
from web.wiring import init, opened, rebuild


def test_from_a_bucket_too_everything_comes_back(in_a_bucket):
    settings = in_a_bucket
    init(settings)
    with opened(settings, passwords=QUICK) as house:
        for _ in range(3):
            filed = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher()))
        house.holds.place(CONSOLE, filed.reference, "诉讼")
        house.voiding.void(CONSOLE, filed.reference, "重复")
        before = house.case_files.select()
    shutil.rmtree(settings.home)
    rebuilt = rebuild(settings)
    assert (rebuilt.files, rebuilt.unfit, rebuilt.place) == (3, (), settings.vault)
    with opened(settings, passwords=QUICK) as house:
        assert house.case_files.select() == before
        assert [each.reason for each in house.holds.active(filed.reference)] == ["诉讼"]
        assert house.fixity.check(CONSOLE).whole
        house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher()))
    try:
        rebuild(settings)
    except MunimentError as error:
        assert error.code is Code.ARCHIVE_EXISTS
