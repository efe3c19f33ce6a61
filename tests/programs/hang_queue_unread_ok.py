# SPDX-License-Identifier: MIT
"""Reads the queue that a process fills before awaiting the process."""
import multiprocessing


def produce(queue):
    queue.put("x" * 1_000_000)


if __name__ == "__main__":
    numbers = multiprocessing.Queue()
    child = multiprocessing.Process(target=produce, args=(numbers,))
    child.start()
    print(len(numbers.get()))
    child.join()
