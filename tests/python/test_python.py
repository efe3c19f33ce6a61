#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that run on CPython: what a report says about them, and that they behave as without us.

Usage: test_python.py SNARL [unittest arguments].
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SNARL, HERE, PYTHON = os.path.abspath(sys.argv[1]), os.path.dirname(os.path.abspath(__file__)), "/usr/bin/python3"
LIMIT = 120  # seconds until a hang is a failure


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="snarl-python-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        for name in ("CI", "LD_PRELOAD", "SNARL_TRACE", "SNARL_LIBDIR"):
            self.environment.pop(name, None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def call(self, *words, **options):
        return subprocess.run(words, text=True, timeout=LIMIT, cwd=self.folder, env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def report(self, *command):
        result = self.call(SNARL, "run", "--on-deadlock=kill", "-f", "json=report.json", "--", *command)
        with open(self.path("report.json"), encoding="utf-8") as report:
            return json.load(report), result

    def finding(self, rule, program):
        report, result = self.report(PYTHON, os.path.join(HERE, program))
        found = [finding for finding in report["findings"] if finding["rule"] == rule]
        self.assertEqual(len(found), 1, result.stderr)
        return found[0]


def line_of(program, mark):
    with open(os.path.join(HERE, program), encoding="utf-8") as source:
        found = [number for number, line in enumerate(source, 1) if line.rstrip().endswith("# LINE " + mark)]
    assert len(found) == 1, mark
    return found[0]


def python_frames(stack):
    return [(frame["function"], os.path.basename(frame["file"]), frame["line"]) for frame in stack
            if frame["file"].endswith(".py") and not frame["internal"]]


class Frames(Case):
    def steps(self, finding):
        return {(finding["threads"][step["thread"]]["name"], step["op"]): python_frames(step["stack"])
                for step in finding["steps"]}

    def test_functions_and_lines(self):
        program = "accounts.py"
        at = lambda function, mark: (function, program, line_of(program, mark))
        self.assertEqual(self.steps(self.finding("lock-order-cycle", program)), {
            ("clerk-anna", "acquired"): [at("entries", "generator"), at("forth", "forth"), at("anna", "anna")],
            ("clerk-anna", "wants"): [at("inner", "inner"), ("entries", program, line_of(program, "generator") + 1),
                                      at("forth", "forth"), at("anna", "anna")],
            ("clerk-ben", "acquired"): [at("back", "outer"), at("ben", "ben")],
            ("clerk-ben", "wants"): [at("inner", "inner"), at("back.<locals>.<lambda>", "lambda"),
                                     at("back", "lambda"), at("ben", "ben")],
        })

    def test_labels(self):
        finding = self.finding("lock-order-cycle", "accounts.py")
        label = "lock accounts.py:%d" % line_of("accounts.py", "created")
        self.assertEqual([each["label"] for each in finding["objects"]], [label, label + " #2"])
        self.assertIn("(accounts.py:%d)" % line_of("accounts.py", "inner"), finding["message"])

    def test_the_interpreter_is_hidden_between(self):
        finding = self.finding("lock-order-cycle", "accounts.py")
        for step in finding["steps"]:
            shown = [frame for frame in step["stack"] if not frame["internal"]]
            self.assertEqual([frame for frame in shown if not frame["file"].endswith("accounts.py")], [])
            self.assertNotIn("_PyEval_EvalFrameDefault", [frame["function"] for frame in step["stack"]])
            self.assertIn("Thread._bootstrap", [frame["function"] for frame in step["stack"]])

    def test_waits_without_the_interpreters_lock(self):
        finding = self.finding("deadlock", "waits.py")
        sites = {python_frames(step["stack"])[0] for step in finding["steps"]}
        self.assertLessEqual({("main", "waits.py", line_of("waits.py", "waits")),
                              ("child", "waits.py", line_of("waits.py", "wants"))}, sites)

    def test_fingerprint_does_not_depend_on_addresses(self):
        self.assertEqual(*(self.finding("lock-order-cycle", "accounts.py")["id"] for _ in range(2)))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
