#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# exports.sh NAMES LIBRARY: the library exports exactly what NAMES prints, under those versions. (nm also lists the
# version nodes themselves.)
set -euo pipefail
export LC_ALL=C
diff <("$1" | sort) <(nm -D --defined-only --with-symbol-versions "$2" | awk '{print $3}' | grep -v '^GLIBC_[0-9.]*$' | sort)
