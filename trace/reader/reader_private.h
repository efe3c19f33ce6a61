/* SPDX-License-Identifier: MIT
 *
 * What the reader's parts share. Nothing here is seen outside of trace/reader. One thread per struct trace.
 *
 *   file.c      one file: descriptor, checked header, reading at an offset
 *   windows.c   the index of a file's windows
 *   segments.c  the rows of one thread within a window
 *   blobs.c     strings, programs, symbols, channels; hands modules.c and mappings.c their rows
 *   modules.c   what code lay where
 *   mappings.c  what memory was shared
 *   stacks.c    call stacks by id
 *   process.c   which image came from which
 *   merge.c     all threads' records in one order
 *   narrow.c    which of them are passed over
 *   last.c      the newest record of each thread, and with it the snapshot of a growing trace
 *   print.c     a record as one line, by the tables of record_info.c
 *   problems.c  what was wrong
 *   memory.c    growing arrays, and the strings of a trace
 *   trace.c     opening and closing
 *
 * Files are read with pread, never mapped: a file that somebody truncates, or a disk that fails, is then an error to
 * report and not a SIGBUS, and a small tmpfs gains no pages by being read. Record rows pass through a few KiB per
 * running thread, so memory grows with windows, threads, modules and strings, not with records.
 */
#ifndef SNARL_READER_PRIVATE_H
#define SNARL_READER_PRIVATE_H

#include <snarl/trace/reader.h>
#include <sys/types.h>

enum {
  PAGE_SIZE = 4096,         /* windows begin at multiples of it */
  STRING_LARGEST = 1 << 20, /* bytes; a longer blob is damage */
  ROWS_PER_READ = 1024,     /* of a thread that goes on; it begins with ROWS_FIRST */
  ROWS_FIRST = 64,
  HOLE_WORTH_SKIPPING = 1 << 20, /* bytes of zeros after which the file system is asked for the next data */
};

/* One row in the kind list is one sort of damage; equal ones of a file are told once, with their number. */
enum problem_kind {
  PROBLEM_FILE,
  PROBLEM_READ,
  PROBLEM_MEMORY,
  PROBLEM_HEADER,
  PROBLEM_SHORT,
  PROBLEM_GAP,
  PROBLEM_WINDOW_CUT,
  PROBLEM_WINDOW_SWALLOWED,
  PROBLEM_NO_OWNER,
  PROBLEM_NO_TIME,
  PROBLEM_BAD_TIME,
  PROBLEM_TORN,
  PROBLEM_UNKNOWN_RECORD,
  PROBLEM_BLOB,
  PROBLEM_BLOB_KIND,
  PROBLEM_MODULE,
  PROBLEM_MAPPING,
  PROBLEM_STRING,
  PROBLEM_SYMBOL,
  PROBLEM_STACK_LOOP,
  PROBLEM_STACK_DANGLING,
  PROBLEM_KINDS
};

struct problem {
  struct trace_problem shown;
  size_t base;                   /* bytes of shown.text before "(and N more like it)" */
  const struct trace_file *file; /* NULL: none in particular */
  enum problem_kind kind;
  uint64_t count;
};

/* The rows of one thread within one window: an OWNER row and what follows, up to the next OWNER or the end. */
struct segment {
  uint64_t offset; /* of the OWNER row */
  uint64_t end;    /* of the window */
  uint64_t tail;   /* rows from here on were empty when the snapshot was taken */
  uint64_t time;   /* of its first record */
  uint32_t thread, tid;
  uint8_t type; /* of its first record */
};

struct window {
  uint64_t offset; /* of its header */
  uint64_t end;
  uint64_t tail; /* see struct segment */
  enum snarli_window_kind kind;
  bool has_segment;
  bool is_superseded; /* its thread has begun a newer one */
  struct segment first;
  uint64_t scanned;    /* last.c has read it up to here, 0: not at all, */
  uint64_t upper;      /* with this upper half of the clock, */
  uint32_t owner, tid; /* whose rows these are */
  bool is_owned;
  char **pieces; /* of a stack window, PIECE_SIZE bytes each, read when needed; NULL until one is */
};

