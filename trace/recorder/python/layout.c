/* SPDX-License-Identifier: MIT
 *
 * Where CPython keeps what is read, by version, and the proof that the running one does. Frames are read from memory
 * because the functions that hand them out make objects, which may start a garbage collection and with it any code.
 *
 * The proof is made once, on the frames that are there when a thread holds the interpreter's lock: everything
 * must be of its type, and agree with what CPython's own functions say. No address is followed that the kernel has
 * not found readable, so a wrong layout is found out, not crashed on. From then on it is trusted.
 */
#include "../sys.h"
#include "parts.h"
#include <errno.h>
#include <pthread.h>

struct python_layout python_layout;

/* clang-format off */
static const struct python_layout layouts[] = {
    {.minor = 9, .entry = ENTRY_EVERY, .unit = 1, .at_is_offset = true,
     .state_frame = 24, .state_thread = 176,
     .frame_back = 24, .frame_code = 32, .frame_builtins = 40, .frame_globals = 48, .frame_at = 104, .frame_locals = 360,
     .code_first = 40, .code_file = 104, .code_name = 112, .code_bytes = 120},
    {.minor = 10, .entry = ENTRY_EVERY, .unit = 2, .at_is_offset = true,
     .state_frame = 24, .state_thread = 176,
     .frame_back = 24, .frame_code = 32, .frame_builtins = 40, .frame_globals = 48, .frame_at = 96, .frame_locals = 352,
     .code_first = 40, .code_file = 104, .code_name = 112, .code_bytes = 120},
    {.minor = 11, .entry = ENTRY_FLAG, .unit = 1, .has_cframe = true,
     .state_frame = 56, .cframe_frame = 8, .state_thread = 152,
     .frame_globals = 8, .frame_builtins = 16, .frame_code = 32, .frame_back = 48, .frame_at = 56, .frame_entry = 68,
     .frame_locals = 72,
     .code_first = 72, .code_file = 112, .code_name = 120, .code_qualname = 128, .code_bytes = 184},
    {.minor = 12, .entry = ENTRY_SHIM, .unit = 1, .has_cframe = true,
     .state_frame = 56, .cframe_frame = 0, .state_thread = 136,
     .frame_code = 0, .frame_back = 8, .frame_globals = 24, .frame_builtins = 32, .frame_at = 56, .frame_entry = 70,
     .frame_locals = 72,
     .code_first = 68, .code_file = 112, .code_name = 120, .code_qualname = 128, .code_bytes = 192},
    {.minor = 13, .entry = ENTRY_SHIM, .unit = 1,
     .state_frame = 72, .state_thread = 152,
     .frame_code = 0, .frame_back = 8, .frame_globals = 24, .frame_builtins = 32, .frame_at = 56, .frame_entry = 70,
     .frame_locals = 72,
     .code_first = 68, .code_file = 112, .code_name = 120, .code_qualname = 128, .code_bytes = 200},
};
/* clang-format on */

bool layout_choose(unsigned minor) {
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
    if (layouts[i].minor == minor) {
      python_layout = layouts[i];
      return true;
    }
  return false;
}

/* The kernel reads the set of signals before it refuses the unknown operation. */
bool memory_is_readable(const void *at, size_t size) {
  enum { SET = 8, NO_OPERATION = 0x7fff };
  uintptr_t last = (uintptr_t)at + (size > SET ? size - SET : 0);
  if ((uintptr_t)at < PAGE)
    return false;
  for (uintptr_t each = (uintptr_t)at; each <= last; each = each < last && each + SET > last ? last : each + SET)
    if (sys_call(SYS_rt_sigprocmask, NO_OPERATION, (long)each, 0, SET, 0, 0) == -EFAULT)
      return false;
  return true;
}

static const char *proved_pointer(const char *base, size_t offset) {
  return memory_is_readable(base + offset, sizeof base) ? pointer_at(base, offset) : NULL;
}

static bool is_of_type(const char *object, const void *type) {
  enum { OBJECT_TYPE = 8 };
  return proved_pointer(object, OBJECT_TYPE) == type;
}

static bool is_code(const char *code) {
  return is_of_type(code, python_api.code_type) && memory_is_readable(code, python_layout.code_bytes) &&
         is_of_type(pointer_at(code, python_layout.code_file), python_api.text_type) &&
         is_of_type(pointer_at(code, python_layout.code_name), python_api.text_type) &&
         (!python_layout.code_qualname ||
          is_of_type(pointer_at(code, python_layout.code_qualname), python_api.text_type)) &&
         python_api.PyCode_Addr2Line((void *)(uintptr_t)code, -1) == int_at(code, python_layout.code_first);
}

static bool is_frame(const char *frame) {
  if (!memory_is_readable(frame, python_layout.frame_locals))
    return false;
  if (frame_is_shim(frame))
    return true;
  const char *code = pointer_at(frame, python_layout.frame_code);
  struct python_link link = {frame, code, frame_at(frame), false};
  return is_code(code) && frame_offset(&link) < 1 << 24 && frame_offset(&link) >= -16;
}

static const char *frame_of_state(const char *state) {
  const char *at = proved_pointer(state, python_layout.state_frame);
  return at && python_layout.has_cframe ? proved_pointer(at, python_layout.cframe_frame) : at;
}

enum layout_proof layout_prove(const char *state) {
  if (!memory_is_readable(state, python_layout.state_thread + sizeof(pthread_t)) ||
      *(const pthread_t *)(state + python_layout.state_thread) != pthread_self())
    return LAYOUT_WRONG;
  const char *frame = frame_of_state(state);
  if (!frame)
    return LAYOUT_NO_FRAME;
  if (!is_frame(frame) || pointer_at(frame, python_layout.frame_globals) != python_api.PyEval_GetGlobals() ||
      pointer_at(frame, python_layout.frame_builtins) != python_api.PyEval_GetBuiltins())
    return LAYOUT_WRONG;
  for (unsigned depth = 0; frame && depth < PYTHON_FRAMES; depth++) {
    if (!is_frame(frame))
      return LAYOUT_WRONG;
    frame = pointer_at(frame, python_layout.frame_back);
  }
  return LAYOUT_PROVED;
}
