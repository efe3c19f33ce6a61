# SPDX-License-Identifier: MIT
"""libsnarl between processes beside what else a program could use. A table for each subject: a row for each peer, a column for each
placement of the processes, which decides more than the peer does. Every measurement is as long as `seconds` lets it be: how many
operations that are is known from the one before."""
import os
import re
import shutil
import statistics
import subprocess
import tempfile

PLACEMENTS = ("free", "apart", "together")
ALONE = {"value": ("free",), "process": ("free", "together")}  # where another placement is the same
FIRST = {"process": 20, "pool-1ms-chunk-1": 40, "pool-1ms-chunks": 40}  # operations before anything is known
OWN = ("snarl", "connection", "process_queue")  # peers that are ours begin with one of these
LONGEST, NOT_HERE = 40, 77
IN_PYTHON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers", "processes", "in_python.py")
PYTHON = "/usr/bin/python3"


class Peers:
    def __init__(self, build, scratch, seconds, is_cpu):
        self.program = os.path.join(os.path.abspath(build), "bin", "bench-process-peers")
        self.snarl = os.path.join(os.path.abspath(build), "bin", "snarl")
        self.scratch, self.seconds, self.is_cpu = scratch, seconds, is_cpu
        self.operations = {}

    def subjects(self):
        """{subject: [peer, ...]}; the first peer is what the others are compared with."""
        found = {}
        for command in ([self.program], [PYTHON, IN_PYTHON]):
            for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
                subject, name = line.split()
                found.setdefault(subject, []).append(name)
        return found

    def run(self, subject, name, placement, operations, trace=None):
        """(ns per operation, operations of all processes, ns of processor time per operation), or None: the system has no such
        thing."""
        command = [PYTHON, IN_PYTHON] if name.startswith("py-") else [self.program]
        environment = dict(os.environ, TMPDIR=self.scratch, **({"SNARL_TRACE": trace} if trace else {}))
        done = subprocess.run(command + [subject, name, placement, str(operations)], capture_output=True, text=True,
                              timeout=LONGEST, env=environment)
        if done.returncode == NOT_HERE:
            return None
        if done.returncode:
            raise RuntimeError(f"{subject} {name} {placement} {operations}: {done.stderr.strip()}")
        each, units, used = done.stdout.split()
        return float(each), int(units), float(used)

    def measured(self, subject, name, placement):
        key = subject, name, placement
        if key not in self.operations:
            self.operations[key] = FIRST.get(subject, 100 if name.startswith("py-") else 2000)
            if self.measured(*key) is None:
                return None
        result = self.run(*key, self.operations[key])
        if result:
            each, units, _ = result
            pairs = max(units // self.operations[key], 1)
            self.operations[key] = int(min(max(self.seconds * 1e9 / max(each * pairs, 1), 5), 3_000_000))
        return result and result[2 if self.is_cpu else 0]

    def recorded(self, subject, name, placement):
        """(ns per record that recording adds, records per operation), of two runs one after the other."""
        operations = min(self.operations.get((subject, name, placement), 2000), 1_000_000)
        trace = tempfile.mkdtemp(dir=self.scratch)
        try:
            plain, units, plain_used = self.run(subject, name, placement, operations)
            traced, _, traced_used = self.run(subject, name, placement, operations, trace)
            info = subprocess.run([self.snarl, "info", trace], capture_output=True, text=True, check=True).stdout
            records = int(re.search(r"^records: (\d+)", info, re.MULTILINE)[1])
            if "missing records: 0\n" not in info:
                raise RuntimeError(f"{subject} {name} {placement}: {info}")
            added = traced_used - plain_used if self.is_cpu else traced - plain
            return added * units / records, records / units
        finally:
            shutil.rmtree(trace, ignore_errors=True)


def show(subject, names, samples, unit):
    placements = ALONE.get(subject, PLACEMENTS)
    print(f"\n{subject} between processes, recording off ({unit} each: median, fastest; in brackets the ratio of the medians to {names[0]})")
    print(f"{'':24}" + "".join(f"{p:>36}" for p in placements))
    for name in names:
        cells = []
        for placement in placements:
            got, base = samples[placement][name], samples[placement][names[0]]
            cells.append(f"{statistics.median(got):.1f} {min(got):.1f} ({statistics.median(got) / statistics.median(base):.3f})"
                         if got and base else "-")
        print(f"{name:24}" + "".join(f"{c:>36}" for c in cells), flush=True)


def show_recorded(peers, rounds, subject, names):
    for name in names:
        for placement in ALONE.get(subject, PLACEMENTS):
            each, many = zip(*[peers.recorded(subject, name, placement) for _ in range(rounds)])
            print(f"{subject + ' ' + name:40}{placement:10}{statistics.median(each):10.1f}{min(each):10.1f}"
                  f"{statistics.median(many):10.2f}", flush=True)


def tables(build, rounds, measure, seconds, wanted, is_cpu):
    """`wanted` tells whether a subject is."""
    scratch = tempfile.mkdtemp(prefix="snarl-bench-")
    try:
        peers = Peers(build, scratch, seconds, is_cpu)
        subjects = {subject: names for subject, names in peers.subjects().items() if wanted(subject)}
        unit = "ns of processor time" if is_cpu else "ns"
        for subject, names in subjects.items():
            show(subject, names, {placement: measure(rounds, names, lambda name: peers.measured(subject, name, placement))
                                  for placement in ALONE.get(subject, PLACEMENTS)}, unit)
        print(f"\nrecording between processes adds ({unit} a record: median, fastest; and how many records an operation has)")
        for subject, names in subjects.items():
            show_recorded(peers, rounds, subject, [name for name in names if name.startswith(OWN)])
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def is_built(build):
    return subprocess.run(["ninja", "-C", build, "bench-process-peers", "snarl"], capture_output=True,
                          check=False).returncode == 0
