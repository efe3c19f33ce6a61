# SPDX-License-Identifier: MIT
"""libsnarl beside what else a program could use: the same work with each, in turn. Where the threads run decides more than the
library, so what hands over between threads is shown for three placements: as the scheduler likes, a processor each, all on one."""
import os
import subprocess

OPERATIONS = {"lock": 2_000_000, "lock-contended": 500_000, "rlock": 2_000_000, "read-lock": 2_000_000, "write-lock": 2_000_000,
              "semaphore": 2_000_000, "condition": 5_000, "barrier": 5_000, "queue-1x1": 1_000_000, "queue-2x2": 500_000,
              "pool": 300_000}
PLACED = {"lock-contended", "condition", "barrier", "queue-1x1", "queue-2x2", "pool"}
PYTHON = {
    "lock": "l = threading.Lock()\nfor _ in range(n): l.acquire(); l.release()",
    "rlock": "l = threading.RLock()\nfor _ in range(n): l.acquire(); l.release()",
    "semaphore": "l = threading.Semaphore()\nfor _ in range(n): l.acquire(); l.release()",
    "queue-1x1": "q = queue.Queue(1024)\nt = threading.Thread(target=lambda: [q.get() for _ in range(n)])\nt.start()\n"
                 "for i in range(n): q.put(i)\nt.join()",
    "pool": "with concurrent.futures.ThreadPoolExecutor(2) as e:\n"
            "  for f in [e.submit(int) for _ in range(n)]: f.result()",
}


def python(subject, operations):
    code = ("import concurrent.futures, queue, threading, time\n"
            f"n = {operations}\nb = time.perf_counter()\n{PYTHON[subject]}\nprint((time.perf_counter() - b) * 1e9 / n)")
    return float(subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, text=True, check=True).stdout)


def subjects(program):
    """[(subject, [peer, ...]), ...] in the program's order; the first peer is what the others are compared with."""
    found = {}
    for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
        subject, name = line.split()
        found.setdefault(subject, []).append(name)
    return found.items()


def one(program, subject, name, placement):
    if name == "python":
        return python(subject, OPERATIONS[subject] // 20)
    return float(subprocess.run([program, subject, name, placement, str(OPERATIONS[subject])], capture_output=True, text=True,
                                check=True, timeout=60).stdout)


def tables(program, rounds, measure, table, wanted):
    """Prints a table for each subject: a row for each placement, a column for each peer."""
    for subject, names in subjects(program):
        if not wanted(subject):
            continue
        if subject in PYTHON:
            names = names + ["python"]
        rows = []
        for placement in ("free", "apart", "together") if subject in PLACED else ("free",):
            peers = [name for name in names if name != "python" or placement == "free"]
            rows.append((placement, measure(rounds, peers, lambda name: one(program, subject, name, placement))))
        table(f"{subject}, recording off", "ns each", rows, names)


def is_built(build):
    return subprocess.run(["ninja", "-C", build, "bench-peers"], capture_output=True, check=False).returncode == 0


def path(build):
    return os.path.join(build, "bin", "bench-peers")
