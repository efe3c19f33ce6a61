/* SPDX-License-Identifier: MIT
 *
 * Joins a thread that waits for an eventfd by epoll twice, and raises it the second time only afterwards.
 */
#include "run.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event, set;

static void *watcher(void *unused) {
  struct epoll_event ready;
  eventfd_t count;
  for (int i = 0; i < 2; i++)
    if (epoll_wait(set, &ready, 1, -1) != 1 || eventfd_read(event, &count))
      abort();
  return unused;
}

static void raise_event(void) {
  if (eventfd_write(event, 1))
    abort();
}

int main(void) {
  pthread_t thread;
  struct epoll_event wanted = {.events = EPOLLIN};
  event = eventfd(0, EFD_SEMAPHORE);
  set = epoll_create1(0);
  if (event < 0 || set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted))
    abort();
  if (pthread_create(&thread, NULL, watcher, NULL))
    abort();
  raise_event();
  if (pthread_join(thread, NULL))
    abort();
  raise_event();
  return 0;
}
