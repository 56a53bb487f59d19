"""`python -m benchmarks [NAME…]`: runs `main()` of each `bench_<name>.py` here, or of those named."""

import sys
from importlib import import_module
from pathlib import Path

PREFIX = "bench_"


def names() -> list[str]:
    return sorted(path.stem.removeprefix(PREFIX) for path in Path(__file__).parent.glob(f"{PREFIX}*.py"))


def main(wanted: list[str]) -> None:
    known = names()
    if unknown := set(wanted) - set(known):
        sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(known) or 'none yet'}.")
    if not known:
        print("There are no benchmarks yet.")
    for name in wanted or known:
        print(f"== {name}", flush=True)
        import_module(f"benchmarks.{PREFIX}{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
