# SPDX-License-Identifier: MIT
"""Servers and interpreters under load, as bench.py runs them: each workload starts its program with a given environment (with or
without the recorder in it), loads it from unrecorded clients, stops it, and returns microseconds per operation."""
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

POSTGRES = "/usr/lib/postgresql/15/bin"
PYTHON_LOOPS = """
import queue, threading, time
def work(lock, numbers, out):
    for _ in range(20000):
        with lock:
            numbers[0] += 1
    for i in range(5000):
        out.put(i)
begin = time.perf_counter()
lock, numbers, out = threading.Lock(), [0], queue.Queue()
threads = [threading.Thread(target=work, args=(lock, numbers, out)) for _ in range(4)]
[t.start() for t in threads]
for _ in range(4 * 5000):
    out.get()
[t.join() for t in threads]
assert numbers[0] == 80000
print((time.perf_counter() - begin) * 1e6 / 100000)
"""


@contextlib.contextmanager
def running(command, environment, **options):
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def connected(make, server, seconds=20):
    """A connection to a server that is still starting."""
    end = time.monotonic() + seconds
    while True:
        try:
            return make()
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.02)


def unix_socket(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def redis(environment):
    with tempfile.TemporaryDirectory(prefix="snarl-redis-") as folder:
        path = os.path.join(folder, "socket")
        command = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--io-threads", "2", "--dir", folder]
        with running(command, environment) as server:
            connected(lambda: unix_socket(path), server).close()
            done = subprocess.run(["redis-benchmark", "-s", path, "-q", "-t", "set", "-n", "60000", "-c", "20", "--csv"],
                                  capture_output=True, text=True, check=True)
    return 1e6 / float(done.stdout.splitlines()[-1].split(",")[1].strip('"'))


def memcached(environment):
    batches, batch = 60, 1000
    with tempfile.TemporaryDirectory(prefix="snarl-memcached-") as folder:
        path = os.path.join(folder, "socket")
        with running(["memcached", "-u", "root", "-s", path, "-t", "2"], environment) as server:
            connection = connected(lambda: unix_socket(path), server)
            connection.sendall(b"set key 0 0 5\r\nhello\r\n")
            answer = connection.makefile("rb")
            assert answer.readline() == b"STORED\r\n"
            reply = b"VALUE key 0 5\r\nhello\r\nEND\r\n" * batch
            begin = time.monotonic()
            for _ in range(batches):
                connection.sendall(b"get key\r\n" * batch)
                assert answer.read(len(reply)) == reply
            seconds = time.monotonic() - begin
            connection.close()
    return seconds * 1e6 / (batches * batch)


def pgbench(environment):
    def as_postgres(*command, **options):
        return subprocess.run(command, user="postgres", group="postgres", extra_groups=[], cwd="/", check=True,
                              capture_output=True, text=True, **options)

    folder = tempfile.mkdtemp(prefix="snarl-postgres-")
    try:
        shutil.chown(folder, "postgres", "postgres")
        if environment.get("SNARL_TRACE"):
            shutil.chown(environment["SNARL_TRACE"], "postgres", "postgres")
            os.chmod(os.path.dirname(environment["SNARL_TRACE"]), 0o755)
        data = os.path.join(folder, "data")
        as_postgres(f"{POSTGRES}/initdb", "-D", data, "-A", "trust", "--no-sync")
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        with running([f"{POSTGRES}/postgres", "-D", data, *options], environment, user="postgres", group="postgres",
                     extra_groups=[], cwd="/") as server:
            connected(lambda: unix_socket(f"{folder}/.s.PGSQL.5432"), server).close()
            deadline = time.monotonic() + 20  # it listens before it lets anybody in
            while subprocess.run([f"{POSTGRES}/pg_isready", "-q", "-h", folder]).returncode:
                assert time.monotonic() < deadline, "postgres does not start"
                time.sleep(0.05)
            as_postgres("pgbench", "-h", folder, "-i", "-q", "postgres")
            done = as_postgres("pgbench", "-h", folder, "-c", "2", "-t", "2000", "postgres")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tps = next(line for line in done.stdout.splitlines() if line.startswith("tps ="))
    return 1e6 / float(tps.split()[2])


def python_loops(environment):
    return float(subprocess.run(["/usr/bin/python3", "-c", PYTHON_LOOPS], env=environment, capture_output=True, text=True,
                                check=True).stdout)


WORKLOADS = [("redis-server, SET", redis), ("memcached, get", memcached), ("postgres, pgbench -c 2", pgbench),
             ("python3, locks and queues", python_loops)]
