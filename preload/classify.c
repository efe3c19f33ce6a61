/* SPDX-License-Identifier: MIT
 *
 * What a descriptor is: asked of the kernel once, and told to the trace if it is an end of a channel. And the look at
 * all that an image begins with, since an exec keeps descriptors that only the caller knew. Any thread and signal
 * handler; the look is a constructor.
 */
#include "descriptors.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define PIPEFS 0x50495045
#define MQUEUEFS 0x19800202

struct look {
  int fd;
  unsigned ends, entry;
  bool is_for_good;  /* it stays what it is until it is closed */
  bool is_inherited; /* was there when the image began */
  struct snarli_channel channel;
  char name[160];
};

static unsigned ends_of(int access) {
  return access == O_RDONLY ? SNARLI_E_RECEIVE : access == O_WRONLY ? SNARLI_E_SEND : SNARLI_E_RECEIVE | SNARLI_E_SEND;
}

/* "/proc/self/fd/N" */
static void descriptor_path(char *path, int fd) {
  static const char directory[] = "/proc/self/fd/";
  char digits[12];
  int count = 0;
  memcpy(path, directory, sizeof directory);
  path += sizeof directory - 1;
  do
    digits[count++] = (char)('0' + fd % 10);
  while ((fd /= 10) > 0);
  while (count > 0)
    *path++ = digits[--count];
  *path = 0;
}

static void read_name(struct look *look) {
  char path[32];
  descriptor_path(path, look->fd);
  ssize_t size = readlink(path, look->name, sizeof look->name - 1);
  look->name[size > 0 ? size : 0] = 0;
}

static void look_at_pipe(struct look *look, int flags) {
  struct statfs system;
  bool is_pipe = fstatfs(look->fd, &system) == 0 && system.f_type == PIPEFS;
  int capacity = snarli_real()->fcntl(look->fd, F_GETPIPE_SZ);
  look->channel.kind = is_pipe ? SNARLI_C_PIPE : SNARLI_C_FIFO;
  look->channel.capacity = capacity > 0 ? (uint64_t)capacity : 0;
  look->ends |= ends_of(flags & O_ACCMODE);
  if (!is_pipe)
    read_name(look);
}

/* An address with IPv4 in one form. */
struct address {
  unsigned char bytes[16];
  uint16_t port;
};

static bool address_read(struct address *address, const struct sockaddr_storage *from) {
  memset(address, 0, sizeof *address);
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)from;
    address->bytes[10] = address->bytes[11] = 0xff;
    memcpy(address->bytes + 12, &in->sin_addr, 4);
    address->port = ntohs(in->sin_port);
  } else if (from->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const void *)from;
    memcpy(address->bytes, &in->sin6_addr, 16);
    address->port = ntohs(in->sin6_port);
  }
  return address->port != 0;
}

static uint64_t hash_addresses(const struct address *a, const struct address *b) {
  uint64_t hash = 14695981039346656037ull;
  const struct address *both[] = {a, b};
  for (size_t i = 0; i < 2; i++) {
    for (size_t j = 0; j < sizeof both[i]->bytes; j++)
      hash = (hash ^ both[i]->bytes[j]) * 1099511628211ull;
    hash = (hash ^ both[i]->port) * 1099511628211ull;
  }
  return hash ? hash : 1;
}

static char *append_number(char *at, unsigned number) {
  char digits[12];
  int count = 0;
  do
    digits[count++] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  while (count > 0)
    *at++ = digits[--count];
  return at;
}

static int socket_option(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) ? 0 : value;
}

/* Both ends of a connection within the machine have the same address, and each knows the other's port. */
static bool look_at_connection(struct look *look) {
  struct sockaddr_storage here = {0}, there = {0};
  struct address local, remote;
  socklen_t size = sizeof here;
  look->is_for_good = socket_option(look->fd, SO_ACCEPTCONN);
  if (getsockname(look->fd, (struct sockaddr *)&here, &size) || !address_read(&local, &here))
    return false;
  size = sizeof there;
  if (getpeername(look->fd, (struct sockaddr *)&there, &size) || !address_read(&remote, &there))
    return false;
  look->is_for_good = true;
  if (memcmp(local.bytes, remote.bytes, sizeof local.bytes) != 0)
    return false;
  look->channel.device = 0;
  look->channel.self = hash_addresses(&local, &remote);
  look->channel.peer = hash_addresses(&remote, &local);
  char *at = stpcpy(look->name, "TCP port ");
  at = stpcpy(append_number(at, local.port), " to ");
  *append_number(at, remote.port) = 0;
  return true;
}

static bool has_timeout(int fd, int option) {
  struct timeval value = {0};
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && (value.tv_sec || value.tv_usec);
}

/* Which socket is at the other end is known of a connection within the machine, and of a pair by who made it: one that
 * was inherited may be of a pair. */
