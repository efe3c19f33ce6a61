/* SPDX-License-Identifier: MIT
 *
 * The trace format: the contract between the recorder (which writes it through shared file mappings) and the
 * reader. trace/README.md is its specification in prose. One file per process image; all integers are in the
 * byte order of the machine that wrote them, which the header's `byte_order` tells.
 *
 * A file is a header page followed by windows. A window begins with `struct snarli_window`, is 16-byte aligned and
 * holds rows of one kind: records of threads, stack nodes, or blobs. A row's id is its file offset / 16, so an id
 * needs no table. Unused rows are zero.
 */
#ifndef SNARL_TRACE_FORMAT_H
#define SNARL_TRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SNARLI_MAGIC 0x4352544c52414e53ull /* "SNARLTRC" in little endian */
#define SNARLI_VERSION 1u
#define SNARLI_BYTE_ORDER 0x01020304u
#define SNARLI_ROW 16u           /* bytes in a row; every id counts rows */
#define SNARLI_HEADER_SIZE 4096u /* bytes before the first window */
#define SNARLI_WINDOW_MAGIC 0x4e57u
#define SNARLI_FILE_SUFFIX ".snarl"

enum snarli_record_type {
#define RECORD(id, NAME, text, family, phase, arg, object, aux) SNARLI_R_##NAME = (id),
#include <snarl/trace/records.def>
};

/* The columns of records.def, which says what they mean. */
enum snarli_family {
  SNARLI_META,
  SNARLI_THREAD,
  SNARLI_MUTEX,
  SNARLI_RWLOCK,
  SNARLI_SPIN,
  SNARLI_SEM,
  SNARLI_COND,
  SNARLI_BARRIER,
  SNARLI_ONCE,
  SNARLI_PROCESS,
  SNARLI_EVENT,
  SNARLI_SHARED,
  SNARLI_TIMER,
  SNARLI_CHANNEL,
  SNARLI_LOCK,
  SNARLI_ORDER,
  SNARLI_FILE,
  SNARLI_SYSV,
  SNARLI_FUTEX,
  SNARLI_QUEUE,
  SNARLI_FUTURE,
  SNARLI_MANAGED,
};

enum snarli_phase { SNARLI_RELEASE, SNARLI_NOTE, SNARLI_REQUEST, SNARLI_FAIL, SNARLI_ACQUIRE };
enum snarli_arg {
  SNARLI_ARG_NONE,
  SNARLI_ARG_FLAGS,
  SNARLI_ARG_ERRNO,
  SNARLI_ARG_TYPE,
  SNARLI_ARG_COUNT,
  SNARLI_ARG_ENDS,
  SNARLI_ARG_UNITS,
};
enum snarli_object {
  SNARLI_OBJECT_NONE,
  SNARLI_OBJECT_ADDRESS,
  SNARLI_OBJECT_HANDLE,
  SNARLI_OBJECT_INDEX,
  SNARLI_OBJECT_PID,
  SNARLI_OBJECT_NUMBER,
  SNARLI_OBJECT_DESCRIPTOR, /* bits 0-19 */
  SNARLI_OBJECT_TRANSFER,   /* bits 0-19 a descriptor, 20-47 an amount or another descriptor */
  SNARLI_OBJECT_STRING,
};
enum snarli_aux { SNARLI_AUX_NONE, SNARLI_AUX_STACK, SNARLI_AUX_BLOB, SNARLI_AUX_VALUE, SNARLI_AUX_CHANNEL };

/* The argument of records whose `arg` is FLAGS. */
enum snarli_flag {
  SNARLI_F_TRY = 1,        /* the call cannot block */
  SNARLI_F_TIMED = 2,      /* the call ends by itself */
  SNARLI_F_IN_WAIT = 4,    /* this mutex operation is part of a condition wait */
  SNARLI_F_OWNER_DIED = 8, /* a robust mutex came from a dead owner */
  SNARLI_F_DETACHED = 16,  /* the thread is created detached */
  SNARLI_F_VFORK = 32,     /* the child shares the parent's memory until it execs */
  SNARLI_F_SPAWN = 64,     /* posix_spawn: the child execs at once */
  SNARLI_F_ENDED = 128,    /* the awaited child has ended (not merely stopped or continued) */
};

/* The argument of records whose `arg` is UNITS; the upper four bits are how many units. TRY and TIMED are as in FLAGS.
 */
enum snarli_units {
  SNARLI_U_UNDO = 4,     /* the kernel takes it back when the process ends */
  SNARLI_U_TOGETHER = 8, /* in one call with the record before */
  SNARLI_U_SHIFT = 4,
  SNARLI_U_MANY = 15, /* so many units or more; 0 units: waits until there are none */
};

/* The argument of MANAGED_VERSION: what the version was of. */
enum snarli_version_of {
  SNARLI_V_NONE, /* nothing: the item is only named */
  SNARLI_V_NOW,  /* what the next record of this thread read, or made */
  SNARLI_V_OVERWRITTEN,
  SNARLI_V_SAME,   /* and what was overwritten was equal */
  SNARLI_V_AGREED, /* and is nil or a bool: nobody counts with these */
};

