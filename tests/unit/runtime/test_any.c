/* SPDX-License-Identifier: MIT
 *
 * Any: its types, who holds what, lists and dicts, what is refused, and how it is printed.
 */
#include "test_runtime.h"
#include <locale.h>
#include <math.h>
#include <string.h>

static void assert_printed(snarl_any value, const char *expected) {
  snarl_auto_any text = snarl_any_text(value);
  assert_string_equal(snarl_any_as_string(text), expected);
}

static void test_scalars(void **state) {
  (void)state;
  assert_true(snarl_any_is_nil((snarl_any){0}));
  assert_true(snarl_any_is_nil(SNARL_NIL));
  assert_int_equal(snarl_any_as_int(snarl_any_of(INT64_MIN)), INT64_MIN);
  assert_int_equal(snarl_any_as_int(snarl_any_of((char)-5)), -5);
  assert_int_equal(snarl_any_as_int(snarl_any_of(7ul)), 7);
  assert_int_equal(snarl_any_as_int(snarl_any_of(UINT32_MAX)), UINT32_MAX);
  assert_int_equal(snarl_any_status(snarl_any_of(UINT64_MAX)), SNARL_UNREPRESENTABLE);
  assert_true(snarl_any_is_bool(snarl_any_of((bool)true)) && snarl_any_as_bool(snarl_any_bool(true)));
  assert_false(snarl_any_as_bool(snarl_any_int(1)));
  assert_true(snarl_any_as_double(snarl_any_of(1.5f)) == 1.5);
  assert_true(snarl_any_as_double(snarl_any_of(-3)) == -3.0);
  assert_int_equal(snarl_any_as_int(snarl_any_of(1.5)), 0);
  assert_int_equal(snarl_any_as_int(snarl_any_of(snarl_any_int(9))), 9);
  assert_string_equal(snarl_any_type_name(SNARL_NIL), "nil");
  assert_string_equal(snarl_any_type_name(snarl_any_error(SNARL_TIMEOUT)), "error");
}

static void test_errors(void **state) {
  (void)state;
  assert_int_equal(snarl_any_status(snarl_any_error(SNARL_TIMEOUT)), SNARL_TIMEOUT);
  assert_int_equal(snarl_any_status(snarl_any_error(SNARL_OK)), SNARL_INVALID);
  assert_int_equal(snarl_any_status(snarl_any_int(-1)), SNARL_OK);
  assert_false(snarl_any_equal(snarl_any_error(-1), snarl_any_int(-1)));
  snarl_auto_any list = snarl_any_list(), dict = snarl_any_dict();
  assert_int_equal(snarl_any_list_append(list, snarl_any_error(SNARL_NO_MEMORY)), SNARL_NO_MEMORY);
  assert_int_equal(snarl_any_dict_set(dict, "key", snarl_any_error(SNARL_CLOSED)), SNARL_CLOSED);
  assert_int_equal(snarl_any_dict_set(dict, snarl_any_error(SNARL_CLOSED), 1), SNARL_CLOSED);
  assert_int_equal(snarl_any_list_append(snarl_any_error(SNARL_NO_MEMORY), 1), SNARL_NO_MEMORY);
  assert_int_equal(snarl_any_list_append(dict, "dropped"), SNARL_INVALID);
  assert_int_equal(snarl_any_dict_set(list, "key", "dropped"), SNARL_INVALID);
  assert_int_equal(snarl_any_length(list) + snarl_any_length(dict), 0);
  assert_int_equal(snarl_any_status(snarl_any_list_get(snarl_any_dict_get(dict, "none"), 0)), SNARL_NOT_FOUND);
  assert_printed(snarl_any_error(SNARL_TIMEOUT), "<TIMEOUT>");
}

