#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# unseen.sh LIBRARY SNARL PROGRAM COUNT: recorded, PROGRAM leaves COUNT records that say that its freeing is not seen.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
LD_PRELOAD=$1 SNARL_TRACE=$directory "$3" >/dev/null
count=$("$2" dump "$directory" | grep -c ' freeing-unseen' || true)
[ "$count" = "$4" ] || { echo "$count, not $4"; exit 1; }
