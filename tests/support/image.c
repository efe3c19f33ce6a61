/* SPDX-License-Identifier: MIT
 *
 * See image.h. A file is laid out as: header, one window of blobs, one of stack nodes, then the records' windows in
 * the order in which they were begun.
 */
#include "image.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, WINDOW_ROWS = PAGE / SNARLI_ROW - 1 };

struct row {
  struct snarli_record record;
  unsigned aux; /* enum image_aux */
};

struct row_window {
  struct row rows[WINDOW_ROWS];
  size_t count;
};

struct blob {
  struct snarli_blob header;
  char *payload;
  uint32_t id;
};

struct writer { /* a thread */
  uint32_t thread;
  bool has_window;
  size_t window;
  uint64_t upper;
};

struct image {
  struct snarli_header header;
  struct snarli_stack_node *nodes;
  size_t node_count;
  uint32_t first_node; /* id, when laid out */
  struct blob *blobs;
  size_t blob_count;
  struct row_window *windows;
  size_t window_count;
  struct writer *writers;
  size_t writer_count;
};

static void *must(void *memory) {
  if (!memory)
    abort();
  return memory;
}

/* Room for one more of `count`; grows when that is a power of two. */
static void *one_more(void *array, size_t count, size_t element) {
  return count & (count - 1) ? array : must(realloc(array, (count ? count * 2 : 1) * element));
}

struct image *image_new(uint32_t pid, uint64_t begin) {
  struct image *image = must(calloc(1, sizeof *image));
  image->header = (struct snarli_header){.magic = SNARLI_MAGIC,
                                         .version = SNARLI_VERSION,
                                         .byte_order = SNARLI_BYTE_ORDER,
                                         .clock = SNARLI_CLOCK_MONOTONIC,
                                         .pid = pid,
                                         .begin_ticks = begin,
                                         .begin_ns = begin,
                                         .image = (uint64_t)pid << 40 ^ begin,
                                         .ticks_per_second = 1000000000,
                                         .sync_ticks = begin,
                                         .sync_ns = begin,
                                         .ended = 1,
                                         .threads = 1};
  return image;
}

void image_free(struct image *image) {
  for (size_t i = 0; i < image->blob_count; i++)
    free(image->blobs[i].payload);
  free(image->blobs);
  free(image->nodes);
  free(image->windows);
  free(image->writers);
  free(image);
}

struct snarli_header *image_header(struct image *image) {
  return &image->header;
}

uint32_t image_node(struct image *image, uint64_t pc, uint32_t parent) {
  for (size_t i = 0; i < image->node_count; i++)
    if (image->nodes[i].pc == pc && image->nodes[i].parent == parent)
      return (uint32_t)i + 1;
  image->nodes = one_more(image->nodes, image->node_count, sizeof *image->nodes);
  image->nodes[image->node_count++] = (struct snarli_stack_node){.pc = pc, .parent = parent, .used = 1};
  return (uint32_t)image->node_count;
}

uint32_t image_blob(struct image *image, enum snarli_blob_kind kind, uint64_t time, const void *head, size_t head_size,
                    const void *tail, size_t tail_size) {
  image->blobs = one_more(image->blobs, image->blob_count, sizeof *image->blobs);
  struct blob *blob = &image->blobs[image->blob_count++];
  size_t size = head_size + tail_size;
  *blob = (struct blob){.header = {.kind = kind, .size = (uint32_t)size, .time = time}};
  blob->payload = must(calloc(1, size + SNARLI_ROW));
  if (head_size)
    memcpy(blob->payload, head, head_size);
  if (tail_size)
    memcpy(blob->payload + head_size, tail, tail_size);
  return (uint32_t)image->blob_count;
}

uint32_t image_channel(struct image *image, uint64_t time, const struct snarli_channel *channel, const char *name) {
  return image_blob(image, SNARLI_B_CHANNEL, time, channel, sizeof *channel, name, strlen(name));
}

