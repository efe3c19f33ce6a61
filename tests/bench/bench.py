#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the shim against native runs, gcc's ThreadSanitizer, Helgrind and DRD, and libsnarl against its peers.

usage: bench.py BUILD [--rounds N] [--quick] [--only shim|runtime|processes] [--subject NAME]... [--cpu]

Every case runs in all variants in turn, round after round, so that a machine that gets slower slows all of them; the tables show
the median, the fastest and, in brackets, the ratio of the medians to native. Whole programs are timed by wall clock from outside.
What takes longer than LONGEST seconds is given up and shown as a dash. Nothing is asserted.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import costs
import peers
import processes
import workloads

OPERATIONS = [  # case, threads, operations natively
    ("uncontended", 1, 2_000_000), ("uncontended", 2, 2_000_000), ("uncontended", 4, 1_000_000),
    ("uncontended", 8, 500_000), ("contended", 2, 500_000), ("contended", 4, 250_000), ("contended", 8, 125_000),
    ("nested", 1, 1_000_000), ("pingpong", 2, 50_000), ("create", 1, 10_000),
]
SYSTEM_CALLS = [("pipe", 200_000), ("file-read", 10_000), ("fork", 500), ("malloc", 2_000_000), ("malloc-locks", 500_000),
                ("epoll", 50_000)]
LONGEST = 30
SLOWER = {"native": 1, "snarl": 1, "tsan": 4, "helgrind": 100, "drd": 100}


