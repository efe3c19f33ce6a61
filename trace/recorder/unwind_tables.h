/* SPDX-License-Identifier: MIT
 *
 * How the code at an address can be walked. Entered with signals blocked, by any thread.
 */
#ifndef SNARLI_UNWIND_TABLES_H
#define SNARLI_UNWIND_TABLES_H

#include <stdbool.h>
#include <stdint.h>

/* CODE_GENERATED: in no module, so that nothing tells it from data. */
enum code_kind { CODE_NONE, CODE_WITH_TABLES, CODE_WITHOUT_TABLES, CODE_GENERATED };

void unwind_tables_open(void); /* by the constructor */

/* Of an address in the middle of code: of a return address, the one before it. */
enum code_kind code_kind_of(uint64_t pc);

#endif
