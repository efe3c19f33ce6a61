/* SPDX-License-Identifier: MIT
 *
 * Joins a thread that waits for an eventfd by epoll after raising that eventfd.
 */
#include "run.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int event, set;

static void *watcher(void *unused) {
  struct epoll_event ready;
  if (epoll_wait(set, &ready, 1, -1) != 1)
    abort();
  return unused;
}

int main(void) {
  pthread_t thread;
  struct epoll_event wanted = {.events = EPOLLIN};
  event = eventfd(0, 0);
  set = epoll_create1(0);
  if (event < 0 || set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted))
    abort();
  if (pthread_create(&thread, NULL, watcher, NULL))
    abort();
  if (eventfd_write(event, 1))
    abort();
  if (pthread_join(thread, NULL))
    abort();
  return 0;
}
