/* SPDX-License-Identifier: MIT
 *
 * Two processes take the locks on two files in opposite orders, but a lock on a third file keeps them apart.
 */
#include "files.h"

static void take(const char *first, const char *second) {
  int gate = files_open("gate.lock"), a = files_open(first), b = files_open(second);
  flock(gate, LOCK_EX);
  flock(a, LOCK_EX);
  flock(b, LOCK_EX);
  flock(b, LOCK_UN);
  flock(a, LOCK_UN);
  flock(gate, LOCK_UN);
  flock(b, LOCK_SH); /* shared locks exclude no shared ones, and a lock that is changed holds nothing */
  flock(b, LOCK_EX);
  flock(b, LOCK_SH);
  close(b);
  close(a);
  close(gate);
}

static void forward(void) { take("a.lock", "b.lock"); }
static void backward(void) { take("b.lock", "a.lock"); }

int main(void) { return files_run_two(forward, backward); }