/* The argument of OBJECT_NAMED: what it is called, or a name in the system, by which others find what lies there; this
 * call made the name, or has removed it. */
enum snarli_naming { SNARLI_NAMED, SNARLI_NAME_MADE, SNARLI_NAME_REMOVED };

/* The argument of INIT records (`arg` is TYPE). */
enum snarli_object_type {
  SNARLI_T_RECURSIVE = 1,
  SNARLI_T_ERRORCHECK = 2,
  SNARLI_T_ADAPTIVE = 4,
  SNARLI_T_ROBUST = 8,
  SNARLI_T_SHARED = 16,        /* PTHREAD_PROCESS_SHARED, or a named semaphore */
  SNARLI_T_PREFER_WRITER = 32, /* rwlock: waiting writers block new readers */
  SNARLI_T_PRIORITY = 64,      /* priority inheriting or protecting */
  SNARLI_T_C11 = 128,
};

enum snarli_kind {
#define KIND(id, NAME, text, family, type) SNARLI_KIND_##NAME = (id),
#include <snarl/trace/kinds.def>
};

/* Instead of a signal: a function that libc calls in a thread of its own (SIGEV_THREAD). */
#define SNARLI_SIGNAL_NONE 255u

/* The argument of records whose `arg` is ENDS: what can be done, is wanted, or is over at a descriptor. */
enum snarli_end {
  SNARLI_E_RECEIVE = 1,
  SNARLI_E_SEND = 2,
  SNARLI_E_MADE = 4,     /* the call made the channel: nobody had an end of it before */
  SNARLI_E_OUTSIDE = 8,  /* no channel of the trace: anybody may make it ready */
  SNARLI_E_UNLINKED = 16 /* a queue without a name: nobody can find it */
};

/* Descriptors from here on stand for System V message queues, which have none. Descriptors this high are not recorded.
 */
#define SNARLI_DESCRIPTOR_QUEUES (1u << 19)
#define SNARLI_AMOUNT_MOST ((1u << 28) - 1) /* this much or more */

static inline uint64_t snarli_transfer_object(unsigned descriptor, uint64_t amount) {
  return descriptor | (amount < SNARLI_AMOUNT_MOST ? amount : SNARLI_AMOUNT_MOST) << 20;
}
static inline unsigned snarli_transfer_descriptor(uint64_t object) { return (unsigned)object & 0xfffff; }
static inline uint64_t snarli_transfer_amount(uint64_t object) { return object >> 20 & SNARLI_AMOUNT_MOST; }

/* One record. Two 64-bit stores; `head` is stored last (release), so a record is whole or absent. */
struct snarli_record {
  uint64_t head; /* bits 0-7 type, 8-15 arg, 16-63 object */
  uint32_t aux;  /* stack, blob or value */
  uint32_t time; /* the lower 32 bits of the clock */
};

static inline uint64_t snarli_record_head(unsigned type, unsigned arg, uint64_t object) {
  return (uint64_t)(type & 0xff) | (uint64_t)(arg & 0xff) << 8 | object << 16;
}

/* A call stack is a chain of nodes, innermost first: id -> (pc, parent) -> ... -> 0. A node is written before
 * the first record that names it. pc is a return address (the call is at pc - 1). */
struct snarli_stack_node {
  uint64_t pc;     /* SNARLI_PC_CUT: deeper frames were not walked; SNARLI_PC_SIGNAL: see below */
  uint32_t parent; /* id of the caller's node, 0 at the outermost */
  uint32_t used;   /* 1 when the node is complete; stored last (release) */
};
#define SNARLI_PC_CUT 1ull
/* In place of the frame by which the kernel calls a signal handler: the next inner frame is the handler's, the next
 * outer one was interrupted, and its pc is that of the next instruction instead of a return address. */
#define SNARLI_PC_SIGNAL 2ull
/* From here on a pc is no address, but a place in a program that an interpreter runs: the symbol with this pc says
 * which. */
#define SNARLI_PC_SYMBOL 0x8000000000000000ull

enum snarli_window_kind { SNARLI_W_RECORDS = 1, SNARLI_W_STACKS = 2, SNARLI_W_BLOBS = 3 };

struct snarli_window {
  uint16_t magic;
  uint16_t kind; /* enum snarli_window_kind */
  uint32_t size; /* bytes, this header included; a multiple of SNARLI_ROW */
  uint64_t reserved;
};

/* A blob: this header, then `size` bytes, then padding to a row. `kind` is stored last (release). */
struct snarli_blob {
  uint32_t kind; /* enum snarli_blob_kind */
  uint32_t size; /* bytes of payload */
  uint64_t time; /* when it became true */
};