/* A thread's newest record. */
struct newest {
  struct trace_record record;
  uint64_t found; /* the how manieth: of equal times the later one is the newer */
};

/* Zeros where a window could be: reserved, and perhaps given its header after it was looked at. */
struct gap {
  uint64_t from, to;
};

/* The module at this base was gone from then on. */
struct unload {
  uint64_t base, time;
};

struct text_of_id {
  uint64_t id;
  const char *text;
};

struct channel_of_id {
  uint64_t id;
  struct trace_channel channel;
};

struct trace_file {
  struct trace *trace;
  uint32_t position; /* in trace->files: the process */
  char *name;        /* within the directory, or the path of a trace of one file */
  const char *path;  /* for people */
  int fd;            /* -1: closed until the next file_read */
  uint64_t last_use;
  dev_t device;
  ino_t inode;
  struct snarli_header header;
  uint64_t size;    /* of the file */
  uint64_t limit;   /* windows end here */
  uint64_t indexed; /* the window index reaches here */
  struct window *windows;
  size_t window_count, window_room;
  struct gap *gaps;
  size_t gap_count, gap_room;
  bool is_indexed_again; /* for a stack that was not there */
  struct trace_process process;
  size_t problems[PROBLEM_KINDS]; /* where the trace's problems tell this file's */
  struct text_of_id *strings;
  size_t string_count, string_room;
  struct channel_of_id *channels;
  size_t channel_count, channel_room;
  struct trace_symbol *symbols;
  size_t symbol_count, symbol_room;
  struct trace_module *modules;
  uint64_t *module_reach; /* highest `hi` up to each module */
  size_t module_count, module_room;
  struct unload *unloads; /* while blobs are read */
  size_t unload_count, unload_room;
  struct trace_mapping *mappings;
  uint64_t *mapping_reach;
  size_t *mapped; /* while blobs are read: those that are mapped now, by address */
  size_t mapped_count, mapped_room;
  size_t mapping_count, mapping_room;
  struct newest *last; /* of each thread, by thread */
  size_t last_count, last_room;
};

struct arena {
  struct arena_chunk *chunks;
};

struct merge;

/* See trace_narrow. */
struct narrow {
  uint64_t *addresses; /* ascending */
  size_t count;
  uint64_t bits[64]; /* which hashes of addresses occur at all */
  bool types[256];   /* records that may be passed over */
  uint64_t passed_over;
};

struct trace {
  char *path;
  int directory; /* descriptor, -1 for a trace of one file */
  struct trace_file **files;
  size_t file_count, file_room;
  struct arena arena;
  struct problem *problems;
  size_t problem_count, problem_room;
  size_t problems_of_trace[PROBLEM_KINDS];
  size_t problems_of_open; /* those found before the first record was read */
  bool is_first_pass_over; /* later passes meet the same damage again, */
  bool is_muted;           /* which is not told while they read */
  uint64_t uses;
  size_t open_files, open_files_most;
  uint64_t last_found;
  uint64_t cut; /* records of running images after this time are newer than the snapshot */
  uint64_t origin;
  struct merge *merge;
  struct narrow *narrow; /* NULL: everything is handed out */
  size_t names_seen;     /* files in the directory when it was opened */
};

/* Makes room for one more element; false: out of memory. */
bool array_grow(void *array, size_t *room, size_t count, size_t element);

/* Of `count` items that ascend by their field `key`, 64 bits wide: how many have `value` or less. */
#define ARRAY_COUNT_TO(items, count, key, value)                                                                       \
  array_count_to((items), (count), sizeof *(items), offsetof(__typeof__(*(items)), key), (value))