static void test_strings(void **state) {
  (void)state;
  snarl_auto_any plain = snarl_any_of("Grüße"), printed = snarl_any_stringf("%d%s", 7, "x");
  snarl_auto_any zeros = snarl_any_string_of("a\0b", 3), empty = snarl_any_string(""),
                 bytes = snarl_any_bytes("\xff\0", 2);
  assert_string_equal(snarl_any_as_string(plain), "Grüße");
  assert_int_equal(snarl_any_length(plain), 7);
  assert_string_equal(snarl_any_as_string(printed), "7x");
  assert_memory_equal(snarl_any_as_string(zeros), "a\0b", 4);
  assert_int_equal(snarl_any_length(zeros), 3);
  assert_string_equal(snarl_any_as_string(empty), "");
  assert_null(snarl_any_as_string(bytes));
  assert_null(snarl_any_as_bytes(plain));
  assert_memory_equal(snarl_any_as_bytes(bytes), "\xff", 2);
  assert_int_equal(snarl_any_status(snarl_any_string(NULL)), SNARL_INVALID);
  assert_int_equal(snarl_any_status(snarl_any_bytes(NULL, 1)), SNARL_INVALID);
  snarl_auto_any same = snarl_any_of("Grüße");
  assert_true(snarl_any_equal(plain, same));
  assert_false(snarl_any_equal(plain, printed));
  assert_false(snarl_any_equal(snarl_any_int(1), snarl_any_double(1)));
}

static void test_only_utf8(void **state) {
  (void)state;
  static const char *const wrong[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xff",
                                      "\xe2\x28\xa1",
                                      "12345678\xfe"};
  static const char *const right[] = {"\x7f",           "\xc2\x80",         "\xe0\xa0\x80",     "\xed\x9f\xbf",
                                      "\xee\x80\x80",   "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678",
                                      "1234567\xc3\xa4"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    assert_int_equal(snarl_any_status(snarl_any_string(wrong[i])), SNARL_INVALID);
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    snarl_auto_any string = snarl_any_string(right[i]);
    assert_string_equal(snarl_any_as_string(string), right[i]);
  }
}

static void test_list(void **state) {
  (void)state;
  snarl_auto_any list = snarl_any_list();
  for (int i = 0; i < 100; i++)
    assert_int_equal(snarl_any_list_append(list, i), SNARL_OK);
  assert_int_equal(snarl_any_length(list), 100);
  assert_int_equal(snarl_any_as_int(snarl_any_list_get(list, -1)), 99);
  assert_int_equal(snarl_any_status(snarl_any_list_get(list, 100)), SNARL_NOT_FOUND);
  assert_int_equal(snarl_any_status(snarl_any_list_get(list, -101)), SNARL_NOT_FOUND);
  assert_int_equal(snarl_any_status(snarl_any_list_get(list, INT64_MIN)), SNARL_NOT_FOUND);
  assert_int_equal(snarl_any_list_insert(list, 0, "first"), SNARL_OK);
  assert_int_equal(snarl_any_list_insert(list, 101, "last"), SNARL_OK);
  assert_int_equal(snarl_any_list_insert(list, 104, "dropped"), SNARL_NOT_FOUND);
  assert_int_equal(snarl_any_list_set(list, 50, "middle"), SNARL_OK);
  assert_int_equal(snarl_any_list_set(list, 50, "other"), SNARL_OK);
  assert_int_equal(snarl_any_list_set(list, 102, "dropped"), SNARL_NOT_FOUND);
  snarl_auto_any taken = snarl_any_list_take(list, 50);
  assert_string_equal(snarl_any_as_string(taken), "other");
  int64_t sum = 0;
  snarl_any item;
  snarl_any_each(item, list) sum += snarl_any_as_int(item);
  assert_int_equal(sum, 4950 - 49);
  assert_int_equal(snarl_any_length(list), 101);
}

