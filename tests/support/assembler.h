/* SPDX-License-Identifier: MIT
 *
 * Text traces: a few readable lines in, real trace files out, so that tests of the analyzer do not depend on timing.
 *
 *   process 1 app
 *   1.0 thread-create-requested 1     main@app.c:9
 *   1.1 thread-begin 1.1
 *   1.0 mutex-init A recursive        init@lock.c:3 < main@app.c:10
 *   1.0 mutex-requested A             f@app.c:20 < main@app.c:11
 *   1.0 mutex-acquired A              f@app.c:20 < main@app.c:11
 *   1.1 mutex-failed A EBUSY          g@app.c:30
 *
 * Lines. `#` at a line's begin or after a space begins a comment. The clock begins at 0 ns and goes on by 1000 ns with
 * each process or record line; `@5000` before a line, or alone, sets it, `@+5000` moves it.
 *
 *   process PID PROGRAM [OPTION...]    a new image. Threads `PID.INDEX` mean the last image of that PID from here on.
 *                                      Writes `PID.0 process-begin PARENT`. Options:
 *     forked-from PID                    began with fork, in that image
 *     parent PID                         spawned by that process, whether it is in the trace or not
 *     exec                               replaces the image that had this PID before
 *     bare                               without the process-begin record
 *     command TEXT...                    argv, to the end of the line; else PROGRAM
 *   thread PID.INDEX NAME              = PID.INDEX thread-named PID.INDEX "NAME"
 *   shared NAME [PATH]                 object NAME lies in memory that all images share, at an address of its own in
 * each PID.INDEX RECORD [OPERAND...]      a record, called as in records.def; its operands, in this order: object
 * ADDRESS: a name (the same name is the same address) or 0x...; HANDLE and INDEX: `PID.INDEX` or INDEX; PID, NUMBER: a
 * number, 0x... or `any` (0); DESCRIPTOR: a number; TRANSFER: a descriptor and an amount; STRING: "text"; NONE: nothing
 * argument FLAGS: try timed in-wait owner-died detached vfork spawn ended, any of them; TYPE: recursive errorcheck
 * adaptive robust shared prefer-writer priority c11; ENDS: receive send made outside unlinked; ERRNO: EBUSY or a
 * number; COUNT: a number; UNITS: try timed undo together units=N (1 if left out); `arg=N` sets it raw; may be left out
 * aux          STACK: FRAME < FRAME ..., innermost first; FRAME: FUNCTION@FILE:LINE, `pc:0x1234` (without a symbol),
 * `...` (deeper frames were not walked) or `signal` (inside of it is a handler); BLOB: "text"; VALUE: a number;
 * CHANNEL: `pipe`, `socket` or another kind, the number or name of this end, and any of `to NAME`, `capacity N`,
 * `content N`, `named NAME`, then a STACK; `aux=N` sets it raw; may be left out
 *
 * What a recorder can leave behind:
 *
 *   killed PID                         the image never ended. Else it has, with status 0, or by
 *   ended PID STATUS
 *   dropped PID COUNT [ERRNO]          records lost in all; recording stopped because of no space
 *   window PID.INDEX                   the thread's next record begins a new window
 *   hole PID.INDEX [COUNT]             rows that were claimed and never filled
 *   handover PID.INDEX PID.INDEX       the first thread has ended: what is left of its window is the second one's
 *   module PID PATH BASE LO HI [BUILD-ID-IN-HEX]
 *   unload PID BASE
 *   map PID LO HI DEVICE INODE OFFSET [PATH]
 *   unmap PID LO HI
 *   rate PID TICKS-PER-SECOND          of the clock (0: unknown); else 1000000000
 */
#ifndef SNARL_TESTS_ASSEMBLER_H
#define SNARL_TESTS_ASSEMBLER_H

#include <snarl/trace/reader.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the trace files into `dir`, which is made if it does not exist. 0, or -1 with a line like
 * "line 3: unknown record 'mutex-lock'" in `error`. */
int trace_assemble(const char *text, const char *dir, char *error, size_t size);

/* All records of the trace as `snarl dump` shows them, then its problems. */
void trace_disassemble(struct trace *trace, FILE *out);

/* A text trace assembled into a directory of its own under $TMPDIR and opened; closing removes the directory. False,
 * with the reason on stderr, if either failed. */
struct assembled {
  struct trace *trace;
  char directory[256];
};
bool assembled_open(struct assembled *assembled, const char *text);
void assembled_close(struct assembled *assembled);

#endif
