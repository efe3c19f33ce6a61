/* SPDX-License-Identifier: MIT
 *
 * The names that Python gives to its threads, read from the frame in which a thread begins: its `self` is the Thread.
 * The attribute is looked up as object.__getattribute__ does, so no method of the program runs; the error that
 * the thread may have pending is put aside.
 */
#include "../append.h"
#include "../clock.h"
#include "parts.h"
#include <pthread.h>

static bool ends_with(const char *text, size_t size, const char *end) {
  size_t length = strlen(end);
  return size >= length && memcmp(text + size - length, end, length) == 0;
}

bool is_bootstrap(const char *function, size_t function_size, const char *file, size_t file_size) {
  return ends_with(function, function_size, "_bootstrap") &&
         (ends_with(file, file_size, "/threading.py") || ends_with(file, file_size, "/multiprocessing/process.py"));
}

static void name_write(struct recorder_thread *thread, const char *text, size_t size) {
  uint32_t blob = size ? blob_append(thread, SNARLI_B_STRING, 0, text, size, NULL, 0) : 0;
  if (!blob)
    return;
  thread->python->is_named = true;
  uint64_t head = snarli_record_head(SNARLI_R_THREAD_NAMED, 0, (uint64_t)pthread_self());
  if (!append_slow(thread, head, blob, clock_now(recorder.clock)))
    process_drop(1);
}

static size_t attribute_read(char *out, size_t room, void *object) {
  void *name = python_api.PyUnicode_InternFromString("_name");
  void *value = name ? python_api._PyObject_GenericGetAttrWithDict(object, name, NULL, 1) : NULL;
  size_t size = value ? text_read(out, room, value) : 0;
  if (value)
    python_api.Py_DecRef(value);
  if (name)
    python_api.Py_DecRef(name);
  return size;
}

void name_read(struct recorder_thread *thread, const struct python_link *bootstrap) {
  void *self = (void *)(uintptr_t)pointer_at(bootstrap->frame, python_layout.frame_locals);
  if (!self || !python_api.has_names)
    return;
  thread->python->named_frame = bootstrap->frame;
  void *type, *value, *traceback;
  python_api.PyErr_Fetch(&type, &value, &traceback);
  size_t size = attribute_read(thread->python->text, PYTHON_TEXT, self);
  python_api.PyErr_Restore(type, value, traceback);
  name_write(thread, thread->python->text, size);
}

void name_first(struct recorder_thread *thread) {
  static const char main_thread[] = "MainThread";
  if (thread->index == 0 && !thread->python->is_named)
    name_write(thread, main_thread, sizeof main_thread - 1);
}