static void test_dict(void **state) {
  (void)state;
  enum { KEYS = 3000 };
  snarl_auto_any dict = snarl_any_dict();
  char name[32];
  for (int i = 0; i < KEYS; i++) {
    (void)snprintf(name, sizeof name, "key number %d", i);
    assert_int_equal(snarl_any_dict_set(dict, name, i), SNARL_OK);
    assert_int_equal(snarl_any_dict_set(dict, i, name), SNARL_OK);
  }
  for (int i = 0; i < KEYS; i += 3) {
    assert_int_equal(snarl_any_dict_remove(dict, i), SNARL_OK);
    assert_int_equal(snarl_any_dict_remove(dict, i), SNARL_NOT_FOUND);
  }
  assert_int_equal(snarl_any_length(dict), KEYS * 2 - KEYS / 3);
  int64_t expected = 0;
  snarl_any key, item;
  snarl_any_each_pair(key, item, dict) {
    if (snarl_any_is_string(key))
      assert_int_equal(snarl_any_as_int(item), expected++); /* in the order of their coming */
    else
      assert_int_equal(snarl_any_as_int(key) % 3 != 0, true);
  }
  assert_int_equal(expected, KEYS);
  for (int i = 0; i < KEYS; i++) {
    (void)snprintf(name, sizeof name, "key number %d", i);
    assert_int_equal(snarl_any_as_int(snarl_any_dict_get(dict, name)), i);
    assert_int_equal(snarl_any_dict_has(dict, i), i % 3 != 0);
  }
}

static void test_dict_changes(void **state) {
  (void)state;
  snarl_auto_any dict = snarl_any_dict();
  for (int round = 0; round < 1000; round++) { /* holes are filled, not piled up */
    assert_int_equal(snarl_any_dict_set(dict, round, "x"), SNARL_OK);
    if (round > 20)
      assert_int_equal(snarl_any_dict_remove(dict, round - 20), SNARL_OK);
  }
  snarl_any key, item;
  snarl_any_each_pair(key, item, dict) assert_int_equal(snarl_any_dict_remove(dict, key), SNARL_OK);
  assert_int_equal(snarl_any_length(dict), 0);
  assert_int_equal(snarl_any_dict_set(dict, "a", 1), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, "a", "two"), SNARL_OK);
  assert_int_equal(snarl_any_length(dict), 1);
  snarl_auto_any taken = snarl_any_dict_take(dict, "a");
  assert_string_equal(snarl_any_as_string(taken), "two");
  assert_int_equal(snarl_any_status(snarl_any_dict_take(dict, "a")), SNARL_NOT_FOUND);
}

static void test_keys(void **state) {
  (void)state;
  snarl_auto_any dict = snarl_any_dict(), list = snarl_any_list(), bytes = snarl_any_bytes("one", 3);
  assert_int_equal(snarl_any_dict_set(dict, "one", 1), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, bytes, 2), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, 1, 3), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, (bool)true, 4), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, snarl_any_double(1), 5), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, SNARL_NIL, 6), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, list, 7), SNARL_UNREPRESENTABLE);
  assert_int_equal(snarl_any_status(snarl_any_dict_get(dict, list)), SNARL_UNREPRESENTABLE);
  assert_int_equal(snarl_any_dict_set(dict, (char *)NULL, 7), SNARL_INVALID);
  assert_int_equal(snarl_any_dict_set(dict, "\xff", 7), SNARL_INVALID);
  assert_printed(dict, "{\"one\": 1, b\"one\": 2, 1: 3, true: 4, 1.0: 5, null: 6}");
  assert_int_equal(snarl_any_dict_set(dict, 0.5, 7), SNARL_OK);
  assert_int_equal(snarl_any_as_int(snarl_any_dict_get(dict, 0.5f)), 7);
  assert_int_equal(snarl_any_dict_remove(dict, 0.5), SNARL_OK);
  assert_int_equal(snarl_any_as_int(snarl_any_dict_get(dict, 1ul)), 3);
  assert_int_equal(snarl_any_dict_set(dict, UINT64_MAX, "dropped"), SNARL_UNREPRESENTABLE);
  snarl_auto_any one = snarl_any_of("one");
  assert_int_equal(snarl_any_as_int(snarl_any_dict_get(dict, one)), 1);
  assert_int_equal(snarl_any_as_int(snarl_any_dict_get(dict, snarl_any_double(1))), 5);
}

