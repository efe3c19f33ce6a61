/* SPDX-License-Identifier: MIT
 *
 * Prints what the shim must export, as nm does: one name per line, with its version if it has one.
 */
#include <stdio.h>

#ifdef __x86_64__
#define VERSION_ANY ""
#define VERSION_GLIBC_2_3_2 "@@GLIBC_2.3.2"
#define VERSION_GLIBC_2_15 "@@GLIBC_2.15"
#else
#define VERSION_ANY ""
#define VERSION_GLIBC_2_3_2 ""
#define VERSION_GLIBC_2_15 ""
#endif

int main(void) {
#define WRAP(body, result, object, ret, name, params, args, version) puts(#name VERSION_##version);
#include "../../preload/wrapped.def"
#define ANNOTATION(body, ret, name, params, args) puts(#name);
#include "../../preload/annotations.def"
  return 0;
}
