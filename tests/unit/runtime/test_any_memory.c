/* SPDX-License-Identifier: MIT
 *
 * Any with each allocation failing once in its turn: it is told, the lists and dicts are as they were, nothing is lost
 * and all is given back. And how much memory a message can make its receiver take. The allocator is wrapped by the
 * linker.
 */
#include "any/pack.h"
#include "random_any.h"
#include "test_runtime.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static long before_failure = -1, blocks, bytes, most_bytes;

static bool fails(void) { return before_failure-- == 0; }

static void *counted(void *memory) {
  blocks += memory != NULL;
  bytes += (long)malloc_usable_size(memory);
  most_bytes = bytes > most_bytes ? bytes : most_bytes;
  return memory;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }
void *__wrap_realloc(void *memory, size_t size) {
  if (fails())
    return NULL;
  bytes -= (long)malloc_usable_size(memory);
  blocks -= memory != NULL;
  return counted(__real_realloc(memory, size));
}
void __wrap_free(void *memory) {
  blocks -= memory != NULL;
  bytes -= (long)malloc_usable_size(memory);
  __real_free(memory);
}

/* Runs it with the first, the second, ... allocation failing, until it needs no more. It says whether it was told. */
static void with_failures(int (*scenario)(void)) {
  enum { MOST = 1000 };
  long n = 0;
  for (bool has_failed = true; has_failed; n++) {
    assert_true(n < MOST);
    long before = blocks;
    before_failure = n;
    int status = scenario();
    has_failed = before_failure < 0;
    before_failure = -1;
    assert_int_equal(status, has_failed ? SNARL_NO_MEMORY : SNARL_OK);
    assert_int_equal(blocks, before);
  }
  assert_true(n > 1);
  printf("%ld allocations\n", n - 1);
}

static int make_string(void) {
  snarl_auto_any string = snarl_any_of("text");
  return snarl_any_status(string);
}

static int make_bytes(void) {
  snarl_auto_any value = snarl_any_bytes("text", 4);
  return snarl_any_status(value);
}

static int format_string(void) {
  snarl_auto_any string = snarl_any_stringf("%s %d", "text", 7);
  return snarl_any_status(string);
}

/* The first that failed, once; whatever it was is as it was before. */
static int fill_list(void) {
  snarl_auto_any list = snarl_any_list();
  int first = snarl_any_status(list);
  for (size_t i = 0; !first && i < 40; i++) {
    int status = snarl_any_list_append(list, "text");
    if (status && snarl_any_length(list) == i && !(status = snarl_any_list_append(list, "text")))
      first = SNARL_NO_MEMORY;
    if (status || snarl_any_length(list) != i + 1)
      return SNARL_FAILED;
  }
  return first;
}

static int fill_dict(void) {
  snarl_auto_any dict = snarl_any_dict();
  int first = snarl_any_status(dict);
  char key[16];
  for (size_t i = 0; !first && i < 40; i++) {
    (void)snprintf(key, sizeof key, "key %zu", i);
    int status = snarl_any_dict_set(dict, key, "text");
    if (status && !snarl_any_dict_has(dict, key) && !(status = snarl_any_dict_set(dict, key, "text")))
      first = SNARL_NO_MEMORY;
    if (status || snarl_any_length(dict) != i + 1 || !snarl_any_dict_has(dict, key))
      return SNARL_FAILED;
  }
  return first;
}

static int make_several(void) {
  snarl_auto_any dict = snarl_any_dict_of("one", "text", "two", snarl_any_list_of("a", 2, "b"));
  return snarl_any_status(dict);
}

static snarl_any sample;

static int copy_sample(void) {
  snarl_auto_any copy = snarl_any_copy(sample);
  return snarl_any_is_error(copy) || snarl_any_equal(copy, sample) ? snarl_any_status(copy) : SNARL_FAILED;
}

static int send_sample(void) {
  struct snarli_packed packed;
  snarl_auto_any again = SNARL_NIL;
  int status = snarli_packed_begin(&packed, sample);
  if (!status) {
    status = snarli_any_unpack(packed.bytes, packed.size, &again);
    snarli_packed_end(&packed);
  }
  return snarl_any_equal(again, status ? SNARL_NIL : sample) ? status : SNARL_FAILED;
}

static void test_no_memory(void **state) {
  (void)state;
  uint64_t seed = 3;
  sample = snarl_any_list();
  while (snarl_any_length(sample) < 10)
    assert_int_equal(snarl_any_list_append(sample, random_any(&seed, 3)), SNARL_OK);
  snarl_any big = snarl_any_dict();
  for (int i = 0; i < 20; i++)
    assert_int_equal(snarl_any_dict_set(big, i, "item"), SNARL_OK);
  assert_int_equal(snarl_any_list_append(sample, big), SNARL_OK);
  int (*const scenarios[])(void) = {make_string, make_bytes, format_string, make_several,
                                    fill_list,   fill_dict,  copy_sample,   send_sample};
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    with_failures(scenarios[i]);
  snarl_any_drop(&sample);
}

/* A list of `count` times these bytes; pairs if they are a dict's. */
static void assert_growth(char first, const char *item, size_t size, uint32_t count) {
  char *message = __real_malloc(5 + size * count), *end = message + 5;
  assert_non_null(message);
  memcpy(message, (char[]){first, (char)(count >> 24), (char)(count >> 16), (char)(count >> 8), (char)count}, 5);
  for (uint32_t i = 0; i < count; i++, end += size)
    memcpy(end, item, size);
  for (uint32_t i = 0; first == (char)0xdf && size == 6 && i < count; i++)
    memcpy(message + 5 + i * size + 1, &i, sizeof i); /* keys that differ */
  snarl_any value;
  long before = most_bytes = bytes;
  assert_int_equal(snarli_any_unpack(message, (size_t)(end - message), &value), SNARL_OK);
  double growth = (double)(most_bytes - before) / (double)(end - message);
  printf("%02x %02x...: %.1f bytes for each\n", (unsigned char)first, (unsigned char)*item, growth);
  assert_true(growth <= SNARLI_ANY_GROWTH);
  snarl_any_drop(&value);
  __real_free(message);
}

static void test_growth(void **state) {
  (void)state;
  assert_growth((char)0xdd, "\x01", 1, 10000);
  assert_growth((char)0xdd, "\xa0", 1, 10000);
  assert_growth((char)0xdd, "\xc4\0", 2, 10000);
  assert_growth((char)0xdd, "\x90", 1, 10000);
  assert_growth((char)0xdd, "\x80", 1, 10000);
  assert_growth((char)0xdd, "\x81\x01\x80", 3, 10000);
  assert_growth((char)0xdf, "\x01\x80", 2, 10000);
  assert_growth((char)0xdf, "\xa0\x80", 2, 16385);
  assert_growth((char)0xdf, "\xce\0\0\0\0\x80", 6, 16385);
  assert_growth((char)0xdf, "\x01\x01", 2, 16385);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_memory), cmocka_unit_test(test_growth)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