static void test_nothing_holds_itself(void **state) {
  (void)state;
  snarl_auto_any outer = snarl_any_list(), inner = snarl_any_dict(), free = snarl_any_list();
  assert_int_equal(snarl_any_list_append(outer, snarl_any_keep(outer)), SNARL_INVALID);
  assert_int_equal(snarl_any_dict_set(inner, "me", snarl_any_keep(inner)), SNARL_INVALID);
  assert_int_equal(snarl_any_list_append(outer, snarl_any_keep(inner)), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(inner, "outer", snarl_any_keep(outer)), SNARL_INVALID);
  assert_int_equal(snarl_any_list_append(free, snarl_any_keep(outer)), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(inner, "free", snarl_any_keep(free)), SNARL_INVALID);
  snarl_any lent = snarl_any_list_get(outer, 0); /* held once in there, and lent */
  assert_int_equal(snarl_any_dict_set(lent, "x", snarl_any_keep(outer)), SNARL_INVALID);
  assert_int_equal(snarl_any_list_append(outer, snarl_any_keep(inner)), SNARL_OK); /* twice is not within itself */
  assert_printed(free, "[[{}, {}]]");
}

static snarl_any nested(int depth) {
  snarl_any list = snarl_any_list();
  for (int i = 1; i < depth; i++) {
    snarl_any outer = snarl_any_list();
    assert_int_equal(snarl_any_list_append(outer, list), SNARL_OK);
    list = outer;
  }
  return list;
}

static void test_made_of_several(void **state) {
  (void)state;
  snarl_auto_any dict = snarl_any_dict_of("one", 1, 2, snarl_any_list_of("a", 2.5, SNARL_NIL), "one", SNARL_TRUE);
  assert_printed(dict, "{\"one\": true, 2: [\"a\", 2.5, null]}");
  snarl_auto_any many = snarl_any_list_of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "last");
  assert_int_equal(snarl_any_length(many), 16);
  assert_int_equal(snarl_any_status(snarl_any_list_of("kept", "\xff", "dropped")), SNARL_INVALID);
  assert_int_equal(snarl_any_status(snarl_any_dict_of("kept", 1, "\xff", "dropped", "too", "text")), SNARL_INVALID);
  assert_int_equal(snarl_any_status(snarl_any_dict_of("key", snarl_any_error(SNARL_CLOSED))), SNARL_CLOSED);
  assert_int_equal(snarl_any_status(snarl_any_dict_of("key", "item", "no item")), SNARL_INVALID);
  assert_int_equal(snarl_any_type_of(dict), SNARL_ANY_DICT);
}

static void test_as_bytes(void **state) {
  (void)state;
  snarl_auto_any value = snarl_any_list_of("text", 1.5, snarl_any_dict_of(1, SNARL_NIL));
  snarl_auto_any bytes = snarl_any_pack(value);
  snarl_auto_any again = snarl_any_unpack(snarl_any_as_bytes(bytes), snarl_any_length(bytes));
  assert_true(snarl_any_equal(again, value));
  assert_int_equal(snarl_any_status(snarl_any_pack(snarl_any_error(SNARL_CLOSED))), SNARL_CLOSED);
  assert_int_equal(snarl_any_status(snarl_any_unpack("\x92", 1)), SNARL_TRUNCATED);
  assert_int_equal(snarl_any_status(snarl_any_unpack(NULL, 1)), SNARL_INVALID);
}

static void test_depth(void **state) {
  (void)state;
  snarl_auto_any most = nested(SNARL_ANY_DEPTH), more = nested(SNARL_ANY_DEPTH + 1), deep = nested(1000000);
  snarl_auto_any copy = snarl_any_copy(most), again = nested(SNARL_ANY_DEPTH + 1);
  assert_true(snarl_any_equal(most, copy));
  assert_int_equal(snarl_any_status(snarl_any_copy(more)), SNARL_TOO_DEEP);
  assert_int_equal(snarl_any_status(snarl_any_text(deep)), SNARL_TOO_DEEP);
  assert_false(snarl_any_equal(more, again));
  assert_true(snarl_any_equal(deep, deep));
  snarl_auto_any holder = snarl_any_list();
  assert_int_equal(snarl_any_list_append(holder, snarl_any_list()), SNARL_OK);
  assert_int_equal(snarl_any_list_append(snarl_any_list_get(holder, 0), snarl_any_keep(deep)), SNARL_TOO_DEEP);
}

