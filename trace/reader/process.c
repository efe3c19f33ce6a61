/* SPDX-License-Identifier: MIT
 *
 * Which image came from which, and the clock that they share. Images are in the order in which they began.
 * Thread of the trace only.
 */
#include "reader_private.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The image of process `pid` that began last before `child` did. */
static int32_t image_before(const struct trace *trace, uint32_t child, uint32_t pid) {
  for (uint32_t i = child; i-- > 0;)
    if (trace->files[i]->process.pid == pid)
      return (int32_t)i;
  return -1;
}

static int32_t image_of_id(const struct trace *trace, uint32_t child, uint64_t image) {
  for (uint32_t i = 0; image && i < trace->file_count; i++)
    if (i != child && trace->files[i]->header.image == image)
      return (int32_t)i;
  return -1;
}

/* Damage could make an image its own ancestor: parents must come before their children. */
static void process_link(const struct trace *trace, uint32_t child) {
  struct trace_process *process = &trace->files[child]->process;
  int32_t parent = process->forked ? image_of_id(trace, child, trace->files[child]->header.parent_image) : -1;
  if (parent < 0 && !process->forked) {
    parent = image_before(trace, child, process->pid);
    process->execed = parent >= 0;
  }
  if (parent < 0)
    parent = image_before(trace, child, process->parent_pid);
  process->parent = parent < (int32_t)child ? parent : -1;
}

void processes_link(struct trace *trace) {
  for (uint32_t i = 0; i < trace->file_count; i++)
    process_link(trace, i);
}

uint32_t trace_process_count(const struct trace *trace) { return (uint32_t)trace->file_count; }

const struct trace_process *trace_process_at(const struct trace *trace, uint32_t process) {
  return process < trace->file_count ? &trace->files[process]->process : NULL;
}

/* ticks / rate * 1e9, saturated; 128 bits hold the product of any two. */
static uint64_t scale(uint64_t ticks, uint64_t ns, uint64_t per_ticks) {
  unsigned __int128 scaled = (unsigned __int128)ticks * ns / per_ticks;
  return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}

uint64_t trace_ns(const struct trace *trace, uint64_t time) {
  if (time <= trace->origin || trace->file_count == 0)
    return 0;
  const struct snarli_header *header = &trace->files[0]->header;
  uint64_t ticks = time - trace->origin;
  if (header->ticks_per_second)
    return scale(ticks, 1000000000u, header->ticks_per_second);
  if (header->clock == SNARLI_CLOCK_MONOTONIC || header->sync_ticks <= header->begin_ticks ||
      header->sync_ns <= header->begin_ns)
    return ticks;
  return scale(ticks, header->sync_ns - header->begin_ns, header->sync_ticks - header->begin_ticks);
}

static const char *stop_reason(enum snarli_stop stop) {
  switch (stop) {
  case SNARLI_STOP_NO_SPACE:
    return "its file could not grow";
  case SNARLI_STOP_NO_FILE:
    return "its file could not be opened";
  case SNARLI_STOP_NO_MEMORY:
    return "its file could not be mapped";
  case SNARLI_STOP_NONE:
    break;
  }
  return "";
}

int trace_print_loss(const struct trace *trace, uint32_t index, char *buf, size_t size) {
  const struct trace_process *process = trace_process_at(trace, index);
  if (!process || (!process->dropped && !process->stop))
    return 0;
  double after = (double)(trace_ns(trace, process->dropped_at) - trace_ns(trace, process->begin)) / 1e9;
  const char *many = process->dropped == 1 ? " is" : "s are";
  if (!process->stop)
    return snprintf(buf, size, "process %u: from %.6f s on %" PRIu64 " record%s missing", process->pid, after,
                    process->dropped, many);
  return snprintf(buf, size,
                  "process %u: recording stopped after %.6f s, because %s (%s): %" PRIu64 " record%s missing",
                  process->pid, process->dropped ? after : 0, stop_reason(process->stop), strerror(process->stop_errno),
                  process->dropped, many);
}
