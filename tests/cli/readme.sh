#!/bin/sh
# SPDX-License-Identifier: MIT
# readme.sh SOURCES: every rule of findings.def stands in the README's table, and no other.
rules=$(sed -n 's/^FINDING([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$1/analyzer/finding/include/snarl/findings.def" | sort)
told=$(sed -n '/^| rule /,/^$/p' "$1/README.md" | cut -d'|' -f2 | grep -o '`[a-z-]*`' | tr -d '`' | sort)
[ -n "$rules" ] && [ "$rules" = "$told" ] && exit 0
printf 'findings.def:\n%s\nREADME.md:\n%s\n' "$rules" "$told"
exit 1
