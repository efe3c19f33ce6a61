#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Records an unmodified Python program that ends well, and shows the deadlock that it can run into on another day.
set -euo pipefail
build=${1:?usage: demo.sh BUILD}
cd "$(dirname "$0")/.."
out=$build/demo
rm -rf "$out"
mkdir -p "$out"

echo
echo "\$ snarl run -- python3 examples/opposite_order.py"
status=0
"$build/bin/snarl" run -o "$out/trace" --on-deadlock=kill --fail-on=warning -f text -f "svg=$out/lock-order.svg" -f "png=$out/lock-order.png" \
    -f "json=$out/report.json" -- /usr/bin/python3 examples/opposite_order.py || status=$?
if [ "$status" -ne 66 ]; then
    echo "demo: expected a finding (exit status 66), got exit status $status" >&2
    exit 1
fi
echo
echo "The picture:  $out/lock-order.svg  (also as .png)"
echo "The report:   $out/report.json     (the same for machines)"
echo "The trace:    $out/trace           (try: $build/bin/snarl info $out/trace)"
