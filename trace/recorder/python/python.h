/* SPDX-License-Identifier: MIT
 *
 * Python's frames in the stacks of programs that run on CPython, and the names that Python gives to threads. What the
 * recorder calls; the README says how it works. Entered where a stack is asked for, by any thread, never by a signal
 * handler that interrupts it there.
 */
#ifndef SNARLI_RECORDER_PYTHON_H
#define SNARLI_RECORDER_PYTHON_H

#include "../recorder_state.h"

/* The C frames of a call, and what is certain about them. */
struct c_stack {
  uint32_t id;
  uint64_t pc;                         /* the innermost one */
  const struct unwound_frame *callers; /* the others, outwards */
  uint32_t count;
  bool is_cut;
  bool runs_python; /* the interpreter's loop is among them, and no signal frame */
};

/* Looks whether the program is one that runs on CPython; by the constructor. */
void python_find(void);

/* Whether the interpreter's loop is among these frames. */
bool python_runs(const struct unwound_frame *callers, size_t count);

/* The id of the same stack with Python's frames in it; its own id if they are not known. */
uint32_t python_stack(struct recorder_thread *thread, const struct c_stack *c);

/* `thread` has locked a mutex: tells where the interpreter's lock is given up and taken. */
void python_locked(struct recorder_thread *thread, uint64_t mutex);

void python_forget(void); /* after fork: nothing is in the new file */

#endif
