#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command's interface, from outside: help, exit statuses, one-line complaints, what passes through to the program.

Usage: test_cli.py SNARL PROGRAMS [unittest arguments]. PROGRAMS is programs.c, built.
"""
import json
import os
import pty
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SNARL, PROGRAMS = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
COMMANDS = ["run", "record", "analyze", "graph", "dump", "info"]
LIMIT = 60  # seconds until a hang of the command itself is a failure


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="snarl-cli-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.scratch = self.path("tmp")
        os.mkdir(self.scratch)
        self.environment = {**os.environ, "TMPDIR": self.scratch}
        for name in ("CI", "LD_PRELOAD", "SNARL_TRACE", "SNARL_LIBDIR"):
            self.environment.pop(name, None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def snarl(self, *words, **options):
        options.setdefault("cwd", self.folder)
        options.setdefault("env", self.environment)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.run([SNARL, *words], text=True, timeout=LIMIT, **options)

    def start(self, *words, **options):
        process = subprocess.Popen([SNARL, *words], text=True, cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def refused(self, status, part, *words, **options):
        """Exits with `status` and one line that has `part`."""
        result = self.snarl(*words, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("snarl: "), lines)
        self.assertIn(part, lines[0])
        self.assertEqual(os.listdir(self.scratch), [], "left a temporary directory")
        return result

    def record(self, *words):
        trace = self.path("recorded")
        result = self.snarl("record", "-o", trace, "--", *words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return trace

    def compile(self, name, *flags, text="int main(void) { return 0; }\n"):
        binary = self.path(name)
        result = subprocess.run(["gcc", "-x", "c", "-", "-o", binary, *flags], input=text, text=True,
                                stderr=subprocess.PIPE, check=False)
        if result.returncode:
            self.skipTest("cannot build with " + " ".join(flags))
        return binary


class Help(Case):
    def test_help_of_everything(self):
        whole = self.snarl("--help")
        self.assertEqual((whole.returncode, whole.stderr), (0, ""))
        for command in COMMANDS:
            self.assertIn("\n  " + command, whole.stdout)
            for words in ([command, "--help"], [command, "-h"], ["help", command]):
                result = self.snarl(*words)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertTrue(result.stdout.startswith("Usage: snarl " + command))
                for line in result.stdout.splitlines():
                    self.assertLessEqual(len(line), 100, line)

    def test_version(self):
        self.assertRegex(self.snarl("--version").stdout, r"^snarl \d+\.\d+\.\d+\n$")

    def test_no_command(self):
        result = self.snarl()
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("Usage:", result.stderr)

    def test_full_device(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            self.refused(1, "No space left", "--help", stdout=full)


class Usage(Case):
    def test_usage_errors(self):
        self.refused(2, "no command 'prog'", "prog")
        self.refused(2, "not in this version", "pack", "x")
        self.refused(2, "not in this version", "c++", "x")
        self.refused(2, "--nonsense", "run", "--nonsense", "true")
        self.refused(2, "wants a program", "run")
        self.refused(2, "wants a program", "record", "--")
        self.refused(2, "wants a trace", "analyze")
        self.refused(2, "one trace, not 2", "info", "a", "b")
        self.refused(2, "no format 'xml'", "run", "-f", "xml", "true")
        self.refused(2, "note|warning|error|never", "analyze", "--fail-on=big", "x")
        self.refused(2, "happens-before", "graph", "--kind=nonsense", "x")
        self.refused(2, "wants a path", "run", "-f", "json=", "true")

    def test_bad_files_are_told_before_the_program_runs(self):
        mark = self.path("mark")
        touch = ["--", "touch", mark]
        self.refused(2, "cannot read", "run", "--suppressions=/nonexistent", *touch)
        self.refused(2, "cannot read", "run", "--baseline=/nonexistent", *touch)
        for name, text in (("sup", "nonsense\n"), ("base", "{]")):
            with open(self.path(name), "w", encoding="utf-8") as out:
                out.write(text)
        self.refused(2, "sup:1: expected rule:pattern", "run", "--suppressions=sup", *touch)
        self.refused(2, "no JSON report", "run", "--baseline=base", *touch)
        self.refused(1, "there is no directory", "run", "-f", "json=/nonexistent/x", *touch)
        self.refused(1, "is a directory", "run", "-f", "json=" + self.scratch, *touch)
        self.assertFalse(os.path.exists(mark))


class Programs(Case):
    def test_missing(self):
        self.refused(127, "in no directory of PATH", "run", "--", "no-such-program")
        self.refused(127, "No such file", "run", "--", "./no-such-program")
        self.refused(127, "interpreter in its first line does not exist", "run", "--", self.script("#!/no/such\n"))

    def test_not_executable(self):
        self.refused(126, "it is a directory", "run", "--", self.folder)
        with open(self.path("data"), "w", encoding="utf-8") as out:
            out.write("data\n")
        self.refused(126, "no permission", "run", "--", "./data")
        self.refused(126, "neither a program nor a script", "run", "--", self.script("\0\1\2\3 junk\n"))
        self.refused(126, "names no interpreter", "run", "--", self.script("#!   \n"))

    def script(self, text):
        path = self.path("script")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, 0o755)
        return path

    def test_static(self):
        static = self.compile("static", "-static")
        self.refused(4, "it is statically linked", "run", "--", static)
        self.refused(4, "it is statically linked", "record", "--", static)
        self.refused(4, "it is statically linked", "run", "--", self.script("#!" + static + "\n"))
        self.assertEqual(sorted(os.listdir(self.folder)), ["script", "static", "tmp"])

    def test_static_pie(self):
        self.refused(4, "it is statically linked", "run", "--", self.compile("static-pie", "-static-pie"))

    def test_other_machine(self):
        self.refused(4, "32-bit", "run", "--", self.elf_with(4, 1))
        self.refused(4, "another kind of machine", "run", "--", self.elf_with(18, 0xFE))

    def elf_with(self, offset, value):
        with open(PROGRAMS, "rb") as source:
            content = bytearray(source.read())
        content[offset] = value
        path = self.path("elf%d" % offset)
        with open(path, "wb") as out:
            out.write(content)
        os.chmod(path, 0o755)
        return path

    def test_cut_off_program(self):
        with open(PROGRAMS, "rb") as source:
            content = source.read(80)
        with open(self.path("cut"), "wb") as out:
            out.write(content)
        os.chmod(self.path("cut"), 0o755)
        self.refused(126, "damaged", "run", "--", "./cut")

    @unittest.skipUnless(os.getuid() == 0, "only root can give files away")
    def test_setuid(self):
        owner = pwd.getpwnam("nobody")
        copy = shutil.copy("/bin/ls", self.path("setuid"))
        os.chown(copy, owner.pw_uid, owner.pw_gid)
        os.chmod(copy, 0o4755)
        self.refused(4, "it is setuid", "run", "--", copy)
        os.chmod(copy, 0o2755)
        self.refused(4, "it is setgid", "run", "--", copy)
        os.chown(copy, 0, 0)
        os.chmod(copy, 0o4755)
        self.assertEqual(self.snarl("run", "--", copy).returncode, 0, "our own right is none to gain")

    def test_script_without_interpreter_line(self):
        result = self.snarl("run", "--", self.script('echo "$0|$1|$2"; exit 5\n'), "a b", "c")
        self.assertEqual((result.returncode, result.stdout), (5, self.path("script") + "|a b|c\n"))

    def test_script_with_interpreter(self):
        result = self.snarl("run", "--", self.script("#!/usr/bin/python3\nimport sys\nsys.exit(len(sys.argv))\n"), "a")
        self.assertEqual(result.returncode, 2, result.stderr)

    def test_missing_library(self):
        self.environment["SNARL_LIBDIR"] = self.scratch
        self.refused(1, "cannot find libsnarl-preload.so", "run", "--", "true")

    def test_library_in_a_folder_with_blanks_and_colons(self):
        folder = self.path("my lib:s")
        os.mkdir(folder)
        libraries = os.path.join(os.path.dirname(os.path.dirname(SNARL)), "lib")
        for name in os.listdir(libraries):
            if name.startswith("libsnarl-") and ".so" in name:
                os.symlink(os.path.join(libraries, name), os.path.join(folder, name))
        self.environment["SNARL_LIBDIR"] = folder
        result = self.snarl("run", "-f", "json", "--", PROGRAMS, "fine")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(json.loads(result.stdout)["stats"]["records"], 400)
        self.assertEqual(result.stderr, "")


class PassThrough(Case):
    def test_exit_status(self):
        for status in (0, 1, 3, 66, 127, 255):
            self.assertEqual(self.snarl("run", "--", PROGRAMS, "exit", str(status)).returncode, status)
        self.assertEqual(self.snarl("record", "--", PROGRAMS, "exit", "9").returncode, 9)

    def test_death_by_signal(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGPIPE):
            self.assertEqual(self.snarl("run", "--", PROGRAMS, "die", str(int(number))).returncode, -number)

    def test_streams(self):
        result = self.snarl("run", "--", "sh", "-c", "cat; echo problem >&2", input="one\ntwo\n")
        self.assertEqual(result.stdout, "one\ntwo\n")
        self.assertTrue(result.stderr.startswith("problem\n"), result.stderr)

    def test_closed_streams_stay_closed(self):
        script = '%s run -- sh -c \'[ ! -e /proc/self/fd/0 ] && [ ! -e /proc/self/fd/1 ] && exit 42\' <&- >&-' % SNARL
        result = subprocess.run(["sh", "-c", script], env=self.environment, stderr=subprocess.PIPE, timeout=LIMIT,
                                check=False)
        self.assertEqual(result.returncode, 42, result.stderr)

    def test_environment(self):
        self.environment.update(LD_PRELOAD="/lib/x86_64-linux-gnu/libm.so.6", DEBUGINFOD_URLS="http://x.invalid")
        result = self.snarl("run", "--", "env")
        lines = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
        self.assertTrue(lines["LD_PRELOAD"].endswith("libsnarl-preload.so:/lib/x86_64-linux-gnu/libm.so.6"))
        self.assertTrue(lines["SNARL_TRACE"].startswith("/"))
        self.assertEqual(lines["DEBUGINFOD_URLS"], "http://x.invalid")

    def test_signals_are_passed_on(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            process = self.start("run", "--", PROGRAMS, "signal")
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(number)
            out, errors = process.communicate(timeout=LIMIT)
            self.assertEqual((out, process.returncode), ("signal %d\n" % number, 3), errors)

    def test_terminal(self):
        """^C reaches the program once, from the terminal; snarl waits for it and ends as it does."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(SNARL, [SNARL, "run", "--", PROGRAMS, "count"], self.environment)
        text = b""
        while b"ready" not in text:
            text += os.read(terminal, 100)
        os.write(terminal, b"\x03")
        while b"first" not in text:
            text += os.read(terminal, 100)
        os.write(terminal, b"\x1c")
        try:
            while b"total" not in text:
                text += os.read(terminal, 100)
        finally:
            _, status = os.waitpid(child, 0)
            os.close(terminal)
        self.assertIn(b"total 1 1", text)
        self.assertEqual(os.waitstatus_to_exitcode(status), 5)

    def test_ignored_signals_stay_ignored(self):
        ignore = lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        result = self.snarl("run", "--", "sh", "-c", "kill -USR1 $PPID; kill -USR1 $$; exit 4", preexec_fn=ignore)
        self.assertEqual(result.returncode, 4, result.stderr)

    def test_ignored_child_deaths(self):
        ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self.assertEqual(self.snarl("run", "--", PROGRAMS, "exit", "6", preexec_fn=ignore).returncode, 6)


