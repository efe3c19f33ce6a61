/* SPDX-License-Identifier: MIT
 *
 * A place in a Python function as a pc. It is made from what the place is called (function, file, line), so it is
 * the same in all threads and processes, and lies where no machine has addresses. A symbol in the trace describes it,
 * once in a file; two threads that come at the same time both write it.
 */
#include "../clock.h"
#include "../sys.h"
#include "parts.h"

enum { WRITTEN = 1 << 16, PROBES = 16 };
static _Atomic(_Atomic uint64_t *) written; /* the pcs whose symbol is in the file */

static _Atomic uint64_t *written_table(void) {
  _Atomic uint64_t *table = atomic_load_explicit(&written, memory_order_acquire);
  if (table)
    return table;
  _Atomic uint64_t *fresh = memory_new(WRITTEN * sizeof *fresh, false);
  if (fresh &&
      !atomic_compare_exchange_strong_explicit(&written, &table, fresh, memory_order_acq_rel, memory_order_acquire)) {
    sys_munmap((void *)fresh, WRITTEN * sizeof *fresh);
    return table;
  }
  return fresh;
}

void symbols_forget(void) {
  _Atomic uint64_t *table = atomic_exchange_explicit(&written, NULL, memory_order_relaxed);
  if (table)
    sys_munmap((void *)table, WRITTEN * sizeof *table);
}

/* Where `pc` is or may be put; NULL: no room, it is written again. */
static _Atomic uint64_t *written_slot(uint64_t pc) {
  _Atomic uint64_t *table = written_table();
  for (unsigned probe = 0; table && probe < PROBES; probe++) {
    _Atomic uint64_t *slot = &table[(pc + probe) % WRITTEN];
    uint64_t found = atomic_load_explicit(slot, memory_order_acquire);
    if (!found || found == pc)
      return slot;
  }
  return NULL;
}

static size_t encode_utf8(char *out, uint32_t c) {
  if (c < 0x80)
    return out[0] = c ? (char)c : '?', 1;
  if (c < 0x800)
    return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f)), 2;
  if (c >= 0xd800 && c < 0xe000)
    return out[0] = '?', 1; /* half a character, as Python keeps bytes that are no UTF-8 */
  if (c < 0x10000)
    return out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f)), out[2] = (char)(0x80 | (c & 0x3f)),
           3;
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3f));
  out[2] = (char)(0x80 | (c >> 6 & 0x3f));
  out[3] = (char)(0x80 | (c & 0x3f));
  return 4;
}

size_t text_read(char *out, size_t room, void *text) {
  enum { OBJECT_TYPE = 8 };
  if (!text || pointer_at(text, OBJECT_TYPE) != python_api.text_type)
    return 0;
  size_t size = 0;
  ssize_t length = python_api.PyUnicode_GetLength(text);
  for (ssize_t i = 0; i < length && size + 4 <= room; i++)
    size += encode_utf8(out + size, python_api.PyUnicode_ReadChar(text, i));
  return size;
}

static uint64_t hash_bytes(uint64_t hash, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)text[i]) * 1099511628211ull;
  return hash;
}

static uint64_t pc_of(const char *text, size_t size, uint32_t function_size, uint32_t line) {
  uint64_t x = hash_bytes(14695981039346656037ull, text, size) ^ (uint64_t)line << 32 ^ function_size;
  x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 29) * 0x94d049bb133111ebull;
  return SNARLI_PC_SYMBOL | (x ^ x >> 32) >> 2;
}

static void symbol_write(struct recorder_thread *thread, const struct snarli_symbol *symbol, const char *text,
                         size_t size) {
  _Atomic uint64_t *slot = written_slot(symbol->pc);
  if (slot && atomic_load_explicit(slot, memory_order_acquire) == symbol->pc)
    return;
  uint64_t now = clock_now(recorder.clock);
  if (blob_append(thread, SNARLI_B_SYMBOL, now, symbol, sizeof *symbol, text, size) && slot)
    /* After the symbol: who finds it here names it at once. */
    atomic_store_explicit(slot, symbol->pc, memory_order_release);
}

static uint32_t line_of(const struct python_link *link) {
  int offset = frame_offset(link);
  int line = python_api.PyCode_Addr2Line((void *)(uintptr_t)link->code, offset < 0 ? -1 : offset);
  return line > 0 ? (uint32_t)line : (uint32_t)int_at(link->code, python_layout.code_first);
}

/* A code object that is being deallocated may have lost its names already. */
static bool is_alive(const char *code) {
  enum { OBJECT_TYPE = 8 };
  return pointer_at(code, OBJECT_TYPE) == python_api.code_type && *(const ssize_t *)code > 0;
}

uint64_t symbol_of(struct recorder_thread *thread, const struct python_link *link, struct python_place *place) {
  char *text = thread->python->text;
  const char *code = link->code;
  if (!is_alive(code) || frame_offset(link) == INT32_MAX)
    return 0;
  size_t name_at = python_layout.code_qualname ? python_layout.code_qualname : python_layout.code_name;
  size_t function = text_read(text, PYTHON_TEXT / 2, (void *)(uintptr_t)pointer_at(code, name_at));
  size_t file =
      text_read(text + function, PYTHON_TEXT - function, (void *)(uintptr_t)pointer_at(code, python_layout.code_file));
  if (!function || !file)
    return 0;
  struct snarli_symbol symbol = {.line = line_of(link), .function_size = (uint32_t)function};
  symbol.pc = pc_of(text, function + file, symbol.function_size, symbol.line);
  symbol_write(thread, &symbol, text, function + file);
  place->is_bootstrap = is_bootstrap(text, function, text + function, file);
  return symbol.pc;
}
