#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Programs that run on CPython: what a report says about them, and that they behave as without us.

Usage: test_python.py SNARL [unittest arguments]. SNARL_TEST_PYTHON names another interpreter than the system's.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SNARL, HERE = os.path.abspath(sys.argv[1]), os.path.dirname(os.path.abspath(__file__))
PYTHON = os.environ.get("SNARL_TEST_PYTHON", "/usr/bin/python3")
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


def python_frames(stack):  # qualified names are there from 3.11 on
    return [(frame["function"].rpartition(".")[2], os.path.basename(frame["file"]), frame["line"]) for frame in stack
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
            ("clerk-ben", "wants"): [at("inner", "inner"), at("<lambda>", "lambda"),
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
            self.assertIn("_bootstrap", [frame["function"].rpartition(".")[2] for frame in step["stack"]])

    def test_waits_without_the_interpreters_lock(self):
        finding = self.finding("deadlock", "waits.py")
        sites = {python_frames(step["stack"])[0] for step in finding["steps"]}
        self.assertLessEqual({("main", "waits.py", line_of("waits.py", "waits")),
                              ("child", "waits.py", line_of("waits.py", "wants"))}, sites)

    def test_fingerprint_does_not_depend_on_addresses(self):
        self.assertEqual(*(self.finding("lock-order-cycle", "accounts.py")["id"] for _ in range(2)))


class Names(Case):
    def names(self, program):
        trace = self.path("trace")
        result = self.call(SNARL, "record", "-o", trace, "--", PYTHON, "-c", program)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = self.call(SNARL, "dump", trace).stdout.splitlines()
        return {line.split('"')[1] for line in lines if " thread-named " in line}

    def test_threads(self):
        names = self.names("""
import threading, concurrent.futures
def body(): threading.Lock()
for thread in threading.Thread(target=body, name="näme"), threading.Thread(target=body, name="x" * 3000), \\
              threading.Timer(0, body), threading.Thread(target=body, name="Thread-2", daemon=True):
    thread.start(); thread.join()
with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="pool") as pool: pool.submit(body)
""")
        self.assertEqual(names, {"MainThread", "näme", "x" * 3000, "Thread-1", "Thread-2", "pool_0"})

    def test_methods_of_the_program_are_not_called(self):
        names = self.names("""
import threading
asked = []
class Own(threading.Thread):
    def __getattribute__(self, name):
        if name == "_name" and threading.get_ident() != main: asked.append(name)
        return super().__getattribute__(name)
    def run(self): threading.Lock().acquire()
main = threading.get_ident()
thread = Own(name="own")
thread.start(); thread.join()
assert not asked, asked
""")
        self.assertEqual(names, {"MainThread", "own"})

    def test_pending_error(self):
        self.assertIn("MainThread", self.names("""
import threading, ctypes
lock = threading.Lock()
try: raise KeyError(1)
except KeyError as error:
    with lock: assert error.args == (1,)
try: lock.acquire(timeout="no")
except TypeError: pass
"""))

    def test_processes(self):
        names = self.names("""
import multiprocessing, threading
def child(): threading.Lock().acquire()
for method in "fork", "spawn":
    process = multiprocessing.get_context(method).Process(target=threading.Lock, name="teller-" + method)
    process.start(); process.join()
    assert process.exitcode == 0
""")
        self.assertLessEqual({"MainThread", "teller-fork", "teller-spawn"}, names)


class Behaviour(Case):
    def same(self, *command, status=0):
        alone = self.call(*command)
        trace = self.path("trace")
        recorded = self.call(SNARL, "record", "-o", trace, "--", *command)
        shutil.rmtree(trace)
        self.assertEqual((recorded.returncode, recorded.stdout), (alone.returncode, alone.stdout), recorded.stderr)
        self.assertEqual(recorded.returncode, status, recorded.stderr)
        return recorded

    def test_everything_at_once(self):
        for options in [], ["-S", "-E"], ["-X", "dev"]:
            with self.subTest(options=options):
                self.same(PYTHON, *options, os.path.join(HERE, "stress.py"))

    def test_one_liners(self):
        self.same(PYTHON, "-S", "-E", "-c", "print(1)")
        self.same(PYTHON, "-I", "-c", "import threading; threading.Thread(target=print, args=[2]).start()")
        self.same(PYTHON, "-c", "import sys; sys.exit(7)", status=7)
        self.same(PYTHON, "-c", "import os; os.execv('/bin/echo', ['echo', 'replaced'])")
        self.same(PYTHON, "-c", "import os, threading; threading.Lock().acquire(); os.abort()", status=-6)
        self.same(PYTHON, "-X", "tracemalloc=3", "-c", "import threading; threading.Thread(target=print).start()")

    def test_daemon_threads_at_the_end(self):
        program = """
import threading
lock = threading.Lock()
def spin():
    while True:
        with lock: pass
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
for _ in range(4): threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
        for _ in range(5):
            self.same(PYTHON, "-c", program)

    def test_recursion_deeper_than_a_stack_is_recorded(self):
        self.same(PYTHON, "-c", """
import sys, threading
sys.setrecursionlimit(5000)
lock = threading.RLock()
def down(n):
    with lock: return down(n - 1) + 1 if n else 0
print(down(3000))
""")

    def test_interpreter_in_a_c_program(self):
        text = """
#include <Python.h>
#include <pthread.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *body(void *unused) {
  PyGILState_STATE state = PyGILState_Ensure();
  PyRun_SimpleString("import threading\\nwith threading.Lock(): print(threading.current_thread().name)");
  PyGILState_Release(state);
  return unused;
}
int main(void) {
  for (int round = 0; round < 3; round++) {
    pthread_mutex_lock(&mutex);
    Py_Initialize();
    PyThreadState *saved = PyEval_SaveThread();
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
    pthread_join(thread, NULL);
    PyEval_RestoreThread(saved);
    Py_Finalize();
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}
"""
        self.same(self.compile(text, "-I/usr/include/python3.11", "-lpython3.11"))

    def test_functions_of_the_same_names(self):
        names = ["PyGILState_Check", "PyGILState_GetThisThreadState", "_PyThreadState_UncheckedGet", "PyEval_GetGlobals",
                 "PyEval_GetBuiltins", "PyCode_Addr2Line", "PyUnicode_GetLength", "PyUnicode_ReadChar",
                 "_PyEval_EvalFrameDefault"]
        text = "#include <pthread.h>\nlong PyCode_Type[64], PyUnicode_Type[64], Py_Version = 0x030b02f0;\n"
        text += "const char *Py_GetVersion(void) { return \"3.11\"; }\n"
        text += "".join("void *%s(void *a) { return RETURNED; }\n" % name for name in names[:-1])
        text += """
void *_PyEval_EvalFrameDefault(void *a) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  return (char *)a + pthread_mutex_unlock(&mutex);
}
int main(void) { return _PyEval_EvalFrameDefault(0) != 0; }
"""
        for returned in "(void *)8", "(void *)~0ul", "PyCode_Type", "(void *)pthread_self()", "a":
            with self.subTest(returned=returned):
                self.same(self.compile(text, "-rdynamic", "-pthread", "-w", "-DRETURNED=" + returned))

    def compile(self, text, *flags):
        binary = self.path("program")
        subprocess.run(["gcc", "-O0", "-x", "c", "-", "-o", binary, *flags], input=text, text=True, check=True)
        return binary


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