class Traces(Case):
    def test_recording(self):
        trace = self.record(PROGRAMS, "fine")
        self.assertTrue(os.listdir(trace))
        info = self.snarl("info", trace)
        self.assertEqual((info.returncode, info.stderr), (0, ""))
        self.assertIn("processes: 1\n", info.stdout)
        self.assertIn("threads: 3\n", info.stdout)
        self.assertRegex(info.stdout, r"mutexes +2\n")
        self.assertRegex(info.stdout, r"mutex-acquired +400\n")
        self.assertIn("missing records: 0\ncomplete: yes\n", info.stdout)
        dump = self.snarl("dump", trace)
        self.assertEqual((dump.returncode, dump.stderr), (0, ""))
        self.assertEqual(dump.stdout.count(" mutex-acquired"), 400)
        self.assertIn("# process 0: pid ", dump.stdout)
        self.assertEqual(self.snarl("analyze", trace).returncode, 0)

    def test_what_cannot_be_seen_is_said(self):
        trace = self.record(PROGRAMS, "futex")
        self.assertIn("not seen: who holds the locks of 1 wait on bare futexes, from 1 place", self.snarl("info", trace).stdout)
        self.assertRegex(self.snarl("analyze", trace).stderr + self.snarl("analyze", trace).stdout,
                         r"Not seen: 1 wait on futexes .*, at 1 place:\n +futex \(.*programs\.c:\d+\): 1 wait\n")
        (unseen,) = json.loads(self.snarl("analyze", "-f", "json", trace).stdout)["unseen"]
        self.assertEqual((unseen["waits"], unseen["sites"][0]["function"]), (1, "futex"))

    def test_nothing_is_said_when_all_is_seen(self):
        trace = self.record(PROGRAMS, "fine")
        self.assertNotIn("not seen", self.snarl("info", trace).stdout)
        self.assertEqual(json.loads(self.snarl("analyze", "-f", "json", trace).stdout)["unseen"], [])

    def test_default_names(self):
        for _ in range(3):
            self.assertEqual(self.snarl("record", "--", "true").returncode, 0)
        names = sorted(name for name in os.listdir(self.folder) if name.endswith(".trace"))
        self.assertEqual(names, ["snarl-true-2.trace", "snarl-true-3.trace", "snarl-true.trace"])

    def test_existing_directories(self):
        empty = self.path("empty")
        os.mkdir(empty)
        self.assertEqual(self.snarl("run", "-o", empty, "--", "true").returncode, 0)
        self.assertTrue(os.listdir(empty))
        before = os.listdir(empty)
        self.refused(3, "holds a trace already", "run", "-o", empty, "--", "true")
        self.assertEqual(os.listdir(empty), before)
        self.assertEqual(self.snarl("run", "--force", "-o", empty, "--", "true").returncode, 0)
        self.assertNotEqual(os.listdir(empty), before)
        with open(os.path.join(empty, "letter.txt"), "w", encoding="utf-8") as out:
            out.write("dear diary")
        self.refused(3, "files that are no trace", "run", "--force", "-o", empty, "--", "true")
        self.assertIn("letter.txt", os.listdir(empty))

    def test_impossible_directories(self):
        self.refused(3, "No such file", "record", "-o", "/nonexistent/trace", "--", "true")
        self.refused(3, "not a directory", "record", "-o", PROGRAMS, "--", "true")
        result = self.snarl("run", "--", "true", env={**self.environment, "TMPDIR": "/nonexistent"})
        self.assertEqual(result.returncode, 3)
        self.assertIn("set TMPDIR", result.stderr)

    @unittest.skipUnless(os.getuid() == 0, "gives up root's rights")
    def test_no_permission(self):
        owner = pwd.getpwnam("nobody")
        readonly = self.path("readonly")
        os.mkdir(readonly, 0o755)
        os.chmod(self.folder, 0o755)
        become = lambda: os.setuid(owner.pw_uid)
        self.refused(3, "Permission denied", "record", "-o", readonly, "--", "/bin/true", preexec_fn=become, cwd="/")
        self.refused(3, "Permission denied", "record", "-o", readonly + "/t", "--", "/bin/true", preexec_fn=become,
                     cwd="/")

    def test_unreadable_traces(self):
        empty = self.path("nothing")
        os.mkdir(empty)
        with open(self.path("junk.snarl"), "wb") as out:
            out.write(b"junk" * 5000)
        for command in ("analyze", "graph", "dump", "info"):
            self.refused(3, "nonexistent", command, "/nonexistent")
            self.refused(3, "nothing", command, empty)
            self.refused(3, "junk.snarl", command, "junk.snarl")

    def test_damaged_trace(self):
        trace = self.record(PROGRAMS, "fine")
        name = os.path.join(trace, os.listdir(trace)[0])
        with open(name, "r+b") as out:
            out.truncate(6000)
        result = self.snarl("analyze", trace)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        self.assertTrue(result.stderr or "complete" in result.stdout or "missing" in result.stdout, result)

    def test_good_traces_are_analyzed_beside_bad_ones(self):
        trace = self.record(PROGRAMS, "fine")
        result = self.snarl("analyze", "/nonexistent", trace)
        self.assertEqual(result.returncode, 3)
        self.assertIn("recorded", result.stdout)

    def test_several_traces(self):
        trace = self.record(PROGRAMS, "fine")
        result = self.snarl("analyze", "-f", "json", trace, trace)
        self.assertEqual(result.returncode, 0, result.stderr)
        decoder, rest, found = json.JSONDecoder(), result.stdout.strip(), 0
        while rest:
            report, end = decoder.raw_decode(rest)
            self.assertEqual(report["snarl"], 1)
            rest, found = rest[end:].strip(), found + 1
        self.assertEqual(found, 2)
        self.refused(2, "takes one trace", "analyze", "-f", "svg=x", trace, trace)

    def test_same_trace_same_report(self):
        trace = self.record(PROGRAMS, "fine")
        for format_name in ("text", "json"):
            self.assertEqual(self.snarl("analyze", "-f", format_name, trace).stdout,
                             self.snarl("analyze", "-f", format_name, trace).stdout)

    def test_killed_program_leaves_a_whole_trace(self):
        trace = self.path("killed")
        process = self.start("record", "-o", trace, "--", PROGRAMS, "hang")
        self.assertEqual(process.stdout.readline(), "ready\n")
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid), encoding="ascii") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        info = self.snarl("info", trace)
        self.assertRegex(info.stdout, r"mutex-acquired +400\n")
        self.assertEqual(self.snarl("analyze", trace).returncode, 0)

    def test_command_that_is_killed_leaves_a_whole_trace(self):
        trace = self.path("killed")
        process = self.start("run", "-o", trace, "--", PROGRAMS, "hang")
        self.assertEqual(process.stdout.readline(), "ready\n")
        with open("/proc/%d/task/%d/children" % (process.pid, process.pid), encoding="ascii") as children:
            program = int(children.read().split()[0])
        process.kill()
        process.wait(timeout=LIMIT)
        os.kill(program, signal.SIGKILL)
        self.assertRegex(self.snarl("info", trace).stdout, r"mutex-acquired +400\n")

    def test_reader_that_goes_away(self):
        trace = self.record(PROGRAMS, "fine")
        script = "%s dump %s | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}" % (SNARL, trace)
        result = subprocess.run(["bash", "-c", script], stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
        self.assertIn(result.returncode, (0, 141), result.stderr)
        self.assertEqual(result.stderr, "")

    def test_full_device(self):
        trace = self.record(PROGRAMS, "fine")
        with open("/dev/full", "w", encoding="utf-8") as full:
            for command in ("dump", "info", "analyze"):
                self.refused(1, "No space left", command, trace, stdout=full)


class Outputs(Case):
    def test_files_appear_whole(self):
        self.environment["CI"] = "false"
        result = self.snarl("run", "-f", "json=report.json", "-f", "text=report.txt", "--", PROGRAMS, "fine")
        self.assertEqual((result.returncode, result.stderr, result.stdout), (0, "", ""))
        with open(self.path("report.json"), encoding="utf-8") as report:
            self.assertEqual(json.load(report)["findings"], [])
        self.assertEqual(sorted(os.listdir(self.folder)), ["report.json", "report.txt", "tmp"])
        self.assertEqual(os.listdir(self.scratch), [])

    def test_links_are_followed(self):
        with open(self.path("old"), "w", encoding="utf-8") as out:
            out.write("old")
        os.symlink("old", self.path("link"))
        self.assertEqual(self.snarl("run", "-f", "json=link", "--", "true").returncode, 0)
        self.assertTrue(os.path.islink(self.path("link")))
        with open(self.path("old"), encoding="utf-8") as report:
            json.load(report)

    def test_device(self):
        self.assertEqual(self.snarl("run", "-f", "json=/dev/null", "--", "true").returncode, 0)
        self.assertTrue(os.path.exists("/dev/null"))
        self.refused(1, "No space left", "run", "-f", "json=/dev/full", "--", "true")

    def test_trouble_does_not_hide_the_programs_failure(self):
        result = self.snarl("run", "-f", "json=/dev/full", "--", PROGRAMS, "exit", "7")
        self.assertEqual(result.returncode, 7)


class Deadlocks(Case):
    def test_kill(self):
        begin = time.monotonic()
        result = self.snarl("run", "--on-deadlock=kill", "-o", "trace", "-f", "text", "-f", "json=r.json", "--",
                            PROGRAMS, "deadlock")
        self.assertEqual(result.returncode, 66, result.stderr)
        self.assertLess(time.monotonic() - begin, 10)
        with open(self.path("r.json"), encoding="utf-8") as report:
            live = json.load(report)
        self.assertIn("deadlock", [finding["rule"] for finding in live["findings"]])
        after = self.snarl("analyze", "-f", "json", "trace")
        self.assertEqual(after.returncode, 66)
        self.assertEqual(json.loads(after.stdout)["findings"], live["findings"])

    def test_continuous_integration_kills(self):
        self.environment["CI"] = "true"
        self.assertEqual(self.snarl("run", "--", PROGRAMS, "deadlock").returncode, 66)

    def test_kill_takes_the_whole_tree(self):
        script = "%s deadlock & wait" % PROGRAMS
        result = self.snarl("run", "--on-deadlock=kill", "--", "sh", "-c", script)
        self.assertEqual(result.returncode, 66, result.stderr)

    def test_report(self):
        process = self.start("run", "--on-deadlock=report", "--", PROGRAMS, "deadlock")
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "is deadlocked and left as it is" in line:
                break
        self.assertIsNone(process.poll())
        self.assertIn("deadlock", "".join(lines[:-1]))
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 66)
        self.assertIn("reported above", rest)
        self.assertEqual(os.listdir(self.scratch), [])

    def test_findings_are_left_out(self):
        first = self.snarl("run", "--on-deadlock=kill", "-o", "trace", "-f", "json=r.json", "--", PROGRAMS, "deadlock")
        self.assertEqual(first.returncode, 66, first.stderr)
        known = self.snarl("analyze", "--baseline=r.json", "trace")
        self.assertEqual(known.returncode, 0, known.stdout)
        self.assertIn("already in r.json", known.stderr)
        with open(self.path("sup"), "w", encoding="utf-8") as out:
            out.write("# known\ndeadlock:^take_both$\n")
        quiet = self.snarl("analyze", "--suppressions=sup", "trace")
        self.assertEqual(quiet.returncode, 0, quiet.stdout)
        self.assertIn("suppressed", quiet.stderr)

    def test_never_fails(self):
        self.assertEqual(self.snarl("run", "--fail-on=never", "--on-deadlock=kill", "--", PROGRAMS,
                                    "deadlock").returncode, -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
