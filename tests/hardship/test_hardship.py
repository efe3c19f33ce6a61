#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What can go wrong while recording: the program goes on unharmed, and the trace says what is missing.

Usage: test_hardship.py SNARL BUSY [unittest arguments]. BUSY is busy.c, built.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SNARL, BUSY = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LIMIT = 60
CALLS = {"read": 0, "write": 1, "close": 3, "fstat": 5, "mmap": 9, "munmap": 11, "rt_sigprocmask": 14, "pwrite64": 18, "mremap": 25,
         "mincore": 27, "madvise": 28, "getpid": 39, "getppid": 110, "fcntl": 72, "sched_yield": 24, "gettid": 186, "openat": 257,
         "readlinkat": 267, "fallocate": 285, "pipe2": 293, "prlimit64": 302, "futex": 202, "exit_group": 231, "newfstatat": 262,
         "rt_sigreturn": 15, "clock_gettime": 228}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="snarl-hardship-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.trace = os.path.join(self.folder, "trace")

    def snarl(self, *words):
        return subprocess.run([SNARL, *words], text=True, timeout=LIMIT, capture_output=True, check=False)

    def busy(self, *words):
        """Runs alone and recorded, which must be the same; returns what `snarl record` says."""
        native = subprocess.run([BUSY, *words], text=True, timeout=LIMIT, capture_output=True, check=False)
        if native.returncode == 77:
            self.skipTest(native.stderr.strip())
        self.assertEqual((native.returncode, native.stderr), (7, ""), words)
        recorded = self.snarl("record", "-o", self.trace, "--", BUSY, *words)
        self.assertEqual((recorded.returncode, recorded.stdout), (native.returncode, native.stdout), recorded.stderr)
        return recorded.stderr

    def report(self):
        analyzed = self.snarl("analyze", "-f", "json", "--fail-on=note", self.trace)
        self.assertEqual((analyzed.returncode, analyzed.stderr), (0, ""), analyzed.stdout)
        return json.loads(analyzed.stdout)

    def assert_whole(self):
        report = self.report()
        self.assertEqual((report["complete"], report["problems"], report["dropped"]), (True, [], 0))

    def assert_stopped(self, why):
        """The same in the report and in info: since when, why, how much."""
        report = self.report()
        self.assertFalse(report["complete"])
        self.assertGreater(report["dropped"], 0)
        info = self.snarl("info", self.trace)
        self.assertEqual((info.returncode, info.stderr), (0, ""))
        pattern = r"recording stopped after [0-9.]+ s.*" + why + r".*[0-9]+ records? (is|are) missing"
        self.assertRegex("\n".join(report["problems"]), pattern)
        self.assertRegex(info.stdout, pattern)
        self.assertNotIn("missing records: 0\n", info.stdout)
        self.assertNotIn("complete: yes", info.stdout)


class Files(Case):
    def test_nothing(self):
        self.assertNotIn("missing", self.busy("nothing"))
        self.assert_whole()

    def test_full_disk(self):
        disk = os.path.join(self.folder, "disk")
        os.mkdir(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, text=True, check=False)
        if mounted.returncode:
            self.skipTest("mount is refused: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        self.trace = os.path.join(disk, "trace")
        self.busy("nothing")
        self.assert_stopped("No space left on device")

    def test_quota(self):
        self.busy("failing-call", f'{CALLS["fallocate"]}:122')
        self.assert_stopped("Disk quota exceeded")

    def test_file_size_limit(self):
        self.busy("small-files", "400000")
        self.assert_stopped("File too large")

    def test_trace_removed(self):
        """What lies in the open file goes on and is lost with it; the child cannot begin one."""
        said = self.busy("no-trace")
        self.assertEqual(len(said.splitlines()), 1, said)
        self.assertEqual(self.snarl("info", self.trace).returncode, 3)


class Limits(Case):
    def test_no_descriptors(self):
        """The file is open already; a child has none."""
        self.busy("no-descriptors")
        report = self.report()
        self.assertIn("1 forked process left no records", "\n".join(report["problems"]))
        self.assertEqual(report["dropped"], 0)

    def test_little_memory(self):
        self.busy("little-memory", "100000", "alone")
        self.assert_stopped("Cannot allocate memory")

    def test_no_proc(self):
        self.busy("no-proc")
        self.assert_whole()


class Calls(Case):
    """System calls that a filter of the program forbids."""

    STOPS = {"mmap": "Operation not permitted", "fallocate": "Operation not permitted"}
    HARMLESS = ["openat", "munmap", "madvise", "rt_sigprocmask", "pwrite64", "fcntl", "mincore", "pipe2", "readlinkat", "gettid",
                "getppid", "sched_yield", "prlimit64"]

    def test_harmless(self):
        for call in self.HARMLESS:
            with self.subTest(call=call):
                shutil.rmtree(self.trace, ignore_errors=True)
                self.busy("failing-call", f"{CALLS[call]}:1", "alone")
                self.assert_whole()

    def test_stopping(self):
        for call, why in self.STOPS.items():
            with self.subTest(call=call):
                shutil.rmtree(self.trace, ignore_errors=True)
                self.busy("failing-call", f"{CALLS[call]}:1", "alone")
                self.assert_stopped(why)

    def test_unknown_to_the_kernel(self):
        """fallocate answers ENOSYS: zeros are written instead."""
        self.busy("failing-call", f'{CALLS["fallocate"]}:38')
        self.assert_whole()

    def test_only_what_is_documented(self):
        """A filter that kills for any call but the program's own and those that trace/recorder/README.md names."""
        readme = os.path.join(os.path.dirname(__file__), "../../trace/recorder/README.md")
        with open(readme, encoding="utf-8") as file:
            (line,) = [line for line in file if line.startswith("After the start: ")]
        ours = re.findall(r"`([a-z0-9_]+)`", line)
        programs = ["futex", "write", "exit_group", "newfstatat", "fstat", "rt_sigreturn", "clock_gettime"]
        self.busy("forbidden-calls", ",".join(str(CALLS[call]) for call in ours + programs), "alone")
        self.assert_whole()


class Deaths(Case):
    def test_killed_children(self):
        self.busy("killed-children")
        report = self.report()
        self.assertEqual((report["problems"], report["dropped"], len(report["processes"])), ([], 0, 42))


class Command(Case):
    def test_processes_that_run_already(self):
        for command in ("record", "run"):
            refused = self.snarl(command, "--pid", "1")
            self.assertEqual((refused.returncode, len(refused.stderr.splitlines())), (2, 1), refused.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