static void test_copy(void **state) {
  (void)state;
  snarl_auto_any dict = snarl_any_dict();
  snarl_any list = snarl_any_list();
  assert_int_equal(snarl_any_list_append(list, "x"), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, "list", list), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, "gone", 1), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(dict, "n", NAN), SNARL_OK);
  assert_int_equal(snarl_any_dict_remove(dict, "gone"), SNARL_OK);
  snarl_auto_any copy = snarl_any_copy(dict);
  assert_false(snarl_any_equal(dict, copy)); /* NaN */
  assert_int_equal(snarl_any_dict_set(dict, "n", 0), SNARL_OK);
  assert_int_equal(snarl_any_dict_remove(copy, "n"), SNARL_OK);
  assert_int_equal(snarl_any_dict_set(copy, "n", 0), SNARL_OK);
  assert_true(snarl_any_equal(dict, copy));
  assert_int_equal(snarl_any_list_append(list, "y"), SNARL_OK);
  assert_false(snarl_any_equal(dict, copy));
  assert_int_equal(snarl_any_length(snarl_any_dict_get(copy, "list")), 1);
}

static void test_print(void **state) {
  (void)state;
  snarl_auto_any list = snarl_any_list();
  const double numbers[] = {0.1, 1, -1.5e300, 5e-324, 1e15, 123456789012345680, INFINITY, -INFINITY};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_int_equal(snarl_any_list_append(list, numbers[i]), SNARL_OK);
  assert_int_equal(snarl_any_list_append(list, "a\"\\\n\x01né"), SNARL_OK);
  assert_int_equal(snarl_any_list_append(list, snarl_any_bytes("\0a\"\xff", 4)), SNARL_OK);
  assert_int_equal(snarl_any_list_append(list, SNARL_NIL), SNARL_OK);
  const char *expected = "[0.1, 1.0, -1.5e+300, 4.94065645841247e-324, 1e+15, 1.2345678901234568e+17, inf, -inf, "
                         "\"a\\\"\\\\\\n\\u0001né\", b\"\\x00a\\x22\\xff\", null]";
  assert_printed(list, expected);
  if (setlocale(LC_NUMERIC, "de_DE.UTF-8"))
    assert_printed(list, expected);
  setlocale(LC_NUMERIC, "C");
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  setbuf(full, NULL);
  assert_int_equal(snarl_any_print(full, list), SNARL_FAILED);
  (void)fclose(full);
  assert_int_equal(snarl_any_print(NULL, list), SNARL_INVALID);
}

enum { ROUNDS = 20000 };

static void *keep_and_drop(void *argument) {
  snarl_any shared = *(snarl_any *)argument;
  for (int i = 0; i < ROUNDS; i++) {
    snarl_any mine = snarl_any_keep(shared);
    if (snarl_any_length(mine) != 1 || snarl_any_as_int(snarl_any_list_get(mine, 0)) != 7)
      return argument;
    snarl_any_drop(&mine);
  }
  snarl_any_drop(&shared);
  return NULL;
}

static void test_holders_of_many_threads(void **state) {
  (void)state;
  snarl_any shared = snarl_any_list();
  assert_int_equal(snarl_any_list_append(shared, 7), SNARL_OK);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    (void)snarl_any_keep(shared);
    threads[i] = begin_thread(keep_and_drop, &shared);
  }
  for (int i = 0; i < 4; i++)
    assert_null(end_thread(threads[i]));
  snarl_any_drop(&shared);
  assert_true(snarl_any_is_nil(shared));
  snarl_any_drop(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scalars),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_strings),
      cmocka_unit_test(test_only_utf8),
      cmocka_unit_test(test_list),
      cmocka_unit_test(test_dict),
      cmocka_unit_test(test_dict_changes),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_nothing_holds_itself),
      cmocka_unit_test(test_made_of_several),
      cmocka_unit_test(test_as_bytes),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_copy),
      cmocka_unit_test(test_print),
      cmocka_unit_test(test_holders_of_many_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
