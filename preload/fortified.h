/* SPDX-License-Identifier: MIT
 *
 * Names that programs built with _FORTIFY_SOURCE call: no header declares them to others.
 */
#ifndef SNARLI_FORTIFIED_H
#define SNARLI_FORTIFIED_H

#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

ssize_t __read_chk(int fd, void *buffer, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *buffer, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t size, size_t room, int flags, __SOCKADDR_ARG address,
                       socklen_t *address_size);
int __poll_chk(struct pollfd *set, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *set, nfds_t count, const struct timespec *end, const sigset_t *mask, size_t room);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);
mqd_t __mq_open_2(const char *name, int flags);

#endif
