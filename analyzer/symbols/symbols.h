/* SPDX-License-Identifier: MIT
 *
 * Offline symbolization: stacks of a trace become frames with function, file and line, inlined frames included.
 * Uses the trace's own symbols first, then elfutils' libdw on the modules (checked by build id), then the symbol table,
 * then module + offset. Results are cached by (module, offset) and by stack. One thread per struct symbols.
 */
#ifndef SNARL_SYMBOLS_H
#define SNARL_SYMBOLS_H

#include <snarl/finding.h>
#include <snarl/trace/reader.h>

struct symbols;

struct symbols *symbols_new(const struct trace *trace); /* NULL: out of memory */
void symbols_free(struct symbols *symbols);

/* The frames of `stack` as they were at `time`. Frames and strings belong to `symbols` and are shared between calls.
 * Never fails: what is unknown is "" and 0. */
struct finding_stack symbols_stack(struct symbols *symbols, uint32_t process, uint32_t stack, uint64_t time);

/* The function that begins at `pc` or contains it, "" if unknown. */
const char *symbols_function(struct symbols *symbols, uint32_t process, uint64_t pc, uint64_t time);

/* The variable that lies at `address` of a module's data, *offset bytes into it; "" if none is known there. */
const char *symbols_variable(struct symbols *symbols, uint32_t process, uint64_t address, uint64_t time,
                             uint64_t *offset);

/* What could not be used, one line each: files that changed or went away since the recording. Grows as stacks are asked
 * for. */
size_t symbols_problem_count(const struct symbols *symbols);
const char *symbols_problem_at(const struct symbols *symbols, size_t i);

#endif
