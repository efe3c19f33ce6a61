#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""once_each.py SNARL PROGRAM: runs PROGRAM, which uses libsnarl, alone with SNARL_TRACE and under `snarl run`, whose shim sees its
calls of libc as well. Both must leave the same records of what the library does: none twice, none lost."""
import os
import re
import subprocess
import sys
import tempfile

OURS = ("mutex-", "rwlock-", "sem-", "cond-", "barrier-", "once-", "thread-", "event-", "shared-", "timer-", "object-", "futex-",
        "signal-", "spin-", "fork", "wait-", "process-")


def counts(snarl, trace):
    text = subprocess.run([snarl, "info", trace], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {word: int(number) for word, number in re.findall(r"^  ([a-z-]+) +(\d+)$", text, re.M) if word.startswith(OURS)}


def main():
    snarl, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        alone, under = os.path.join(directory, "alone"), os.path.join(directory, "under")
        os.mkdir(alone)
        subprocess.run([program], env=dict(os.environ, SNARL_TRACE=alone), timeout=30, check=True)
        subprocess.run([snarl, "run", "--fail-on=note", "-o", under, "--", program], timeout=50, check=True)
        one, other = counts(snarl, alone), counts(snarl, under)
    for word in sorted(set(one) | set(other)):
        print(f"{word:28} {one.get(word, 0):5} {other.get(word, 0):5}")
    if one != other:
        sys.exit("alone and under the shim the records differ")
    if len(one) < 30 or one["thread-created"] != 4 or one["process-begin"] != 3:
        sys.exit("records are missing in both")


main()
