// SPDX-License-Identifier: MIT
//
// What test_symbols.c asks about: a C++ function in a namespace with two functions inlined into it, a C function, and
// a start routine. Built as a shared library with debug information; loaded once by the test, for its addresses.
extern "C" {
typedef void note_fn(void);
note_fn *fixture_note;
void *fixture_start(void *argument) { return argument; }
extern void *const fixture_third_account;
}

namespace bank {
long accounts[4];
__attribute__((always_inline)) inline void innermost() {
  fixture_note(); /* LINE innermost */
  __asm__ volatile("");
}
__attribute__((always_inline)) inline void middle() { innermost(); /* LINE middle */ }
__attribute__((noinline)) void transfer(int amount) {
  __asm__ volatile("" ::"r"(amount));
  middle(); /* LINE transfer */
  __asm__ volatile("");
}
} // namespace bank

void *const fixture_third_account = &bank::accounts[2];

extern "C" __attribute__((noinline)) void fixture_enter(void) {
  bank::transfer(1);
  __asm__ volatile("");
}
