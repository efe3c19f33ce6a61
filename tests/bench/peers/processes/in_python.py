#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Python's multiprocessing at the same work as process-peers: in_python.py SUBJECT NAME free|apart|together OPERATIONS prints
what process-peers prints; without arguments it lists what there is. What was to be done is counted, and what fails ends all."""
import concurrent.futures
import ctypes
import multiprocessing
import multiprocessing.managers
import os
import resource
import signal
import sys
import threading
import time

LONGEST = 30
SIZES = {"64": 64, "64K": 65536}
PLACEMENT = None
ALL = sorted(os.sched_getaffinity(0))


def place(worker):
    if PLACEMENT != "free":
        os.sched_setaffinity(0, {ALL[0 if PLACEMENT == "together" else worker % len(ALL)]})


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.alarm(LONGEST)


def workers(count, function, *arguments):
    """Runs function(worker, gate, *arguments) in `count` processes; the time between its first begin and its last end, in ns."""
    gate, stamps = multiprocessing.Barrier(count), multiprocessing.SimpleQueue()

    def run(worker):
        die_with_parent()
        place(worker)
        gate.wait()
        begin = time.perf_counter_ns()
        function(worker, *arguments)
        stamps.put((begin, time.perf_counter_ns()))

    processes = [multiprocessing.Process(target=run, args=(i,)) for i in range(count)]
    for process in processes:
        process.start()
    ended = [stamps.get() for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return max(end for _, end in ended) - min(begin for begin, _ in ended)


class Pipes:
    """A pipe has one reader and one writer; of several, they take turns."""

    def __init__(self, pairs):
        self.ends = multiprocessing.Pipe(duplex=False)
        self.locks = [multiprocessing.Lock(), multiprocessing.Lock()] if pairs > 1 else None

    def put(self, message):
        if not self.locks:
            return self.ends[1].send_bytes(message)
        with self.locks[1]:
            return self.ends[1].send_bytes(message)

    def get(self):
        if not self.locks:
            return self.ends[0].recv_bytes()
        with self.locks[0]:
            return self.ends[0].recv_bytes()


def channel(name, pairs):
    return {"py-Queue": multiprocessing.Queue, "py-SimpleQueue": multiprocessing.SimpleQueue}[name]() if name != "py-Pipe" \
        else Pipes(pairs)


def send(name, operations, size, pairs):
    between, total = channel(name, pairs), multiprocessing.Value("q", 0)
    tail = b"x" * (size - 8)

    def run(worker, _):
        if worker % 2 == 0:
            for i in range(operations):
                between.put((i * pairs + worker // 2).to_bytes(8, "little") + tail)
            return
        numbers = 0
        for _ in range(operations):
            message = between.get()
            assert len(message) == size
            numbers += int.from_bytes(message[:8], "little")
        with total.get_lock():
            total.value += numbers

    count = operations * pairs
    took = workers(2 * pairs, run, None)
    assert total.value == count * (count - 1) // 2
    return took / count


def round_trip(name, operations, size):
    there, back = channel(name, 1), channel(name, 1)
    tail = b"x" * (size - 8)

    def run(worker, _):
        for i in range(operations):
            message = i.to_bytes(8, "little") + tail
            if worker == 0:
                there.put(message)
            assert (back if worker == 0 else there).get() == message
            if worker == 1:
                back.put(message)

    return workers(2, run, None) / operations


def value(operations, count):
    number = multiprocessing.Value("q", 0)

    def run(_, lock):
        for _ in range(operations):
            with lock:
                number.value += 1

    took = workers(count, run, number.get_lock())
    assert number.value == operations * count
    return took / (operations * count)


def nothing():
    pass


def start(method, operations):
    context = multiprocessing.get_context(method)
    first = context.Process(target=nothing)  # the fork server's own start is not of interest
    first.start()
    first.join()
    place(0)
    begin = time.perf_counter_ns()
    for _ in range(operations):
        process = context.Process(target=nothing)
        process.start()
        process.join()
        assert process.exitcode == 0
    return (time.perf_counter_ns() - begin) / operations


def empty(argument):
    return argument


def millisecond(argument):
    end = time.perf_counter_ns() + 1_000_000
    while time.perf_counter_ns() < end:
        pass
    return argument


def begin_worker(numbers):
    with numbers.get_lock():
        numbers.value += 1
        mine = numbers.value
    die_with_parent()
    place(mine)


def pool(name, operations, task, chunk):
    """Two workers; the one that submits is placed as worker 0, they as 1 and 2."""
    numbers, chunks = multiprocessing.Value("i", 0), {} if chunk is None else {"chunksize": chunk}
    if name == "py-ProcessPoolExecutor":
        with concurrent.futures.ProcessPoolExecutor(2, initializer=begin_worker, initargs=(numbers,)) as executor:
            list(executor.map(empty, range(4)))
            place(0)
            begin = time.perf_counter_ns()
            total = sum(executor.map(task, range(operations), **chunks))
            took = time.perf_counter_ns() - begin
    else:
        with multiprocessing.Pool(2, initializer=begin_worker, initargs=(numbers,)) as workers_:
            workers_.map(empty, range(4))
            for thread in threading.enumerate():
                if PLACEMENT != "free":  # the pool's own threads are the submitter's
                    os.sched_setaffinity(thread.native_id, {ALL[0]})
            begin = time.perf_counter_ns()
            total = sum((workers_.map if name == "py-Pool.map" else workers_.imap)(task, range(operations), **chunks))
            took = time.perf_counter_ns() - begin
    assert total == operations * (operations - 1) // 2
    return took / operations


def manager(operation, operations):
    """A client's own process beside the server's; keys are ten, values are the numbers of the operations."""
    server = multiprocessing.managers.SyncManager()
    server.start(initializer=lambda: (die_with_parent(), place(1)))
    try:
        shared = server.dict({str(i): 0 for i in range(10)})
        keys = [str(i) for i in range(10)]
        place(0)
        begin = time.perf_counter_ns()
        if operation == "set":
            for i in range(operations):
                shared[keys[i % 10]] = i
        else:
            for i in range(operations):
                assert shared[keys[i % 10]] == 0
        took = time.perf_counter_ns() - begin
        assert operation == "get" or shared[keys[(operations - 1) % 10]] == operations - 1
        return took / operations
    finally:
        server.shutdown()


SUBJECTS = {}
for _name in ("py-Queue", "py-SimpleQueue", "py-Pipe"):
    for _size, _bytes in SIZES.items():
        for _pairs in (1, 4):
            SUBJECTS[f"send-{_size}-{_pairs}x{_pairs}", _name] = lambda n, a=_name, b=_bytes, c=_pairs: send(a, n, b, c)
    SUBJECTS["round-trip-64", _name] = lambda n, a=_name: round_trip(a, n, 64)
SUBJECTS["value", "py-Value"] = lambda n: value(n, 1)
SUBJECTS["value-contended", "py-Value"] = lambda n: value(n, 2)
for _method in ("fork", "forkserver", "spawn"):
    SUBJECTS["process", "py-" + _method] = lambda n, a=_method: start(a, n)
for _name in ("py-Pool.map", "py-Pool.imap", "py-ProcessPoolExecutor"):
    for _subject, _task in ("pool-empty", empty), ("pool-1ms", millisecond):
        SUBJECTS[_subject + "-chunk-1", _name] = lambda n, a=_name, b=_task: pool(a, n, b, 1)
        if _name == "py-Pool.map":  # of the others 1 is the default
            SUBJECTS[_subject + "-chunks", _name] = lambda n, a=_name, b=_task: pool(a, n, b, None)
for _operation in ("set", "get"):
    SUBJECTS[f"manager-{_operation}", "py-Manager.dict"] = lambda n, a=_operation: manager(a, n)


def main():
    global PLACEMENT
    if len(sys.argv) == 1:
        for subject, name in SUBJECTS:
            print(subject, name)
        return 0
    subject, name, PLACEMENT, operations = sys.argv[1:]
    multiprocessing.set_start_method("fork")
    signal.alarm(LONGEST)
    each, used = SUBJECTS[subject, name](int(operations)), [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    units = int(operations) * (4 if subject.endswith("4x4") else 2 if subject == "value-contended" else 1)
    print(f"{each:.2f} {units} {sum(u.ru_utime + u.ru_stime for u in used) * 1e9 / units:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
