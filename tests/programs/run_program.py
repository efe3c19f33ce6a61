#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run_program.py SNARL PROGRAM ENDS|HANGS RULES WHO: runs PROGRAM under `snarl run` and checks the exit status and the findings
against its row of programs.cmake; then analyzes the trace alone, which must find the same."""
import json
import os
import re
import signal
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


def name_of(thread):
    """The name without what tells it from others: "worker" of "T3 (worker)", "main" of "main [1234]"."""
    return re.sub(r"^T\d+ \((.*)\)$", r"\1", re.sub(r" \[\d+\]$", "", thread["name"]))


def run_to_end(command, directory):
    """The exit status; a hang that is not noticed is ended here, with everything that it started."""
    process = subprocess.Popen(command, start_new_session=True, env={**os.environ, "TMPDIR": directory})
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        sys.exit("still running after 20 s")


def command_of(program):
    return ["/usr/bin/python3", program] if program.endswith(".py") else [program]


def names_right(finding, who):
    """The wanted threads, and of others only main ones that wait for them."""
    names = Counter(name_of(thread) for thread in finding["threads"])
    return not who - names and set(names - who) <= {"main"}


def check(report, hangs, rules, who):
    if not report["complete"]:
        fail(report, "the trace is not complete")
    ended = [process["exit_status"] for process in report["processes"] if process["ended"]]
    if hangs == report["processes"][0]["ended"] or any(ended):
        fail(report, f"ended with {ended}")
    left = list(rules)
    for finding in report["findings"]:
        for rule in (finding["rule"], f'{finding["rule"]}:{finding["verdict"]}'):
            if rule in left:
                left.remove(rule)
                if not names_right(finding, who):
                    fail(report, f"{rule} names other threads than {sorted(who.elements())}")
                break
        else:
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
        status = run_to_end([snarl, "run", "--fail-on=note", "--on-deadlock=kill", "-o", trace, "-f", f"json={live}",
                             "--", *command_of(program)], directory)
        if not os.path.exists(live):
            sys.exit(f"no report; snarl run ended with {status}")
        report = load(live)
        check(report, hangs, rules, who)
        if status != (66 if rules else 0):
            fail(report, f"snarl run ended with {status}")
        subprocess.run([snarl, "analyze", trace, "--fail-on=never", "-f", f"json={later}"], check=True)
        again = load(later)
        if [finding["id"] for finding in again["findings"]] != [finding["id"] for finding in report["findings"]]:
            fail(again, "the trace alone tells something else")


main()
