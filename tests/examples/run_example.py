#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""run_example.py SNARL EXAMPLE: runs EXAMPLE under `snarl run --fail-on=note`, which must report nothing, and checks its output:
the lines that the Python original prints, in an order that it could print them in."""
import json
import os
import re
import subprocess
import sys
import tempfile

NAMES = [f"Thread-{i}" for i in range(10)]


def each(count, *lines):
    """What each of `count` threads prints, in this order."""
    return [[line.format(name) for line in lines] for name in NAMES[:count]]


def expect_order(lines, threads):
    """Every thread's lines are there, in its order, and no others."""
    if sorted(lines) != sorted(line for thread in threads for line in thread):
        sys.exit("other lines than expected")
    for thread in threads:
        places = [lines.index(line) for line in thread]
        if places != sorted(places):
            sys.exit(f"out of order: {thread}")


def phases(lines, *patterns):
    """All lines with one pattern come before all with the next."""
    bounds = [[i for i, line in enumerate(lines) if re.search(pattern, line)] for pattern in patterns]
    for before, after in zip(bounds, bounds[1:]):
        if max(before) > min(after):
            sys.exit(f"out of phase: {patterns}")


def workers(lines):
    expect_order(lines[:-1], each(5, "thread {} begins to work", "thread {} has done its work"))
    phases(lines, "begins", "has done its", "all threads have done")


def counter(lines):
    values = [int(re.fullmatch(r"Thread-[0-4]: counter = (\d+)", line).group(1)) for line in lines[:-1]]
    if values != list(range(1, 51)) or lines[-1] != "the counter is 50 at last":
        sys.exit("increments were lost")


def rlock(lines):
    shown = sorted(line for line in lines if line.startswith("value"))
    if shown != sorted(f"value now: {i * 10}" for i in range(5)):
        sys.exit("other values than expected")
    expect_order([line for line in lines if not line.startswith("value")],
                 each(5, "thread {} begins to update the resource", "thread {} has updated it"))


def condition(lines):
    held, added, taken = [], 0, 0
    for line in lines:
        match = re.fullmatch(r"the (producer adds|consumer takes) item-(\d), buffer: \[(.*)\]", line)
        if not match:
            full = line == "the buffer is full, the producer waits..."
            if not full and line != "the buffer is empty, the consumer waits..." or len(held) != (5 if full else 0):
                sys.exit(f"wrong: {line}")
        elif match.group(1) == "producer adds":
            held.append(int(match.group(2)))
            added += 1
        elif held.pop(0) == int(match.group(2)):
            taken += 1
        if match and match.group(3) != ", ".join(f"item-{i}" for i in held):
            sys.exit(f"wrong: {line}")
    if (added, taken) != (10, 10):
        sys.exit("items were lost")


def semaphore(lines):
    expect_order(lines, each(10, "thread {} tries to use the resource", "thread {} uses the resource",
                             "thread {} leaves the resource"))
    inside = 0
    for line in lines:
        inside += ("uses" in line) - ("leaves" in line)
        if inside > 3:
            sys.exit("more than three at a time")


def event(lines):
    waits = [[f"Waiter-{i} waits for the event...", f"Waiter-{i} has been told of the event!"] for i in range(5)]
    expect_order(lines, waits + [["about to set the event...", "setting the event, for all who wait"]])
    phases(lines, "setting", "has been told")


def barrier(lines):
    expect_order(lines[:-1], each(5, "thread {} begins to work",
                                  "thread {} is at the first checkpoint, waiting for the others...",
                                  "thread {} goes on with the second phase",
                                  "thread {} is at the second checkpoint, waiting for the others...",
                                  "thread {} has done all its work"))
    phases(lines, "is at the first", "goes on", "is at the second", "has done all", "^all threads")


def local(lines):
    own = {}
    for line in lines:
        match = re.fullmatch(r"(?:local data of thread (\S+)|processing data): value=(\d+), name=(Thread-[0-4])", line)
        own.setdefault(match.group(3), []).append((match.group(1), match.group(2)))
    for name, (first, second) in own.items():
        if first[0] != name or second != (None, first[1]):
            sys.exit("data of another thread")
    if len(own) != 5:
        sys.exit("a thread is missing")


