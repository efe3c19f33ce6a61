/* SPDX-License-Identifier: MIT
 *
 * Messages with descriptors (see passing.h). Entered by any thread.
 */
#include "passing.h"
#include "core/system.h"
#include <string.h>
#include <sys/socket.h>

enum { MOST = 253 }; /* that the kernel takes at once */

union control {
  char bytes[CMSG_SPACE(MOST * sizeof(int))];
  struct cmsghdr header;
};

int snarli_pass(int line, const void *message, size_t size, const int *descriptors, int count) {
  union control control = {.bytes = ""};
  struct iovec part = {(void *)(size_t)message, size};
  struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1};
  if (count) {
    whole.msg_control = &control;
    whole.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    control.header =
        (struct cmsghdr){CMSG_LEN((size_t)count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}; // NOLINT(bugprone-sizeof-*)
    memcpy(CMSG_DATA(&control.header), descriptors, (size_t)count * sizeof(int));
  }
  long sent;
  do
    sent = snarli_system(SYS_sendmsg, line, &whole, MSG_NOSIGNAL);
  while (sent == -EINTR);
  return sent < 0 ? (int)sent : 0;
}

void snarli_close_all(const int *descriptors, int count) {
  for (int i = 0; i < count; i++)
    (void)snarli_system(SYS_close, descriptors[i]);
}

int snarli_take(int line, void *message, size_t size, int *descriptors, int room) {
  union control control;
  struct iovec part = {message, size};
  struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  long got;
  do
    got = snarli_system(SYS_recvmsg, line, &whole, MSG_CMSG_CLOEXEC);
  while (got == -EINTR);
  const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&whole) : NULL;
  int count = header ? (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
  const int *came = header ? (const int *)CMSG_DATA(header) : NULL;
  bool is_whole = got == (long)size && !(whole.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) && count <= room;
  if (is_whole && count)
    memcpy(descriptors, came, (size_t)count * sizeof(int));
  else if (!is_whole)
    snarli_close_all(came, count);
  return is_whole ? count : got < 0 ? (int)got : !got ? -EPIPE : whole.msg_flags & MSG_CTRUNC ? -EMFILE : -EPROTO;
}
