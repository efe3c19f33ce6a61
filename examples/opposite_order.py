# SPDX-License-Identifier: MIT
"""Two accounts, two clerks, one mistake: the clerks lock the accounts in opposite orders.

Today Anna is done before Ben has counted his cash, so the program ends well. Snarl tells what can happen on another day.
"""
import threading


class Account:
    def __init__(self, balance):
        self.lock = threading.Lock()
        self.balance = balance


def transfer(source, target, amount):
    with source.lock:
        with target.lock:
            source.balance -= amount
            target.balance += amount


def clerk(cash, source, target):
    sum(range(cash))
    for _ in range(3):
        transfer(source, target, 10)


def main():
    savings, checking = Account(1000), Account(200)
    clerks = [
        threading.Thread(target=clerk, args=(0, savings, checking), name="clerk-anna"),
        threading.Thread(target=clerk, args=(3_000_000, checking, savings), name="clerk-ben"),
    ]
    for each in clerks:
        each.start()
    for each in clerks:
        each.join()
    print(f"savings {savings.balance}, checking {checking.balance}")


main()
