# SPDX-License-Identifier: MIT
"""What recording costs whatever the program does, as bench.py reports it: nanoseconds that a lock and unlock take longer, by depth
of the stack, and milliseconds that a process starts later."""
import json
import os
import statistics
import subprocess
import time

DEPTHS = (6, 12, 24)
PAIR_SAMPLES = 200  # of 20000 pairs, natively and recorded in turn
PROCESSES = 100     # started by one shell

# As many processes' traces are made here as are looked at, and none is removed before the end: a file system that has just freed
# many inodes (ext4: in the last five seconds) is slow to find one that it may use again, and that is not what is measured.


def pairs(bench):
    """One line per depth. Both ways to lock are timed inside one recorded process, since differences between processes (where
    things happen to lie) are as large as what is looked for."""
    print("\nan uncontended lock and unlock (ns a pair; median of 200 short samples, in brackets the fastest)")
    print(f"{'frames':24}{'native':>20}{'snarl':>20}{'added':>12}{'bytes a record':>18}")
    for depth in DEPTHS:
        trace = bench.new_trace()
        program = os.path.join(bench.build, "bin", "bench-pairs")
        out = subprocess.run([program, str(depth), str(PAIR_SAMPLES)], env=bench.recording(trace), capture_output=True, check=True)
        native_min, native, snarl_min, snarl, added = map(float, out.stdout.split())
        info = subprocess.run([bench.snarl, "analyze", trace, "-f", "json", "--fail-on=never"], capture_output=True, check=True)
        stats = json.loads(info.stdout)["stats"]
        print(f"{depth:<24}{f'{native:.1f} ({native_min:.1f})':>20}{f'{snarl:.1f} ({snarl_min:.1f})':>20}{added:12.1f}"
              f"{stats['bytes'] / stats['records']:18.2f}")
        bench.remove(trace)


def timed(command, environment=None):
    begin = time.monotonic()
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return (time.monotonic() - begin) * 1000


def starts(bench, rounds):
    """A process that does nothing, and a shell that starts many such."""
    true, shell = ["/bin/true"], ["bash", "-c", f"for i in $(seq {PROCESSES}); do /bin/true; done"]
    rows = [("one process", 1, true), ("each of a shell's", PROCESSES, shell)]
    print("\nstarting (ms a process; median of the rounds, in brackets the fastest)")
    print(f"{'':24}{'native':>20}{'snarl':>20}{'added':>12}{'snarl run':>20}")
    for name, processes, command in rows:
        variants = {
            "native": lambda: timed(command),
            "snarl": lambda: timed(command, bench.recording(bench.new_trace())),
            "run": lambda: timed([bench.snarl, "run", "-o", bench.new_trace(), "--fail-on=never", "--", *command]),
        }
        samples = {variant: [] for variant in variants}
        for _ in range(rounds * 4):
            for variant, function in variants.items():
                samples[variant].append(function() / processes)
        cells = [f"{statistics.median(of):.2f} ({min(of):.2f})" for of in samples.values()]
        added = statistics.median(a - b for a, b in zip(samples["snarl"], samples["native"]))
        print(f"{name:24}{cells[0]:>20}{cells[1]:>20}{added:12.2f}{cells[2]:>20}")
