#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compare.sh LIBRARY PROGRAM [SNARL]: PROGRAM prints the same and ends the same without the shim, with it, and while it records.
# With SNARL, the command, nothing is found in what was recorded: these programs have no bugs.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
mkdir "$directory/trace"

observe() { # FILE [VARIABLES...]: what the program does in that environment
    local file=$1 status=0
    shift
    env -u SNARL_TRACE -u LD_PRELOAD "$@" "$program" >"$file" 2>&1 || status=$?
    echo "exit status $status" >>"$file"
}

library=$1 program=$2
observe "$directory/native"
observe "$directory/idle" LD_PRELOAD="$library"
observe "$directory/recording" LD_PRELOAD="$library" SNARL_TRACE="$directory/trace"
tail -n 1 "$directory/native" | grep -q '^exit status 0$' || { cat "$directory/native"; exit 1; }
diff "$directory/native" "$directory/idle"
diff "$directory/native" "$directory/recording"
ls "$directory"/trace/*.snarl >/dev/null
[ -z "${3:-}" ] || "$3" analyze --fail-on=note "$directory/trace" >"$directory/report" 2>&1 || { cat "$directory/report"; exit 1; }