def thread_pool(lines):
    tasks = [f"Task-{i}" for i in range(10)]
    mapped = [f"map's result {i}: result of {task}" for i, task in enumerate(tasks)]
    if lines[-10:] != mapped:
        sys.exit("map's results are not those of the tasks, in their order")
    each_task = [[f"task {task} begins", f"task {task} is done", f"task {i} returned: result of {task}"]
                 for i, task in enumerate(tasks)]
    first, second = lines[:30], lines[30:-10]
    expect_order(first, each_task)
    expect_order(second, [task[:2] for task in each_task])


def processes(lines):
    main = int(re.fullmatch(r"the main process has the PID (\d+)", lines[0]).group(1))
    pids = {}
    for line in lines[1:-1]:
        match = re.fullmatch(r"process (Process-\d) \(PID (\d+)\) (?:begins to work|has done its work)", line)
        pids.setdefault(match.group(1), set()).add(int(match.group(2)))
    if sorted(map(len, pids.values())) != [1] * 5 or len(set.union({main}, *pids.values())) != 6:
        sys.exit("other processes than expected")
    expect_order([re.sub(r" \(PID \d+\)", "", line) for line in lines[1:-1]],
                 [[f"process Process-{i} begins to work", f"process Process-{i} has done its work"] for i in range(5)])
    if lines[-1] != "all processes have done their work":
        sys.exit("the end is missing")


def value_array(lines):
    values, items = [], [0] * 5
    begun = {f"Process-{i}" for i in range(5)}
    for line in lines:
        match = re.fullmatch(r"process \S+ updates the shared value: (\d)", line)
        if match:
            values.append(int(match.group(1)))
        match = re.fullmatch(r"process (\S+) updates item (\d) of the shared array: \[(.*)\]", line)
        if match:
            begun.remove(match.group(1))
            shown = [int(item) for item in match.group(3).split(", ")]
            items[int(match.group(2))] = shown[int(match.group(2))]
            if shown != items:
                sys.exit(f"an update was lost: {line}")
    last = ["the shared data at last:", "the shared value: 5", f"the shared array: {items}", "all processes have done their work"]
    if sorted(values) != [1, 2, 3, 4, 5] or begun or lines[-4:] != last:
        sys.exit("updates were lost")


def manager(lines):
    names = [f"Process-{i}" for i in range(5)]
    shown, items = {}, []
    for line in lines[:-4]:
        match = re.fullmatch(r"process (\S+) updates the shared (dict|list): (.*)", line)
        if match and match.group(2) == "dict":
            now = json.loads(match.group(3))
            shown[match.group(1)] = now[match.group(1)]
            if now != shown:
                sys.exit(f"an update was lost: {line}")
        elif match:
            items.append(f"data of {match.group(1)}")
            if json.loads(match.group(3)) != items:
                sys.exit(f"an update was lost: {line}")
    expect_order([line for line in lines[:-4] if "updates" not in line],
                 [[f"process {name} begins to work", f"process {name} has done its work"] for name in names])
    last = ["the shared data at last:", f"the shared dict: {json.dumps(shown)}", f"the shared list: {json.dumps(items)}",
            "all processes have done their work"]
    if sorted(shown) != names or lines[-4:] != last:
        sys.exit("updates were lost")


def pipe(lines):
    sent, received = [f"sent: message-{i}" for i in range(10)], [f"received: message-{i}" for i in range(10)]
    expect_order(lines[:-1], [["the sender begins", *sent, "the sender ends"],
                              ["the receiver begins", *received, "the receiver ends"]])
    if lines[-1] != "all processes have ended":
        sys.exit("the end is missing")


def process_queue(lines):
    items = [f"item-{i}" for i in range(10)]
    expect_order(lines[:-1], [[f"the producer adds: {item}" for item in items],
                              [f"the consumer takes: {item}" for item in items] + ["the queue is empty, the consumer ends"]])
    if lines[-1] != "all processes have ended":
        sys.exit("the end is missing")


