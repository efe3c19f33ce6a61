#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# any_interop.py ANY_ECHO: what Python's msgpack packs comes back from libsnarl as the same bytes and the same value, or is
# refused with the status it deserves. The seed of the random values is printed; SNARL_TEST_SEED sets it.
import os
import random
import struct
import subprocess
import sys
import time

import msgpack

TRUNCATED, MALFORMED, UNREPRESENTABLE, TOO_DEEP = -36, -37, -38, -39


class Echo:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, message):
        self.process.stdin.write(struct.pack("=I", len(message)) + message)
        self.process.stdin.flush()
        (size,) = struct.unpack("=i", self.process.stdout.read(4))
        return self.process.stdout.read(size) if size >= 0 else size

    def close(self):
        self.process.stdin.close()
        return self.process.wait(20)


def boundaries():
    edges = {sign * (2**bits + more) for bits in range(65) for more in (-1, 0, 1) for sign in (1, -1)}
    yield from sorted(edge for edge in edges if -(2**63) <= edge < 2**63)
    yield from (None, True, False, 0.0, -0.0, 0.1, 1e308, 5e-324, float("inf"), float("-inf"))
    for size in (0, 1, 31, 32, 255, 256, 65535, 65536, 1 << 20):
        yield "x" * size
        yield b"\xff" * size
    for size in (0, 1, 15, 16, 65535, 65536):
        yield [None] * size
        yield {number: str(number) for number in range(size)}
    yield {"a": [{"b": [1, 2.5, "ü", b"\x00", None, True]}, {}], 7: "int", b"raw": "bytes", 2.5: "float", None: "nil"}


def random_value(generator, levels):
    kind = generator.randrange(8 if levels else 6)
    size = generator.randrange(12)
    if kind == 6:
        return [random_value(generator, levels - 1) for _ in range(size)]
    if kind == 7:
        return {random_value(generator, 0): random_value(generator, levels - 1) for _ in range(size)}
    return (None, generator.random() < 0.5, generator.randrange(-(2**63), 2**63) >> generator.randrange(64),
            generator.uniform(-1e9, 1e9), "".join(generator.choices("aß€😀\n", k=size)), generator.randbytes(size))[kind]


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"any_interop: {what!r:.200}: got {got!r:.200} instead of {wanted!r:.200}")


def main():
    seed = int(os.environ.get("SNARL_TEST_SEED", time.time()))
    print(f"seed {seed}")
    generator = random.Random(seed)
    echo = Echo(sys.argv[1])
    values = list(boundaries()) + [random_value(generator, 4) for _ in range(2000)] + [nested(64)]
    for value in values:
        message = msgpack.packb(value)
        answer = echo(message)
        expect(value, answer, message)
        expect(value, msgpack.unpackb(answer, strict_map_key=False), value)
    # NaN is no equal of itself; a float of 32 bits comes back as one of 64; of a tuple comes a list.
    expect("nan", echo(msgpack.packb(float("nan"))), msgpack.packb(float("nan")))
    expect("float32", echo(msgpack.packb(0.5, use_single_float=True)), msgpack.packb(0.5))
    for value, status in ((2**63, UNREPRESENTABLE), (2**64 - 1, UNREPRESENTABLE), (msgpack.ExtType(5, b"x"), UNREPRESENTABLE),
                          (msgpack.Timestamp(1), UNREPRESENTABLE), (nested(65), TOO_DEEP), ({(1, 2): 3}, UNREPRESENTABLE)):
        expect(value, echo(msgpack.packb(value)), status)
    expect("old raw strings", echo(msgpack.packb(b"\xff", use_bin_type=False)), MALFORMED)
    expect("a part", echo(msgpack.packb([1, "text"])[:-1]), TRUNCATED)
    expect("its end", echo.close(), 0)
    print(f"{len(values)} values there and back")


main()
