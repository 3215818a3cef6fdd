"""Run every benchmark, one after the other, and print what each says: python -m benchmarks"""

import subprocess
import sys
from pathlib import Path

SCRIPTS = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> None:
    """Run them all; the status is that of the first one that failed."""
    for script in SCRIPTS:
        print(f"\n{script}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{script}"], check=False)
        if done.returncode:
            raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
