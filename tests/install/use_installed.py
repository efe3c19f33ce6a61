#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""use_installed.py CMAKE BUILD CC CXX SMOKE EXAMPLE: installs BUILD into an empty prefix and uses it as a stranger would. Each header
compiles alone, as strict C11 and C++17; a C++ program builds with what pkg-config says, a C program with find_package; both run, the
second also under the installed command. A staged installation has the same files."""
import os
import re
import subprocess
import sys
import tempfile

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(stranger LANGUAGES C)
find_package(snarl 0.1 REQUIRED)
add_executable(stranger "{example}")
target_link_libraries(stranger PRIVATE snarl::snarl)
"""


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def headers_alone(include, cc, cxx):
    """The headers that snarl.h names are those of the library; others in the folder are the analyzer's and the trace's."""
    with open(os.path.join(include, "snarl", "snarl.h"), encoding="utf-8") as umbrella:
        names = ["snarl/snarl.h"] + re.findall(r"#include <(snarl/\w+\.h)>", umbrella.read())
    if len(names) < 12:
        sys.exit(f"few headers: {names}")
    for name in names:
        source = f"#include <{name}>\n#include <{name}>\nextern int used;\n"
        run(cc, "-std=c11", *STRICT, "-I", include, "-x", "c", "-", input=source)
        run(cxx, "-std=c++17", *STRICT, "-I", include, "-x", "c++", "-", input=source)
    print(f"{len(names)} headers compile alone, as C11 and as C++17")


def with_pkg_config(prefix, cxx, smoke):
    libraries = next(root for root, _, files in os.walk(prefix) if "snarl.pc" in files)
    environment = dict(os.environ, PKG_CONFIG_PATH=libraries)
    flags = run("pkg-config", "--cflags", "--libs", "snarl", env=environment).split()
    library_folder = run("pkg-config", "--variable=libdir", "snarl", env=environment).strip()
    program = os.path.join(prefix, "smoke")
    run(cxx, "-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror", smoke, "-o", program, *flags, f"-Wl,-rpath,{library_folder}")
    run(program)
    print("a C++17 program builds by pkg-config and runs")


def with_find_package(prefix, cmake, example):
    folder = os.path.join(prefix, "stranger")
    os.mkdir(folder)
    with open(os.path.join(folder, "CMakeLists.txt"), "w", encoding="utf-8") as project:
        project.write(PROJECT.format(example=example))
    run(cmake, "-S", folder, "-B", os.path.join(folder, "build"), f"-DCMAKE_PREFIX_PATH={prefix}")
    run(cmake, "--build", os.path.join(folder, "build"))
    program = os.path.join(folder, "build", "stranger")
    run(program, env=dict(os.environ, SNARL_TIME_SCALE="0.01"))
    print("a C program builds by find_package and runs")
    return program


def with_command(prefix, program):
    """The command finds the shim that was installed beside it."""
    environment = {name: value for name, value in os.environ.items() if name != "SNARL_LIBDIR"}
    report = run(os.path.join(prefix, "bin", "snarl"), "run", "--", program, env=dict(environment, SNARL_TIME_SCALE="0.01"))
    if "no findings in" not in report:
        sys.exit(f"the installed command says:\n{report}")
    print("the installed command records it")


def files_below(folder):
    return {os.path.relpath(os.path.join(root, name), folder) for root, _, files in os.walk(folder) for name in files}


def staged(stage, installed, cmake, build):
    """With DESTDIR, as packagers do: the prefix lies below it, and nothing else does."""
    run(cmake, "--install", build, "--prefix", "/opt/snarl", env=dict(os.environ, DESTDIR=stage))
    if files_below(stage) != {os.path.join("opt/snarl", name) for name in installed}:
        sys.exit(f"staged are {sorted(files_below(stage))}, installed {sorted(installed)}")
    if not {f"share/man/man1/snarl{page}.1" for page in ("", "-run", "-record", "-analyze", "-graph", "-dump", "-info")} <= installed:
        sys.exit(f"pages are missing: {sorted(installed)}")
    print(f"{len(installed)} files can be staged")


def main():
    cmake, build, cc, cxx, smoke, example = sys.argv[1:]
    with tempfile.TemporaryDirectory() as prefix, tempfile.TemporaryDirectory() as stage:
        run(cmake, "--install", build, "--prefix", prefix)
        staged(stage, files_below(prefix), cmake, build)
        headers_alone(os.path.join(prefix, "include"), cc, cxx)
        with_pkg_config(prefix, cxx, smoke)
        with_command(prefix, with_find_package(prefix, cmake, example))


main()