static struct writer *writer_of(struct image *image, uint32_t thread) {
  for (size_t i = 0; i < image->writer_count; i++)
    if (image->writers[i].thread == thread)
      return &image->writers[i];
  image->writers = one_more(image->writers, image->writer_count, sizeof *image->writers);
  image->writers[image->writer_count] = (struct writer){.thread = thread};
  if (thread >= image->header.threads)
    image->header.threads = thread + 1;
  return &image->writers[image->writer_count++];
}

static struct row_window *window_with_room(struct image *image, struct writer *writer, size_t rows) {
  /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): writers are moved before anybody points at one */
  struct row_window *window = writer->has_window ? &image->windows[writer->window] : NULL;
  return window && window->count + rows <= WINDOW_ROWS ? window : NULL;
}

static void row_put(struct row_window *window, uint64_t head, unsigned kind, uint32_t aux, uint32_t time) {
  window->rows[window->count++] = (struct row){{.head = head, .aux = aux, .time = time}, kind};
}

static void owner_put(struct image *image, struct writer *writer, uint64_t upper) {
  struct row_window *window = &image->windows[writer->window];
  uint32_t tid = writer->thread ? image->header.pid * 100 + writer->thread : image->header.pid;
  row_put(window, snarli_record_head(SNARLI_R_OWNER, 0, tid), IMAGE_RAW, writer->thread, 0);
  row_put(window, snarli_record_head(SNARLI_R_TIME, 0, upper), IMAGE_RAW, 0, 0);
  writer->upper = upper;
}

static struct row_window *window_begin(struct image *image, struct writer *writer, uint64_t upper) {
  image->windows = one_more(image->windows, image->window_count, sizeof *image->windows);
  image->windows[image->window_count].count = 0;
  writer->window = image->window_count++;
  writer->has_window = true;
  owner_put(image, writer, upper);
  return &image->windows[writer->window];
}

void image_record(struct image *image, uint32_t thread, uint64_t time, uint64_t head, unsigned kind, uint32_t aux) {
  struct writer *writer = writer_of(image, thread);
  uint64_t upper = time >> 32;
  struct row_window *window = window_with_room(image, writer, upper == writer->upper ? 1 : 2);
  if (!window)
    window = window_begin(image, writer, upper);
  if (upper != writer->upper)
    row_put(window, snarli_record_head(SNARLI_R_TIME, 0, upper), IMAGE_RAW, 0, 0);
  writer->upper = upper;
  row_put(window, head, kind, aux, (uint32_t)time);
}

void image_window(struct image *image, uint32_t thread) { writer_of(image, thread)->has_window = false; }

void image_hole(struct image *image, uint32_t thread) {
  struct writer *writer = writer_of(image, thread);
  struct row_window *window = window_with_room(image, writer, 1);
  if (!window)
    window = window_begin(image, writer, writer->upper);
  row_put(window, 0, IMAGE_RAW, 0, 0);
}

bool image_handover(struct image *image, uint32_t from, uint32_t to) {
  (void)writer_of(image, to); /* may move the array */
  struct writer *giver = writer_of(image, from), *taker = writer_of(image, to);
  if (!window_with_room(image, giver, 3))
    return false;
  taker->window = giver->window;
  taker->has_window = true;
  giver->has_window = false;
  owner_put(image, taker, giver->upper);
  return true;
}

/* Layout. */

