/* SPDX-License-Identifier: MIT
 *
 * Demangling and the classification of modules. One thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "names.h"

#include <stdlib.h>

static void expect_name(const char *symbol, const char *name) {
  char *found = name_of_symbol(symbol);
  assert_string_equal(found ? found : symbol, name);
  free(found);
}

static void test_demangling(void **state) {
  (void)state;
  expect_name("main", "main");
  expect_name("_ZN4bank8transferEi", "bank::transfer(int)");
  expect_name("_ZN4bank8transferEi.part.0", "bank::transfer(int)");
  expect_name("step.constprop.0.isra.3", "step");
  expect_name("memcpy@@GLIBC_2.14", "memcpy");
  expect_name("_ZN3foo3bar17h0123456789abcdefE", "foo::bar");
  expect_name("_Zgarbage", "_Zgarbage");
  expect_name("", "");
  expect_name("_Z", "_Z");
}

static void test_modules(void **state) {
  (void)state;
  assert_true(module_is_internal("/lib/x86_64-linux-gnu/libc.so.6"));
  assert_true(module_is_internal("/lib64/ld-linux-x86-64.so.2"));
  assert_true(module_is_internal("/usr/lib/libstdc++.so.6.0.30"));
  assert_true(module_is_internal("linux-vdso.so.1"));
  assert_false(module_is_internal("/usr/lib/libcrypto.so.3"));
  assert_false(module_is_internal("/home/me/libc.so/app"));
  assert_true(module_is_recorder("/opt/lib/libsnarl-preload.so"));
  assert_false(module_is_recorder("/opt/lib/libsnarl.so.1"));
  assert_false(module_is_recorder("/opt/libsnarl-preload.so/app"));
  assert_true(file_is_internal("/usr/include/c++/12/bits/std_mutex.h"));
  assert_false(file_is_internal("/src/mutex.h"));
}

static void test_python(void **state) {
  (void)state;
  assert_true(module_is_interpreter("/usr/bin/python3.11"));
  assert_true(module_is_interpreter("/usr/lib/x86_64-linux-gnu/libpython3.12.so.1.0"));
  assert_true(
      module_is_interpreter("/usr/lib/python3.11/lib-dynload/_multiprocessing.cpython-311-x86_64-linux-gnu.so"));
  assert_false(
      module_is_interpreter("/usr/lib/python3/dist-packages/numpy/core/_umath.cpython-311-x86_64-linux-gnu.so"));
  assert_false(module_is_interpreter("/home/me/python/app"));
  assert_true(file_is_internal("/usr/lib/python3.11/threading.py"));
  assert_true(file_is_internal("<frozen importlib._bootstrap>"));
  assert_false(file_is_internal("/usr/lib/python3/dist-packages/jobs.py"));
  assert_false(file_is_internal("/home/me/.venv/lib/python3.11/site-packages/jobs.py"));
  assert_false(file_is_internal("/home/me/jobs.py"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_demangling), cmocka_unit_test(test_modules),
                                     cmocka_unit_test(test_python)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
