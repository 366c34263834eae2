"""``python -m bench [NAME …]``: all benchmarks, or those named."""

import sys

from bench import filing, keys, ledger, serving
from bench.table import show

BENCHMARKS = {
    "filing": filing.measure,
    "keys": keys.measure,
    "ledger": ledger.measure,
    "serving": serving.measure,
}


def main(names: list[str]) -> None:
    for name in names or BENCHMARKS:
        print(f"\n{name}")
        show(BENCHMARKS[name]())


main(sys.argv[1:])
