# SPDX-License-Identifier: MIT
"""Takes two locks in opposite orders: through a condition, a generator, a callback from C. The second thread looks for a
mark that the first one has done, which is not recorded: as far as the trace tells they could have met.
"""
import functools
import threading


done = []


class Account:
    def __init__(self):
        self.lock = threading.Lock()  # LINE created
        self.changed = threading.Condition(self.lock)


def inner(second):
    with second.lock:  # LINE inner
        return True


def entries(first, second):
    with first.lock:  # LINE generator
        yield from map(functools.partial(inner), [second])


def forth(first, second):
    return list(entries(first, second))  # LINE forth


def back(first, second):
    with second.changed:  # LINE outer
        return sorted([1, 2], key=lambda _: inner(first))  # LINE lambda


def anna(first, second):
    forth(first, second)  # LINE anna
    done.append(True)


def ben(first, second):
    while not done:
        pass
    back(first, second)  # LINE ben


def main():
    accounts = Account(), Account()
    threads = [threading.Thread(target=each, args=accounts, name="clerk-" + each.__name__) for each in (anna, ben)]
    for thread in threads:
        thread.start()  # LINE start
    for thread in threads:
        thread.join()


main()
