#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run_program.py SNARL PROGRAM ENDS|HANGS RULES WHO: runs PROGRAM under `snarl run` and checks the exit status and the findings
against its row of programs.cmake; then analyzes the trace alone, which must find the same."""
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter


def fail(report, why):
    print(why)
    for finding in report["findings"]:
        print(f'  {finding["rule"]} {finding["verdict"]}: {finding["title"]}\n    {finding["reason"]}')
        print("    " + ", ".join(f'{thread["name"]} {thread["pid"]}/{thread["tid"]}' for thread in finding["threads"]))
    sys.exit(1)


def names_right(finding, who):
    """The wanted threads, and of others only main ones that wait for them."""
    names = Counter(thread["name"] for thread in finding["threads"])
    return not who - names and set(names - who) <= {"main"}


def check(report, hangs, rules, who):
    if not report["complete"]:
        fail(report, "the trace is not complete")
    left = list(rules)
    for finding in report["findings"]:
        for rule in (finding["rule"], f'{finding["rule"]}:{finding["verdict"]}'):
            if rule in left:
                left.remove(rule)
                if not names_right(finding, who):
                    fail(report, f"{rule} names other threads than {sorted(who.elements())}")
                break
        else:
            if not (hangs and finding["rule"] == "lock-order-cycle"):
                fail(report, f'unexpected: {finding["rule"]}')
    if left:
        fail(report, f"not found: {left}")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def main():
    snarl, program, ending, rules, who = sys.argv[1:]
    hangs = ending == "HANGS"
    rules = [] if rules == "-" else rules.split(",")
    who = Counter() if who == "-" else Counter(who.split(","))
    with tempfile.TemporaryDirectory() as directory:
        trace, live, later = (os.path.join(directory, name) for name in ("trace", "live.json", "later.json"))
        run = subprocess.run([snarl, "run", "--on-deadlock=kill", "-o", trace, "-f", f"json={live}", "--", program], timeout=20)
        if not os.path.exists(live):
            sys.exit(f"no report; snarl run ended with {run.returncode}")
        report = load(live)
        check(report, hangs, rules, who)
        if run.returncode != (66 if rules else 0):
            fail(report, f"snarl run ended with {run.returncode}")
        subprocess.run([snarl, "analyze", trace, "--fail-on=never", "-f", f"json={later}"], check=True)
        again = load(later)
        if [finding["id"] for finding in again["findings"]] != [finding["id"] for finding in report["findings"]]:
            fail(again, "the trace alone tells something else")


main()
