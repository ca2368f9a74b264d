"""`uv run --group bench python -m tests.benchmarks [NAME ...] [--rows N]`

One JSON line per goal on stdout, progress on stderr, exit 0 whatever the figures say.
"""

import argparse
import os
import sys

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    django.setup()
    # Only now: the benchmarks import models.
    from tests.benchmarks.catalogue import BENCHMARKS
    from tests.benchmarks.outcomes import Request
    from tests.benchmarks.peers.tables import make_peers
    from tests.benchmarks.scratch import scratch_database
    from tests.benchmarks.stopwatch import say

    arguments = _arguments(known=list(BENCHMARKS))
    request = Request(rows=arguments.rows)
    for name in arguments.names or BENCHMARKS:
        # A database each: no benchmark's figures depend on which ones ran before it.
        with scratch_database():
            make_peers()
            say(name)
            for outcome in BENCHMARKS[name](request):
                sys.stdout.write(outcome.line() + "\n")
                sys.stdout.flush()


def _arguments(*, known: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Ratios measured in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones; all by default: {', '.join(known)}")
    parser.add_argument("--rows", type=_positive, help="another size than the one that each goal names")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"NAME: there is no benchmark {unknown[0]!r}; choose from {', '.join(known)}.")
    return arguments


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number.")
    return int(text)


if __name__ == "__main__":
    main()
