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
        "signal-", "spin-", "fork", "wait-", "process-", "channel-", "queue-")


def counts(snarl, trace):
    text = subprocess.run([snarl, "info", trace], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {word: int(number) for word, number in re.findall(r"^  ([a-z-]+) +(\d+)$", text, re.M) if word.startswith(OURS)}


def run(command, said, **options):
    """With standard streams that are no channels, which the shim would tell of."""
    with open(said, "w", encoding="utf-8") as file:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=50, check=False, **options)
    if done.returncode:
        with open(said, encoding="utf-8") as file:
            sys.exit(f"{command} ended with {done.returncode}\n{file.read()}")


def main():
    snarl, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        alone, under = os.path.join(directory, "alone"), os.path.join(directory, "under")
        os.mkdir(alone)
        said = os.path.join(directory, "said")
        run([program], said, env=dict(os.environ, SNARL_TRACE=alone))
        run([snarl, "run", "--fail-on=note", "-o", under, "--", program], said)
        one, other = counts(snarl, alone), counts(snarl, under)
    for word in sorted(set(one) | set(other)):
        print(f"{word:28} {one.get(word, 0):5} {other.get(word, 0):5}")
    if one != other:
        sys.exit("alone and under the shim the records differ")
    if len(one) < 30 or one["thread-created"] != 4 or one["process-begin"] != 4 or one["queue-got"] != 1:
        sys.exit("records are missing in both")


main()
