# SPDX-License-Identifier: MIT
"""Waits without the interpreter's lock for processes, first for one that ends, then for one that never does."""
import multiprocessing
import os
import threading


def child(lock):
    with lock:  # LINE wants
        os._exit(0)


def spawn(function, *arguments):
    pid = os.fork()
    if pid == 0:
        function(*arguments)
    return pid


def main():
    threading.current_thread().name = "keeper"
    lock = multiprocessing.get_context("fork").Lock()  # LINE created
    lock.acquire()  # LINE holds
    first = spawn(os._exit, 0)
    second = spawn(child, lock)
    os.waitpid(first, 0)
    os.waitpid(second, 0)  # LINE waits


main()
