# SPDX-License-Identifier: MIT
"""Awaits a process before reading the queue that it fills: its feeder thread cannot finish, so it never ends."""
import multiprocessing


def produce(queue):
    queue.put("x" * 1_000_000)


if __name__ == "__main__":
    numbers = multiprocessing.Queue()
    child = multiprocessing.Process(target=produce, args=(numbers,))
    child.start()
    child.join()
    print(len(numbers.get()))