class Bench:
    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.scratch = tempfile.mkdtemp(prefix="snarl-bench-")
        self.shim = os.path.join(self.build, "lib", "libsnarl-preload.so")
        self.snarl = os.path.join(self.build, "bin", "snarl")
        self.traces = 0

    def new_trace(self):
        self.traces += 1
        trace = os.path.join(self.scratch, f"trace-{self.traces}")
        os.mkdir(trace)
        return trace

    @staticmethod
    def remove(trace):
        shutil.rmtree(trace, ignore_errors=True)

    def recording(self, trace=None):
        """An environment in which a program is recorded, into `trace` or a fresh one that replaces the last."""
        if trace is None:
            trace = os.path.join(self.scratch, "trace")
            self.remove(trace)
            os.mkdir(trace)
        return dict(os.environ, SNARL_TRACE=trace, LD_PRELOAD=self.shim)

    def recorded(self, command):
        """The command recorded, without analysis; what it costs the program itself."""
        return subprocess.run(command, env=self.recording(), capture_output=True, check=True, timeout=LONGEST)

    def system(self, variant, case, count):
        command = [os.path.join(self.build, "bin", "bench-system"), case, str(count)]
        return float(self.run(variant, command).stdout)

    def workload(self, variant, function):
        return function(self.recording() if variant == "snarl" else dict(os.environ))

    def run(self, variant, command):
        if variant == "snarl":
            return self.recorded(command)
        if variant in ("helgrind", "drd"):
            command = ["valgrind", f"--tool={variant}", "-q"] + command
        return subprocess.run(command, capture_output=True, check=True, timeout=LONGEST)

    def operation(self, variant, case, threads, count):
        program = os.path.join(self.build, "bin", "bench-tsan" if variant == "tsan" else "bench-plain")
        command = [program, case, str(threads), str(max(count // SLOWER[variant], 100))]
        return float(self.run(variant, command).stdout)

    def program(self, variant, command):
        begin = time.monotonic()
        self.run(variant, command)
        return (time.monotonic() - begin) * 1000


def table(title, unit, rows, variants):
    print(f"\n{title} ({unit}: median, fastest; in brackets the ratio of the medians to {variants[0]})")
    print(f"{'':24}" + "".join(f"{v:>28}" for v in variants))
    for name, samples in rows:
        native = statistics.median(samples["native" if "native" in samples else variants[0]])
        cells = []
        for variant in variants:
            if not samples.get(variant):
                cells.append("-")
                continue
            median = statistics.median(samples[variant])
            cells.append(f"{median:.1f} {min(samples[variant]):.1f} ({median / native:.2f})")
        print(f"{name:24}" + "".join(f"{c:>28}" for c in cells), flush=True)


def measure(rounds, variants, function):
    samples = {v: [] for v in variants}
    given_up = set()
    for _ in range(rounds):
        for variant in variants:
            if variant in given_up:
                continue
            try:
                sample = function(variant)
            except subprocess.TimeoutExpired:
                given_up.add(variant)
                continue
            if sample is None:  # the system has no such thing
                given_up.add(variant)
            else:
                samples[variant].append(sample)
    return samples


def analysis(bench):
    """Replay speed and size: one long recording, read back by the analyzer."""
    bench.recorded([os.path.join(bench.build, "bin", "bench-plain"), "nested", "4", "2500000"])
    trace = os.path.join(bench.scratch, "trace")
    size = sum(entry.stat().st_size for entry in os.scandir(trace))
    begin = time.monotonic()
    report = subprocess.run([bench.snarl, "analyze", trace, "-f", "json", "--fail-on=never"], capture_output=True, check=True)
    seconds = time.monotonic() - begin
    import json
    records = json.loads(report.stdout)["stats"]["records"]
    print(f"\nanalysis: {records:,} records in {seconds:.2f} s = {records / seconds / 1e6:.1f} million records/s; "
          f"{size / records:.2f} bytes of file per record")


def between_processes(bench, rounds, quick, wanted, is_cpu):
    if processes.is_built(bench.build):
        processes.tables(bench.build, rounds, measure, 0.04 if quick else 0.2, wanted, is_cpu)
    else:
        print("\nlibsnarl's peers between processes are not installed: libzmq3-dev libnng-dev")


def runtime(bench, rounds, wanted):
    """libsnarl beside pthreads, GLib, libuv, APR, OpenMP and Python; only where their development packages are."""
    if peers.is_built(bench.build):
        peers.tables(peers.path(bench.build), rounds, measure, table, wanted)
    else:
        print("\nlibsnarl's peers are not installed: libglib2.0-dev libuv1-dev libapr1-dev")


def shim(bench, rounds, quick):
    variants = ["native", "snarl"] if quick else ["native", "snarl", "tsan", "helgrind", "drd"]
    costs.pairs(bench)
    costs.starts(bench, rounds)
    rows = [(f"{case} x{threads}", measure(rounds, variants, lambda v: bench.operation(v, case, threads, count)))
            for case, threads, count in OPERATIONS]
    table("operations", "ns each", rows, variants)
    outer = ["native", "snarl"]
    rows = [(case, measure(rounds, outer, lambda v: bench.system(v, case, count))) for case, count in SYSTEM_CALLS]
    table("system calls and memory", "ns each", rows, outer)
    rows = [(name, measure(rounds, outer, lambda v: bench.workload(v, function))) for name, function in workloads.WORKLOADS]
    table("servers and interpreters", "us per operation", rows, outer)
    compressors(bench, rounds, quick)
    analysis(bench)


def compressors(bench, rounds, quick):
    data = os.path.join(bench.scratch, "data")
    outer = ["native", "snarl"]
    with open(data, "wb") as out:
        for block in range(300):
            out.write((f"{block} some text that compresses {block * 7919} ".encode() * 2000)[:65536])
    programs = [("pigz -p 4", ["pigz", "-k", "-c", "-p", "4", data]), ("pbzip2 -p4", ["pbzip2", "-k", "-c", "-p4", data])]
    rows = [(name, measure(rounds * 2, outer, lambda v: bench.program(v, command))) for name, command in programs]
    if not quick:
        for (name, command), (_, samples) in zip(programs, rows):
            samples.update(measure(1, ("helgrind", "drd"), lambda v: bench.program(v, command)))
    table("whole programs", "ms", rows, outer if quick else ["native", "snarl", "helgrind", "drd"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="two rounds, native against Snarl only")
    parser.add_argument("--only", choices=["shim", "runtime", "processes"])
    parser.add_argument("--subject", action="append", help="only the subjects of runtime and processes that begin so; may be repeated")
    parser.add_argument("--cpu", action="store_true", help="between processes: processor time of all, which a loaded machine changes less")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds

    def wanted(subject):
        return not options.subject or subject.startswith(tuple(options.subject))

    subprocess.run(["ninja", "-C", options.build, "bench-plain", "bench-tsan", "bench-system", "bench-pairs"],
                   check=True, stdout=subprocess.DEVNULL)
    bench = Bench(options.build)
    try:
        if options.only in (None, "shim") and not options.subject:
            shim(bench, rounds, options.quick)
        if options.only in (None, "runtime"):
            runtime(bench, rounds, wanted)
        if options.only in (None, "processes"):
            between_processes(bench, rounds, options.quick, wanted, options.cpu)
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
