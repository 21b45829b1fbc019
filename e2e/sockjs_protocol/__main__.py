"""A conformance suite for SockJS servers.

    python3 e2e/sockjs_protocol [--verbose] [PART OF A TEST'S NAME]...

Those tests that wait for a timer run beside the others, each in a thread of its own.
"""

import argparse
import queue
import sys
import threading
import time
import unittest
from pathlib import Path

import services

# How many of the tests that wait for nothing run at once.
WORKERS = 3


def main():
    parser = argparse.ArgumentParser(description="A conformance suite for SockJS servers.")
    parser.add_argument("--verbose", action="store_true", help="name each test with its outcome")
    parser.add_argument("parts", nargs="*", metavar="PART", help="only tests whose name has one of these in it")
    options = parser.parse_args()
    suite = unittest.TestLoader().discover(str(Path(__file__).parent))
    tests = [test for test in flat(suite) if chosen(test, options.parts)]
    if not tests:
        parser.error("no test has such a name")
    started = time.monotonic()
    services.shared()
    results = run(tests, options.verbose)
    faults = [fault for result in results for fault in result.failures + result.errors]
    skipped = [skip for result in results for skip in result.skipped]
    for test, trace in faults:
        print(f"\n{'=' * 100}\n{test}\n{trace}")
    failed = sum(not result.wasSuccessful() for result in results)
    print(f"\n{len(tests)} tests in {time.monotonic() - started:.1f} s: {failed} failed, {len(skipped)} skipped")
    for test, reason in skipped:
        print(f"skipped {test}: {reason}")
    services.shared().stop()
    return 1 if failed else 0


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def chosen(test, parts):
    return not parts or any(part in test.id() for part in parts)


def run(tests, verbose):
    """The results of all tests."""
    waiting = [test for test in tests if getattr(test, "waits_for_timers", False)]
    others = queue.SimpleQueue()
    for test in tests:
        if test not in waiting:
            others.put(test)
    results = queue.SimpleQueue()

    def run_one(test):
        result = unittest.TestResult()
        test.run(result)
        if verbose:
            print(f"{'ok    ' if result.wasSuccessful() else 'FAILED'} {test.id()}", flush=True)
        results.put(result)

    def work():
        while True:
            try:
                test = others.get_nowait()
            except queue.Empty:
                return
            run_one(test)

    threads = [threading.Thread(target=run_one, args=(test,)) for test in waiting]
    threads += [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results.get() for _ in tests]


if __name__ == "__main__":
    sys.exit(main())
