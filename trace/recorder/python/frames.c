/* SPDX-License-Identifier: MIT
 *
 * The chain of Python's frames of the calling thread, read without a side effect. Only while the thread is in a call
 * out of the interpreter's loop and its thread state cannot be taken away (see stacks.c).
 */
#include "parts.h"

bool frame_is_shim(const char *frame) {
  enum { OWNED_BY_C_STACK = 3 };
  return python_layout.entry == ENTRY_SHIM && frame[python_layout.frame_entry] == OWNED_BY_C_STACK;
}

static const char *first_frame(const char *state) {
  const char *at = pointer_at(state, python_layout.state_frame);
  return at && python_layout.has_cframe ? pointer_at(at, python_layout.cframe_frame) : at;
}

const char *frame_at(const char *frame) {
  return python_layout.at_is_offset ? (const char *)(intptr_t)int_at(frame, python_layout.frame_at)
                                    : pointer_at(frame, python_layout.frame_at);
}

int frame_offset(const struct python_link *link) {
  intptr_t steps = python_layout.at_is_offset ? (intptr_t)link->at
                                              : (intptr_t)link->at - (intptr_t)(link->code + python_layout.code_bytes);
  steps *= python_layout.unit;
  return steps < -16 || steps > INT32_MAX ? INT32_MAX : (int)steps;
}

/* What can be told apart without looking into strings. A code object that died may have left its place to another: then
 * one of the names or the line differs. */
static inline uint64_t mixed(uint64_t fingerprint, const struct python_link *link) {
  const char *code = link->code;
  uint64_t x =
      (uint64_t)(uintptr_t)code * 0x9e3779b97f4a7c15ull ^ (uint64_t)(uintptr_t)link->at * 0xc2b2ae3d27d4eb4full;
  x += (uint64_t)(uintptr_t)pointer_at(code, python_layout.code_name) * 0xbf58476d1ce4e5b9ull;
  x += (uint64_t)(uintptr_t)pointer_at(code, python_layout.code_file) * 0x94d049bb133111ebull;
  x += (uint64_t)int_at(code, python_layout.code_first) * 0xd6e8feb86659fd93ull + link->is_entry;
  return ((fingerprint << 23 | fingerprint >> 41) ^ x ^ x >> 32) * 0xff51afd7ed558ccdull;
}

static inline bool is_entry(const char *frame) {
  return python_layout.entry == ENTRY_EVERY || (python_layout.entry == ENTRY_FLAG && frame[python_layout.frame_entry]);
}

void frames_walk(struct python_walk *walk, const char *state) {
  uint64_t fingerprint = 1;
  uint32_t count = 0;
  const char *frame = first_frame(state);
  for (; frame && count < PYTHON_FRAMES; frame = pointer_at(frame, python_layout.frame_back)) {
    if (frame_is_shim(frame)) {
      if (count)
        walk->links[count - 1].is_entry = true;
      continue;
    }
    struct python_link *link = &walk->links[count++];
    *link = (struct python_link){frame, pointer_at(frame, python_layout.frame_code), frame_at(frame), is_entry(frame)};
    fingerprint = mixed(fingerprint, link);
  }
  walk->count = count;
  walk->is_cut = frame != NULL;
  walk->fingerprint = fingerprint ^ fingerprint >> 29;
  if (!walk->fingerprint)
    walk->fingerprint = 1;
}