static size_t to_pages(size_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

static size_t blob_size(const struct blob *blob) {
  return sizeof blob->header + (blob->header.size + SNARLI_ROW - 1) / SNARLI_ROW * SNARLI_ROW;
}

static size_t blobs_size(const struct image *image) {
  size_t size = sizeof(struct snarli_window);
  for (size_t i = 0; i < image->blob_count; i++)
    size += blob_size(&image->blobs[i]);
  return image->blob_count ? to_pages(size) : 0;
}

static size_t nodes_size(const struct image *image) {
  return image->node_count ? to_pages((image->node_count + 1) * SNARLI_ROW) : 0;
}

static void window_put(char *at, enum snarli_window_kind kind, size_t size) {
  struct snarli_window window = {.magic = SNARLI_WINDOW_MAGIC, .kind = (uint16_t)kind, .size = (uint32_t)size};
  memcpy(at, &window, sizeof window);
}

/* Its stack is a node until the nodes have their places. */
static void channel_relocate(const struct image *image, char *payload) {
  struct snarli_channel channel;
  memcpy(&channel, payload, sizeof channel);
  if (channel.stack)
    channel.stack += image->first_node - 1;
  memcpy(payload, &channel, sizeof channel);
}

static void blobs_put(struct image *image, char *file, size_t offset) {
  if (image->blob_count)
    window_put(file + offset, SNARLI_W_BLOBS, blobs_size(image));
  offset += sizeof(struct snarli_window);
  for (size_t i = 0; i < image->blob_count; i++) {
    struct blob *blob = &image->blobs[i];
    blob->id = (uint32_t)(offset / SNARLI_ROW);
    memcpy(file + offset, &blob->header, sizeof blob->header);
    memcpy(file + offset + sizeof blob->header, blob->payload, blob->header.size);
    if (blob->header.kind == SNARLI_B_CHANNEL)
      channel_relocate(image, file + offset + sizeof blob->header);
    offset += blob_size(blob);
  }
}

static void nodes_put(struct image *image, char *file, size_t offset) {
  image->first_node = (uint32_t)(offset / SNARLI_ROW) + 1;
  if (image->node_count)
    window_put(file + offset, SNARLI_W_STACKS, nodes_size(image));
  for (size_t i = 0; i < image->node_count; i++) {
    struct snarli_stack_node node = image->nodes[i];
    if (node.parent)
      node.parent += image->first_node - 1;
    memcpy(file + offset + (i + 1) * SNARLI_ROW, &node, sizeof node);
  }
}

static void records_put(const struct image *image, const struct row_window *window, char *at) {
  window_put(at, SNARLI_W_RECORDS, PAGE);
  for (size_t i = 0; i < window->count; i++) {
    struct snarli_record record = window->rows[i].record;
    unsigned kind = window->rows[i].aux;
    if (kind & IMAGE_NODE && record.aux)
      record.aux += image->first_node - 1;
    if (kind & IMAGE_BLOB && record.aux)
      record.aux = image->blobs[record.aux - 1].id;
    if (kind & IMAGE_OBJECT_BLOB)
      record.head = (record.head & 0xffff) | (uint64_t)image->blobs[(record.head >> 16) - 1].id << 16;
    memcpy(at + (i + 1) * SNARLI_ROW, &record, sizeof record);
  }
}

void *image_bytes(struct image *image, size_t *size) {
  size_t blobs = SNARLI_HEADER_SIZE, nodes = blobs + blobs_size(image), records = nodes + nodes_size(image);
  *size = records + image->window_count * PAGE;
  char *file = must(calloc(1, *size));
  image->header.next = *size;
  memcpy(file, &image->header, sizeof image->header);
  nodes_put(image, file, nodes); /* first: blobs name them */
  blobs_put(image, file, blobs);
  for (size_t i = 0; i < image->window_count; i++)
    records_put(image, &image->windows[i], file + records + i * PAGE);
  return file;
}

int image_write(struct image *image, const char *path) {
  size_t size, done = 0;
  char *bytes = image_bytes(image, &size);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  int error = fd < 0 ? errno : 0;
  while (!error && done < size) {
    ssize_t written = write(fd, bytes + done, size - done);
    if (written < 0 && errno != EINTR)
      error = errno;
    done += written > 0 ? (size_t)written : 0;
  }
  if (fd >= 0 && close(fd) != 0 && !error)
    error = errno;
  free(bytes);
  return error;
}