static bool look_at_socket(struct look *look) {
  int domain = socket_option(look->fd, SO_DOMAIN), type = socket_option(look->fd, SO_TYPE);
  if (domain == AF_UNIX) {
    look->is_for_good = true;
    if (!look->is_inherited)
      return false;
    look->channel.kind = type == SOCK_STREAM ? SNARLI_C_STREAM : SNARLI_C_MESSAGES;
  } else if ((domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM) {
    look->channel.kind = SNARLI_C_STREAM;
    if (!look_at_connection(look))
      return false;
  } else {
    look->is_for_good = true;
    return false;
  }
  int room = domain == AF_UNIX ? socket_option(look->fd, SO_SNDBUF) : 0;
  look->channel.capacity = room > 0 ? (uint64_t)room : 0;
  look->ends |= SNARLI_E_RECEIVE | SNARLI_E_SEND;
  if (has_timeout(look->fd, SO_RCVTIMEO) || has_timeout(look->fd, SO_SNDTIMEO))
    look->entry |= SNARLI_D_TIMED;
  return true;
}

/* Inherited, it cannot be told from others: enough to say that this process has one. */
static void note_event(const struct look *look) {
  char path[32], target[32] = "";
  descriptor_path(path, look->fd);
  static const char event[] = "anon_inode:[eventfd]";
  struct snarli_channel channel = {.kind = SNARLI_C_EVENT};
  if (readlink(path, target, sizeof target - 1) > 0 && strcmp(target, event) == 0)
    snarli_record_aux(SNARLI_R_CHANNEL_OPENED, SNARLI_E_RECEIVE | SNARLI_E_SEND, (unsigned)look->fd,
                      snarli_blob_channel(&channel, "", 0));
}

/* Nothing that has a position is a channel: the cheapest question, for the many files that are read once. */
static bool has_position(int fd) { return lseek(fd, 0, SEEK_CUR) >= 0; }

/* False: no channel. */
static bool look_at(struct look *look) {
  struct stat status;
  look->is_for_good = !look->is_inherited && has_position(look->fd);
  if (look->is_for_good)
    return false;
  if (fstat(look->fd, &status))
    return false;
  look->is_for_good = !S_ISSOCK(status.st_mode);
  if (S_ISREG(status.st_mode) || S_ISCHR(status.st_mode))
    return false;
  int flags = snarli_real()->fcntl(look->fd, F_GETFL);
  look->channel.device = status.st_dev;
  look->channel.self = status.st_ino;
  look->entry = flags & O_NONBLOCK ? SNARLI_D_NONBLOCK : 0;
  if (S_ISSOCK(status.st_mode))
    return look_at_socket(look);
  if (S_ISFIFO(status.st_mode))
    look_at_pipe(look, flags);
  else if (!(status.st_mode & S_IFMT))
    note_event(look);
  return look->channel.kind != 0;
}

static void look_and_tell(struct look *look) {
  if (look_at(look))
    snarli_descriptor_opened(look->fd, &look->channel, look->name, look->ends, look->entry);
  else if (look->is_for_good)
    snarli_descriptor_store(look->fd, SNARLI_D_PLAIN);
}

uint32_t snarli_descriptor_find(int fd, unsigned ends, uint32_t stack) {
  if (!snarli_is_recording() || snarli_is_walking() || (unsigned)fd >= SNARLI_DESCRIPTOR_QUEUES)
    return SNARLI_D_PLAIN;
  int saved = errno;
  look_and_tell(&(struct look){.fd = fd, .ends = ends, .channel = {.stack = stack}});
  errno = saved;
  uint32_t entry = snarli_descriptor_peek(fd);
  return snarli_kind(entry) != SNARLI_D_UNKNOWN ? entry : SNARLI_D_PLAIN;
}

struct directory_entry { /* as getdents64 writes it */
  uint64_t inode;
  int64_t next;
  unsigned short size;
  unsigned char type;
  char name[];
};

static int number_of(const char *name) {
  int number = 0;
  for (; *name >= '0' && *name <= '9'; name++)
    number = number * 10 + (*name - '0');
  return *name ? -1 : number;
}

static void look_at_all(int directory) {
  _Alignas(struct directory_entry) char buffer[2048];
  for (long size; (size = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0;)
    for (long at = 0; at < size;) {
      const struct directory_entry *entry = (const void *)(buffer + at);
      int fd = number_of(entry->name);
      if (fd >= 0 && fd != directory && snarli_kind(snarli_descriptor_peek(fd)) == SNARLI_D_UNKNOWN)
        look_and_tell(&(struct look){.fd = fd, .is_inherited = true});
      at += entry->size;
    }
}

/* Without /proc, nobody is told that the look was complete. */
static __attribute__((constructor)) void image_begins(void) {
  if (!snarli_is_recording())
    return;
  int saved = errno, directory = snarli_real()->open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    look_at_all(directory);
    (void)snarli_real()->close(directory);
    snarli_record_aux(SNARLI_R_CHANNELS_KNOWN, 0, 0, 0);
  }
  errno = saved;
}
