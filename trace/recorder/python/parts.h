/* SPDX-License-Identifier: MIT
 *
 * What the files of this folder share.
 */
#ifndef SNARLI_RECORDER_PYTHON_PARTS_H
#define SNARLI_RECORDER_PYTHON_PARTS_H

#include "python.h"
#include <string.h>
#include <sys/types.h>

/* The functions of CPython that are called. These only look: they allocate nothing, take no reference and run no Python
 * code. */
#define PYTHON_FUNCTIONS                                                                                               \
  FUNCTION(void *, PyGILState_GetThisThreadState, (void))                                                              \
  FUNCTION(void *, PyEval_GetGlobals, (void))                                                                          \
  FUNCTION(void *, PyEval_GetBuiltins, (void))                                                                         \
  FUNCTION(int, PyCode_Addr2Line, (void *code, int offset))                                                            \
  FUNCTION(ssize_t, PyUnicode_GetLength, (void *text))                                                                 \
  FUNCTION(uint32_t, PyUnicode_ReadChar, (void *text, ssize_t index))                                                  \
  FUNCTION(const char *, Py_GetVersion, (void))

/* These are called for names alone, by a thread that holds the interpreter's lock, and may be missing. */
#define PYTHON_NAME_FUNCTIONS                                                                                          \
  FUNCTION(void *, PyUnicode_InternFromString, (const char *text))                                                     \
  FUNCTION(void *, _PyObject_GenericGetAttrWithDict, (void *object, void *name, void *dict, int is_quiet))             \
  FUNCTION(void, Py_DecRef, (void *object))                                                                            \
  FUNCTION(void, PyErr_Fetch, (void **type, void **value, void **traceback))                                           \
  FUNCTION(void, PyErr_Restore, (void *type, void *value, void *traceback))

struct python_api {
#define FUNCTION(result, name, parameters) result(*name) parameters;
  PYTHON_FUNCTIONS
  PYTHON_NAME_FUNCTIONS
#undef FUNCTION
  void *(*current)(void); /* the thread state that holds the interpreter's lock, or from 3.12 on the calling thread's */
  bool has_names;
  const void *code_type, *text_type;
  uint64_t eval_lo, eval_hi; /* the interpreter's loop */
};
extern struct python_api python_api;

/* layout.c: where things lie in a version of CPython, as offsets */
enum python_entry {
  ENTRY_EVERY, /* each Python frame has a C frame of the loop */
  ENTRY_FLAG,  /* those with a flag have */
  ENTRY_SHIM   /* those whose caller is a frame that belongs to the C stack */
};
struct python_layout {
  uint16_t minor;
  bool has_cframe; /* thread state -> cframe -> frame, else thread state -> frame */
  uint16_t state_frame, cframe_frame;
  uint16_t state_thread;
  uint16_t frame_code, frame_globals, frame_builtins, frame_back, frame_at, frame_entry, frame_locals;
  uint16_t code_first, code_file, code_name, code_bytes; /* bytes: the instructions, or where what is read ends */
  uint16_t code_qualname;                                /* 0: there is none */
  uint8_t entry;                                         /* enum python_entry */
  uint8_t unit;                                          /* bytes of code that a step of `at` is */
  bool at_is_offset; /* `at` is an int from the code's start, else a pointer into it */
};
extern struct python_layout python_layout;
bool layout_choose(unsigned minor);
/* Proves the layout on the frames that are there; the calling thread holds the interpreter's lock. */
enum layout_proof { LAYOUT_WRONG, LAYOUT_PROVED, LAYOUT_NO_FRAME };
enum layout_proof layout_prove(const char *state);
bool memory_is_readable(const void *at, size_t size);

static inline const char *pointer_at(const char *base, size_t offset) { return *(const char *const *)(base + offset); }
static inline int32_t int_at(const char *base, size_t offset) { return *(const int32_t *)(base + offset); }

/* frames.c: the chain of Python's frames */
enum { PYTHON_FRAMES = 256 };
struct python_link {
  const char *frame, *code, *at;
  bool is_entry; /* the next one outwards belongs to another C frame */
};
struct python_walk {
  struct python_link links[PYTHON_FRAMES]; /* innermost first */
  uint32_t count;
  bool is_cut;
  uint64_t fingerprint; /* never 0 */
};
bool frame_is_shim(const char *frame); /* one that only stands for a C frame of the loop */
const char *frame_at(const char *frame);
void frames_walk(struct python_walk *walk, const char *state);
int frame_offset(const struct python_link *link); /* of the instruction in the code, in bytes; < 0: not begun */

/* A thread's part. */
struct python_place { /* what a place in a function is called, remembered */
  const char *code, *at, *name, *file;
  int32_t first;
  bool is_bootstrap;
  uint64_t pc;
};
struct python_combined {
  uint64_t fingerprint; /* 0: free */
  uint32_t c, id;
};
enum { PYTHON_PLACES = 1024, PYTHON_COMBINED = 2048, PYTHON_TEXT = 8192 };

/* Who holds the interpreter's lock, as far as the records of this thread tell. */
enum python_state {
  PYTHON_UNKNOWN,
  PYTHON_HOLDS,    /* it did at the last call */
  PYTHON_DROPPING, /* it is locking the mutex with which it gives the lock up */
  PYTHON_DROPPED   /* it gave it up and has not taken it since: its frames cannot have changed */
};
struct python_thread {
  uint32_t index; /* of the thread that this is about */
  enum python_state state;
  uint64_t drop_site, gil; /* DROPPING: the call; DROPPED: the mutex */
  uint64_t fingerprint;    /* of what `pcs` were made from, 0: nothing */
  uint64_t pcs[PYTHON_FRAMES];
  const char *named_frame;   /* the name was read there */
  bool is_named, is_settled; /* settled: it was looked for a name */
  struct python_walk walk;
  uint64_t joined[PYTHON_FRAMES + 512]; /* 512: the frames of a C stack */
  struct python_place places[PYTHON_PLACES];
  struct python_combined combined[PYTHON_COMBINED];
  char text[PYTHON_TEXT];
};

/* symbols.c: a synthetic pc, described in the trace, for a place in a function; 0: it cannot be described */
void symbols_forget(void);
uint64_t symbol_of(struct recorder_thread *thread, const struct python_link *link, struct python_place *place);
size_t text_read(char *out, size_t room, void *text); /* as UTF-8; 0: not a string */

/* names.c: the names of threads and processes */
bool is_bootstrap(const char *function, size_t function_size, const char *file, size_t file_size);
void name_read(struct recorder_thread *thread, const struct python_link *bootstrap);
void name_first(struct recorder_thread *thread);

#endif
