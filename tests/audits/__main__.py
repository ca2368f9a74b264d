"""`uv run python -m tests.audits [NAME ...] [--count N]`

One JSON line per audit on stdout, progress on stderr, exit 0 whatever they find: `ok` tells.
"""

import argparse
import os
import signal
import sys
from types import FrameType

import django

from tests.audits.home import private_home


def main() -> None:
    signal.signal(signal.SIGTERM, _leave)
    with private_home() as home:
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        os.environ["DJANGO_DEBUG"] = "0"
        django.setup()
        # Only now: the audits import models.
        from tests.audits.catalogue import AUDITS
        from tests.audits.findings import Request
        from tests.audits.scene import set_up

        arguments = _arguments(known=list(AUDITS))
        set_up()
        for name in arguments.names or AUDITS:
            finding = AUDITS[name](Request(home=home, count=arguments.count))
            sys.stdout.write(finding.line() + "\n")
            sys.stdout.flush()


def _arguments(*, known: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.audits", description="What is too long for CI.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones; all by default: {', '.join(known)}")
    parser.add_argument("--count", type=_positive, help="how often, instead of as often as each claims")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in known]:
        parser.error(f"NAME: there is no audit {unknown[0]!r}; choose from {', '.join(known)}.")
    return arguments


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number.")
    return int(text)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    main()