enum snarli_blob_kind {
  SNARLI_B_STRING = 1,   /* text, no terminator */
  SNARLI_B_MODULE = 2,   /* struct snarli_module, build id, path */
  SNARLI_B_UNLOAD = 3,   /* uint64_t base: the module at this base is gone */
  SNARLI_B_MAPPING = 4,  /* struct snarli_mapping, path: memory that other processes may share */
  SNARLI_B_UNMAP = 5,    /* uint64_t lo, hi: no longer mapped */
  SNARLI_B_COMMAND = 6,  /* argv, each string terminated */
  SNARLI_B_EXE = 7,      /* path of the program */
  SNARLI_B_SYMBOL = 8,   /* struct snarli_symbol, function, file: what a pc means, for traces without their modules */
  SNARLI_B_PAD = 9,      /* nothing: fills a window's end */
  SNARLI_B_CHANNEL = 10, /* struct snarli_channel, name: what a descriptor is an end of */
};

struct snarli_module {
  uint64_t base;   /* load bias: address in memory - address in the file */
  uint64_t lo, hi; /* the executable range, [lo, hi) in memory */
  uint32_t build_id_size;
  uint32_t reserved;
};

struct snarli_mapping {
  uint64_t lo, hi;                /* [lo, hi) in memory */
  uint64_t device, inode, offset; /* what lo is */
};

struct snarli_symbol {
  uint64_t pc;
  uint32_t line;
  uint32_t function_size; /* bytes; the file's name is the rest */
};

enum snarli_channel_kind {
  SNARLI_C_PIPE = 1,
  SNARLI_C_FIFO = 2,
  SNARLI_C_STREAM = 3,   /* a connected socket that carries bytes */
  SNARLI_C_MESSAGES = 4, /* one of a pair of sockets that carries messages */
  SNARLI_C_EVENT = 5,    /* eventfd: `self` 0 if it was inherited and cannot be told from others */
  SNARLI_C_QUEUE = 6,    /* POSIX message queue */
  SNARLI_C_SYSV = 7,     /* System V message queue: `self` is its id */
  SNARLI_C_EPOLL = 8,    /* not a channel, but a set of them */
  SNARLI_C_PIDFD = 9,    /* `self` is the process */
};

/* The same channel has the same kind, device and self in all processes. */
struct snarli_channel {
  uint32_t kind;         /* enum snarli_channel_kind */
  uint32_t stack;        /* where the descriptor was made, 0: it was found */
  uint64_t device, self; /* an inode where there is one; of a socket this end */
  uint64_t peer;         /* `self` of a socket's other end, 0: unknown; of a System V queue the messages in it */
  uint64_t capacity;     /* bytes, of a POSIX queue messages; 0: unknown */
  uint64_t content;      /* what it held when the descriptor was made: bytes, messages, a count */
};

enum snarli_clock { SNARLI_CLOCK_TSC = 1, SNARLI_CLOCK_MONOTONIC = 2, SNARLI_CLOCK_CNTVCT = 3 };

enum snarli_stop { /* why recording stopped, 0 while it goes on */
                   SNARLI_STOP_NONE = 0,
                   SNARLI_STOP_NO_SPACE = 1, /* the file could not grow: disk, quota or file size limit */
                   SNARLI_STOP_NO_FILE =
                       2, /* the file could not be opened again: descriptors, permission or root changed */
                   SNARLI_STOP_NO_MEMORY = 3, /* the file could not be mapped */
};

/* The first page of a file. The recorder updates the fields below `next` while it runs; each is read and written
 * with one atomic access. */
struct snarli_header {
  uint64_t magic;
  uint32_t version;
  uint32_t byte_order;
  uint32_t clock; /* enum snarli_clock */
  uint32_t pid, parent;
  uint32_t forked;                /* 1: this image began with fork and shares its parent's program; 0: with exec */
  uint64_t begin_ticks, begin_ns; /* the record clock and CLOCK_MONOTONIC at the start */
  uint64_t begin_realtime_ns;     /* CLOCK_REALTIME at the start */
  uint64_t image;                 /* identifies this image among all: pid and begin_ticks mixed */
  uint64_t parent_image;          /* the image that forked this one, 0 if it began with exec */
  uint64_t ticks_per_second;      /* 0: unknown, use the two sync points */

  uint64_t next;                /* bytes of the file in use; windows lie in [SNARLI_HEADER_SIZE, next) */
  uint64_t sync_ticks, sync_ns; /* a later reading of both clocks */
  uint64_t dropped;             /* records lost in all */
  uint64_t dropped_ticks;       /* when the first was */
  uint32_t stop;                /* enum snarli_stop of the last loss */
  uint32_t stop_errno;
  uint32_t ended; /* 1: exit or exec was reached; 0: still running, or killed */
  uint32_t exit_status;
  uint32_t threads; /* indices handed out, 0 is the thread that began the image */
};

_Static_assert(sizeof(struct snarli_record) == SNARLI_ROW, "a record is one row");
_Static_assert(sizeof(struct snarli_stack_node) == SNARLI_ROW, "a stack node is one row");
_Static_assert(sizeof(struct snarli_window) == SNARLI_ROW, "a window header is one row");
_Static_assert(sizeof(struct snarli_blob) == SNARLI_ROW, "a blob header is one row");
_Static_assert(sizeof(struct snarli_header) <= SNARLI_HEADER_SIZE, "the header fits its page");

#endif
