# SPDX-License-Identifier: MIT
"""Everything at once that moves Python's frames about while locks are taken. Prints what it computed: the same each time.

Usage: stress.py [SEED]
"""
import asyncio
import concurrent.futures
import gc
import multiprocessing
import os
import queue
import random
import signal
import sys
import threading
import weakref

try:
    import _xxsubinterpreters as interpreters
except ImportError:  # from 3.13 on
    import _interpreters as interpreters

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
lock, rlock = threading.Lock(), threading.RLock()
total = 0


def count(amount=1):
    global total
    with lock:
        total += amount


def generated(depth):
    if depth:
        with rlock:
            yield from generated(depth - 1)
    count()
    yield depth


def recurse(depth):
    with rlock:
        return recurse(depth - 1) + 1 if depth else 0


class Dying:
    def __init__(self):
        self.itself = self

    def __del__(self):
        count()


def raising(depth):
    try:
        with rlock:
            if depth:
                raising(depth - 1)
            raise ValueError(depth)
    except ValueError:
        count()
        raise
    finally:
        Dying()


def work(kind):
    if kind == 0:
        return sum(generated(12))
    if kind == 1:
        return recurse(300)
    if kind == 2:
        try:
            raising(20)
        except ValueError as error:
            return error.args[0]
    if kind == 3:
        for _ in range(20):
            Dying()
        return gc.collect() >= 0
    if kind == 4:
        return sorted([3, 1, 2], key=lambda each: (count(), each)[1])
    if kind == 5:
        scope = {"lock": lock, "n": 0}
        for each in range(30):  # code objects that die and leave their place to others
            exec("\n" * (each % 5) + "with lock:\n  n += %d\n" % each, scope)
        return scope["n"]
    if kind == 6:
        return weakref.ref(compile("1", "gone", "eval"), lambda _: count()) is None
    return len([each for each in map(lambda _: count(), range(5))])


def traced(function, *arguments):
    lines = 0

    def tracer(frame, event, argument):
        nonlocal lines
        with rlock:
            lines += 1
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        return function(*arguments), lines > 0
    finally:
        sys.settrace(before)


def many_threads():
    chosen = random.Random(SEED)
    kinds = [[chosen.randrange(8) for _ in range(15)] for _ in range(8)]
    results = [None] * len(kinds)

    def body(place):
        results[place] = [work(kind) if chosen else None for kind in kinds[place]]

    threads = [threading.Thread(target=body, args=(place,)) for place in range(len(kinds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def signals():
    seen = []

    def handler(number, frame):
        with rlock:
            seen.append(number)

    def sender():
        for number in range(200):
            signal.pthread_kill(main_thread, signal.SIGUSR1)
            while len(seen) == number:
                count()

    signal.signal(signal.SIGUSR1, handler)
    main_thread, thread = threading.main_thread().ident, threading.Thread(target=sender)
    thread.start()
    while len(seen) < 200:
        recurse(20)
    thread.join()
    return len(seen)


def processes():
    reader, writer = os.pipe()
    for number in range(3):
        pid = os.fork()
        if pid == 0:
            many_threads()
            os.write(writer, b"%d" % (total > 0))
            os._exit(number)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == number
    context = multiprocessing.get_context("fork")
    with context.Pool(3) as pool:
        squares = pool.map(pow_of_two, range(20))
    os.close(writer)
    with open(reader, "rb") as said:
        return said.read(), squares


def pow_of_two(number):
    count()
    return 2**number


def subinterpreter():
    made = interpreters.create()
    interpreters.run_string(made, "import threading\nl = threading.Lock()\nfor _ in range(50):\n  with l: pass\n")
    interpreters.destroy(made)
    return recurse(10)


async def task(number, gate):
    async with gate:
        await asyncio.sleep(0)
        count()
        return await asyncio.get_running_loop().run_in_executor(None, work, number % 8) is not None


async def tasks():
    gate = asyncio.Semaphore(3)
    return sum(await asyncio.gather(*(task(number, gate) for number in range(20))))


def pools():
    jobs, done = queue.Queue(), []
    with concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="pool") as pool:
        futures = [pool.submit(work, number % 5) for number in range(40)]
        for number in range(10):
            jobs.put(number)
            done.append(jobs.get(timeout=5))
        return [future.result() for future in futures], done


def daemons():
    forever = threading.Event()
    for _ in range(3):
        threading.Thread(target=forever.wait, daemon=True).start()
    condition = threading.Condition()
    with condition:
        return condition.wait(0.001)


def main():
    sys.setswitchinterval(1e-4)
    sys.setrecursionlimit(2000)
    threading.stack_size(16 << 20)
    for part in (many_threads, signals, processes, subinterpreter, pools, daemons):
        print(part.__name__, part())
    print(asyncio.run(tasks()))
    print(traced(recurse, 50), traced(work, 2), traced(work, 5))
    print(recurse(1500), total > 0)


main()
