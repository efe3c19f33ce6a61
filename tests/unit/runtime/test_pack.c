/* SPDX-License-Identifier: MIT
 *
 * Any as MessagePack: what is written, what is read, and what of the bytes that others may send is refused.
 */
#include "any/pack.h"
#include "random_any.h"
#include "test_runtime.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BYTES(text) text, sizeof(text) - 1

static int refused(const char *bytes, size_t size) {
  snarl_any value = snarl_any_int(7);
  int status = snarli_any_unpack(bytes, size, &value);
  assert_true(!status || snarl_any_is_nil(value));
  snarl_any_drop(&value);
  return status;
}

static void assert_packed(snarl_any value, const char *bytes, size_t size) {
  char packed[64];
  snarl_any again;
  assert_int_equal(snarli_any_pack(value, packed, sizeof packed), size);
  assert_memory_equal(packed, bytes, size);
  assert_int_equal(snarli_any_unpack(packed, size, &again), SNARL_OK);
  assert_true(snarl_any_equal(value, again));
  snarl_any_drop(&again);
}

static void test_shortest_forms(void **state) {
  (void)state;
  assert_packed(SNARL_NIL, BYTES("\xc0"));
  assert_packed(snarl_any_bool(false), BYTES("\xc2"));
  assert_packed(snarl_any_bool(true), BYTES("\xc3"));
  assert_packed(snarl_any_int(0), BYTES("\0"));
  assert_packed(snarl_any_int(127), BYTES("\x7f"));
  assert_packed(snarl_any_int(128), BYTES("\xcc\x80"));
  assert_packed(snarl_any_int(256), BYTES("\xcd\x01\0"));
  assert_packed(snarl_any_int(65536), BYTES("\xce\0\x01\0\0"));
  assert_packed(snarl_any_int(INT64_MAX), BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"));
  assert_packed(snarl_any_int(-1), BYTES("\xff"));
  assert_packed(snarl_any_int(-32), BYTES("\xe0"));
  assert_packed(snarl_any_int(-33), BYTES("\xd0\xdf"));
  assert_packed(snarl_any_int(-129), BYTES("\xd1\xff\x7f"));
  assert_packed(snarl_any_int(-32769), BYTES("\xd2\xff\xff\x7f\xff"));
  assert_packed(snarl_any_int(INT64_MIN), BYTES("\xd3\x80\0\0\0\0\0\0\0"));
  assert_packed(snarl_any_double(1), BYTES("\xcb\x3f\xf0\0\0\0\0\0\0"));
}

static void test_too_little_room(void **state) {
  (void)state;
  char bytes[8] = "unused.";
  snarl_auto_any text = snarl_any_of("0123456789"), list = snarl_any_list();
  assert_int_equal(snarl_any_list_append(list, snarl_any_keep(text)), SNARL_OK);
  assert_int_equal(snarli_any_pack(list, bytes, 5), 12);
  assert_string_equal(bytes + 5, "d.");
  assert_int_equal(snarli_any_pack(text, NULL, 0), 11);
}

static void test_what_cannot_be_packed(void **state) {
  (void)state;
  struct snarli_packed packed;
  snarl_auto_any outer = snarl_any_list();
  snarl_any inner = outer;
  for (int i = 1; i < SNARL_ANY_DEPTH; i++) {
    snarl_any next = snarl_any_list();
    assert_int_equal(snarl_any_list_append(inner, next), SNARL_OK);
    inner = next;
  }
  assert_int_equal(snarli_packed_begin(&packed, outer), SNARL_OK);
  snarl_auto_any again = SNARL_NIL;
  assert_int_equal(snarli_any_unpack(packed.bytes, packed.size, &again), SNARL_OK);
  assert_true(snarl_any_equal(outer, again));
  snarli_packed_end(&packed);
  assert_int_equal(snarl_any_list_append(inner, snarl_any_dict()), SNARL_OK);
  assert_int_equal(snarli_packed_begin(&packed, outer), SNARL_TOO_DEEP);
  snarli_packed_end(&packed);
  assert_int_equal(snarli_any_pack(snarl_any_error(SNARL_CLOSED), NULL, 0), SNARL_CLOSED);
}

static void test_refused_bytes(void **state) {
  (void)state;
  assert_int_equal(refused("", 0), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\xdd\xff\xff\xff\xff")), SNARL_TRUNCATED); /* a list of 2**32 - 1 items */
  assert_int_equal(refused(BYTES("\xdf\xff\xff\xff\xff")), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\xdb\xff\xff\xff\xff")), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\xc6\xff\xff\xff\xff")), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\x92\x92\x01\x01")), SNARL_TRUNCATED); /* enough for either list, not for both */
  assert_int_equal(refused(BYTES("\x81\x01")), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\xcd\x01")), SNARL_TRUNCATED);
  assert_int_equal(refused(BYTES("\x01\x01")), SNARL_MALFORMED);
  assert_int_equal(refused(BYTES("\xc1")), SNARL_MALFORMED);
  assert_int_equal(refused(BYTES("\xa1\xff")), SNARL_MALFORMED);
  assert_int_equal(refused(BYTES("\xd9\x02\xc0\x80")), SNARL_MALFORMED);
  assert_int_equal(refused(BYTES("\xcf\x80\0\0\0\0\0\0\0")), SNARL_UNREPRESENTABLE);
  assert_int_equal(refused(BYTES("\xd4\x01\x01")), SNARL_UNREPRESENTABLE);
  assert_int_equal(refused(BYTES("\xc7\0\x01")), SNARL_UNREPRESENTABLE);
  assert_int_equal(refused(BYTES("\x81\x90\x01")), SNARL_UNREPRESENTABLE); /* a list as a key */
  assert_int_equal(refused(BYTES("\x81\x80\x01")), SNARL_UNREPRESENTABLE);
  assert_int_equal(refused(BYTES("\x82\x01\x90\x02\x80")), SNARL_OK);
  char deep[SNARL_ANY_DEPTH + 2];
  memset(deep, 0x91, sizeof deep);
  deep[SNARL_ANY_DEPTH] = 1;
  assert_int_equal(refused(deep, SNARL_ANY_DEPTH + 1), SNARL_OK);
  deep[SNARL_ANY_DEPTH] = (char)0x90;
  assert_int_equal(refused(deep, SNARL_ANY_DEPTH + 1), SNARL_TOO_DEEP);
}

static void test_forms_of_others(void **state) {
  (void)state;
  snarl_auto_any value = SNARL_NIL;
  /* {"a": 1.5 of 32 bits, "a": int 8, 5 in eight bytes: empty str 32} */
  assert_int_equal(snarli_any_unpack(BYTES("\xdf\0\0\0\x03\xa1"
                                           "a\xca\x3f\xc0\0\0\xd9\x01"
                                           "a\xd0\x05\xd3\0\0\0\0\0\0\0\x05\xdb\0\0\0\0"),
                                     &value),
                   SNARL_OK);
  snarl_auto_any text = snarl_any_text(value);
  assert_string_equal(snarl_any_as_string(text), "{\"a\": 5, 5: \"\"}");
}

/* Each beginning of right bytes is cut off, whatever it is; with one byte more it is wrong. */
static void test_cut_off(const char *bytes, size_t size) {
  for (size_t cut = 0; cut < size; cut += 1 + cut / 64)
    assert_int_equal(refused(bytes, cut), SNARL_TRUNCATED);
  char *more = malloc(size + 1);
  assert_non_null(more);
  memcpy(more, bytes, size);
  more[size] = 0;
  assert_int_equal(refused(more, size + 1), SNARL_MALFORMED);
  free(more);
}

static void test_random_values(void **state) {
  (void)state;
  const char *given = getenv("SNARL_TEST_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
  printf("seed %llu (SNARL_TEST_SEED)\n", (unsigned long long)seed);
  for (int round = 0; round < 1000; round++) {
    snarl_auto_any value = random_any(&seed, 4), again = SNARL_NIL;
    struct snarli_packed packed;
    assert_int_equal(snarli_packed_begin(&packed, value), SNARL_OK);
    assert_int_equal(snarli_any_unpack(packed.bytes, packed.size, &again), SNARL_OK);
    assert_true(snarl_any_equal(value, again));
    snarl_auto_any copy = snarl_any_copy(again);
    assert_true(snarl_any_equal(copy, value));
    test_cut_off(packed.bytes, packed.size);
    snarli_packed_end(&packed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shortest_forms),        cmocka_unit_test(test_too_little_room),
      cmocka_unit_test(test_what_cannot_be_packed), cmocka_unit_test(test_refused_bytes),
      cmocka_unit_test(test_forms_of_others),       cmocka_unit_test(test_random_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
