"""Reads the suite's report: python2.7 summary.py INDEX.JSON MODE SECONDS. Exits with 1 if a case failed or is missing."""
from __future__ import print_function

import json
import sys

ACCEPTED = ("OK", "INFORMATIONAL", "NON-STRICT")
# How many cases each mode has; fewer mean that the suite left some out.
EXPECTED = {"full": 517, "quick": 283}


def natural(case):
    return [int(part) for part in case.split(".")]


def main(path, mode, seconds):
    with open(path) as report:
        cases = json.load(report)["tidings"]
    behaviors = {}
    for case, result in cases.items():
        for behavior in set((result["behavior"], result["behaviorClose"])):
            behaviors.setdefault(behavior, []).append(case)
    failed = set()
    for behavior, names in sorted(behaviors.items()):
        if behavior not in ACCEPTED:
            failed.update(names)
        if behavior not in ("OK", "INFORMATIONAL"):
            print("%s: %s" % (behavior, " ".join(sorted(names, key=natural))))
    missing = max(EXPECTED[mode] - len(cases), 0)
    print(
        "autobahn %s: %d cases, %d failed, %d missing, %d non-strict, %s s"
        % (mode, len(cases), len(failed), missing, len(behaviors.get("NON-STRICT", ())), seconds)
    )
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
