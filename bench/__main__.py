"""``python -m bench [NAME …]``: all benchmarks but the long ones, or those named."""

import sys

from bench import evidence, filing, keeping, keys, ledger, searching, serving, telling, uploading
from bench.table import show

BENCHMARKS = {
    "evidence": evidence.measure,
    "filing": filing.measure,
    "keeping": keeping.measure,
    "keys": keys.measure,
    "ledger": ledger.measure,
    "searching": searching.measure,
    "serving": serving.measure,
    "telling": telling.measure,
    "uploading": uploading.measure,
}
# Only when they are named: they take an hour and more.
LONG = {"searching-100000": searching.measure_many}
# A part of another, alone.
PARTS = {"searching-long": searching.measure_long}


def main(names: list[str]) -> None:
    for name in names or BENCHMARKS:
        print(f"\n{name}")
        show((BENCHMARKS | LONG | PARTS)[name]())


main(sys.argv[1:])