static inline size_t array_count_to(const void *items, size_t count, size_t size, size_t key, uint64_t value) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (*(const uint64_t *)(const void *)((const char *)items + middle * size + key) <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

char *arena_text(struct arena *arena, const char *text, size_t size);
void *arena_bytes(struct arena *arena, const void *bytes, size_t size, size_t room);
void arena_free(struct arena *arena);

/* Tells a problem, or counts it if this file has one of that kind. `file` may be NULL. */
void problem_add(struct trace *trace, struct trace_file *file, enum problem_kind kind, enum trace_status status,
                 uint64_t count, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* A file that could not be opened. */
void problem_of_file(struct trace *trace, const struct trace_problem *refused);
void problem_out_of_memory(struct trace *trace);

/* Opens and checks; 0, or the status told in *problem. */
enum trace_status file_open(struct trace_file *file, struct trace_problem *problem);
/* Takes over the fields that grow while the traced process runs. */
void file_refresh(struct trace_file *file);
void file_free(struct trace_file *file);
/* Reads up to `size` bytes; fewer at the end of the file or after an error, which is told. */
size_t file_read(struct trace_file *file, uint64_t offset, void *buffer, size_t size);
/* The first offset at or after `offset` that is not in a hole, UINT64_MAX if only a hole follows. */
uint64_t file_next_data(struct trace_file *file, uint64_t offset);
bool file_is_running(const struct trace_file *file);

/* Builds the index, then continues it where it ends and in its gaps; what is found then is newer than the snapshot. */
void windows_index(struct trace_file *file);
void windows_index_again(struct trace_file *file);
/* Judges what lies beyond the last window, once no more windows are awaited. */
void windows_finish(struct trace_file *file);
struct window *window_at(const struct trace_file *file, uint64_t offset);
bool window_is_header(const struct snarli_window *header);
bool is_zero(const void *bytes, size_t size);

/* Rows in sequence. */
struct rows {
  struct trace_file *file;
  uint64_t offset; /* of the next row to read from the file */
  uint64_t base;   /* of buffer[0] */
  uint64_t end;
  uint64_t zeros;               /* empty rows that rows_fill has passed over */
  struct snarli_record *buffer; /* room for `room` rows, the caller's */
  size_t room, at, count;
};
bool rows_next(struct rows *rows, struct snarli_record *row, uint64_t *offset);
bool rows_fill(struct rows *rows);

/* The first segment with a record in [offset, end); its tail is the caller's to set. Rows without an owner
 * are told when a segment follows, or when `is_told`. */
bool segment_find(struct trace_file *file, uint64_t offset, uint64_t end, struct segment *out, bool is_told);

void blobs_read(struct trace_file *file);
bool modules_load(struct trace_file *file, uint64_t time, const char *payload, size_t size);
void modules_unload(struct trace_file *file, uint64_t time, uint64_t base);
void modules_sort(struct trace_file *file);
bool mappings_map(struct trace_file *file, uint64_t time, const char *payload, size_t size);
void mappings_unmap(struct trace_file *file, uint64_t time, uint64_t lo, uint64_t hi);
void mappings_sort(struct trace_file *file);

void stacks_free(struct trace_file *file);
void processes_link(struct trace *trace);
/* Finds the newest record of each thread, or what came since it was called before. */
void last_find(struct trace_file *file);
/* Is there anything at this address that must be handed out? */
bool narrow_keeps(const struct narrow *narrow, const struct trace_file *file, uint64_t address);
void narrow_free(struct narrow *narrow);

struct merge *merge_new(struct trace *trace);
void merge_free(struct merge *merge);
bool merge_next(struct merge *merge, struct trace_record *record);
/* The time of the first record, 0 if there is none. */
uint64_t merge_first_time(const struct merge *merge);

/* Where record types sort at equal times; RANK_NONE: no record type, RANK_STREAM: OWNER or TIME. */
enum { RANK_NONE = 0, RANK_FIRST = SNARLI_RELEASE + 1, RANK_STREAM = SNARLI_ACQUIRE + 2 };
extern const uint8_t record_ranks[256];

#endif