def threads_in_processes(lines):
    shown = [[f"process Process-{i} begins to create threads", f"all threads of process Process-{i} have done their work"]
             for i in range(3)]
    pids = {}
    for i, count in enumerate([3, 4, 2]):
        for j in range(count):
            name = f"Process-{i}-Thread-{j}"
            shown.append([f"thread {name} runs", f"thread {name} processes Data-{i + 1}-{j}"])
    for line in lines[1:-1]:
        match = re.fullmatch(r"thread Process-(\d)-Thread-\d \(ID (\d+)\) runs in process (\d+)", line)
        if match:
            pids.setdefault(match.group(1), set()).add(match.group(3))
        match = re.fullmatch(r"process Process-(\d) \(PID (\d+)\) begins to create threads", line)
        if match:
            pids.setdefault(match.group(1), set()).add(match.group(2))
    if sorted(map(len, pids.values())) != [1] * 3:
        sys.exit("a thread runs in another process")
    own = [re.sub(r" \((?:PID|ID) \d+\)|( runs) in process \d+", r"\1", line) for line in lines[1:-1]]
    expect_order(own, shown)
    for i in range(3):
        phases([line for line in own if f"Process-{i}" in line], "begins to create", "runs", "all threads")
    if not re.fullmatch(r"the main process \(PID \d+\) begins", lines[0]) or lines[-1] != "all processes and threads have done their work":
        sys.exit("the beginning or the end is missing")


def task_lines(tasks, result="{}"):
    """What the worker prints of each, in any process, and what the program prints of its result."""
    return [[f"task {task} begins", f"task {task} is done"] + ([result.format(i, task)] if result else [])
            for i, task in enumerate(tasks)]


def sections(lines, *titles):
    """The lines below each title, without the empty ones, the PIDs and the last line, which says that all is done."""
    if not re.fullmatch(r"this machine has \d+ processors", lines[0]) or lines[-1] != "all tasks are done":
        sys.exit("the first or the last line is another")
    lines = [re.sub(r" \(PID \d+\)", "", line) for line in lines[1:-1] if line]
    places = [lines.index(title) for title in titles] + [len(lines)]
    return [lines[:places[0]]] + [lines[at + 1:end] for at, end in zip(places, places[1:])]


def named(prefix):
    return [f"{prefix}-{i}" for i in range(10)]


def in_order(lines, pattern, tasks):
    shown = [re.fullmatch(pattern, line).group(1) for line in lines if re.fullmatch(pattern, line)]
    if shown != tasks:
        sys.exit(f"not the tasks in their order: {shown}")


def process_pool(lines):
    _, by_async, by_map, by_imap, unordered = sections(lines, "by apply_async:", "by map:", "by imap:", "by imap_unordered:")
    for task, i in zip(named("Async"), range(10)):
        if by_async.index(f"the callback got: result of {task}") > by_async.index(f"got: result of {task}"):
            sys.exit("a result before its callback")
    expect_order([line for line in by_async if not line.startswith("the callback")],
                 task_lines(named("Async"), "got: result of {1}"))
    in_order(by_async, r"got: result of (\S+)", named("Async"))
    expect_order(by_map, task_lines(named("Map"), "map's result {0}: result of {1}"))
    in_order(by_map[-10:], r"map's result \d: result of (\S+)", named("Map"))
    expect_order(by_imap, task_lines(named("IMap"), "imap gave: result of {1}"))
    in_order(by_imap, r"imap gave: result of (\S+)", named("IMap"))
    expect_order(unordered, task_lines(named("Unordered"), "imap_unordered gave: result of {1}"))


def process_executor(lines):
    by_futures, by_map = sections(lines, "by map:")
    expect_order(by_futures, task_lines(named("Task"), "task {0} returned: result of {1}"))
    expect_order(by_map, task_lines(named("Map"), "map's result {0}: result of {1}"))
    in_order(by_map[-10:], r"map's result \d: result of (\S+)", named("Map"))


CHECKS = {"01": workers, "02": workers, "03": counter, "04": counter, "05": rlock, "06": condition, "07": semaphore, "08": event,
          "09": barrier, "10": thread_pool, "11": local, "12": processes,
          "13": processes, "14": process_queue, "15": pipe, "16": manager, "17": value_array, "18": process_pool, "19": process_executor,
          "20": threads_in_processes}


def main():
    snarl, example = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        environment = dict(os.environ, SNARL_TIME_SCALE="0.02", SNARL_SEED="1")
        done = subprocess.run([snarl, "run", "--fail-on=note", "-o", os.path.join(directory, "trace"), "--", example],
                              env=environment, stdout=subprocess.PIPE, text=True, timeout=50, check=False)
    print(done.stdout)
    if done.returncode:
        sys.exit(f"ended with {done.returncode}")
    CHECKS[os.path.basename(example)[:2]](done.stdout.splitlines())


main()
