/* SPDX-License-Identifier: MIT
 *
 * The memory of a replay depends on what lives, not on the number of records: threads that come and go, each with a
 * fresh semaphore that stands in locksets, as CPython's conditions make them; mutexes that go with their memory. One
 * thread.
 */
#include "checks/dependencies.h"
#include "story.h"
#include <stdio.h>
#include <stdlib.h>

/* Threads that come and go, each with a semaphore of its own. */
static void write_threads(FILE *out, unsigned rounds) {
  for (unsigned i = 1; i <= rounds; i++)
    fprintf(
        out,
        "1.0 lock L\n1.0 sem-init W%u i@a.c:1\n1.0 sem-value W%u 1\n1.0 p W%u\n1.0 lock M\n1.0 unlock M\n1.0 start %u\n"
        "1.0 unlock L\n1.0 askp W%u\n1.%u begin\n1.%u lock L\n1.%u v W%u\n1.%u unlock L\n1.%u end\n1.0 sem-acquired "
        "W%u w@a.c:2\n"
        "1.0 sem-destroyed W%u w@a.c:2\n1.0 join %u\n",
        i, i, i, i, i, i, i, i, i, i, i, i, i, i);
}

/* Mutexes on the heap, which nobody destroys. */
static void write_heap(FILE *out, unsigned rounds) {
  for (unsigned i = 1; i <= rounds; i++)
    fprintf(out,
            "1.0 lock L\n1.0 lock H%u\n1.0 unlock H%u\n1.0 unlock L\n1.0 memory-freed H%u 64\n1.0 happens-before "
            "M%u\n1.0 memory-freed M%u 64\n",
            i, i, i, i, i);
}

static size_t bytes_after(void (*write)(FILE *, unsigned), unsigned rounds) {
  char *text, *told;
  size_t size, bytes;
  FILE *out = open_memstream(&text, &size);
  fprintf(out, "process 1 app\n");
  write(out, rounds);
  fclose(out);
  told = story_text(text);
  struct assembled assembled;
  struct arena arena;
  struct model model;
  struct dependencies deps;
  struct trace_record record;
  struct event event;
  assert_true(assembled_open(&assembled, told));
  arena_init(&arena, NULL);
  model_init(&model, &arena, assembled.trace);
  dependencies_init(&deps, &arena, &model);
  model.forget = dependencies_forget;
  model.context = &deps;
  while (trace_next(assembled.trace, &record)) {
    model_step(&model, &record, &event);
    dependencies_step(&deps, &event);
  }
  assert_true(model.thread_serials + model.object_serials > rounds);
  bytes = arena.bytes;
  arena_destroy(&arena);
  assembled_close(&assembled);
  free(told);
  free(text);
  return bytes;
}

static void churn(void **state) {
  (void)state;
  size_t few = bytes_after(write_threads, 100), many = bytes_after(write_threads, 800);
  assert_in_range(many, 0, few + 11000); /* less than 16 bytes for each of the 700 threads and semaphores more */
}

static void heap(void **state) {
  (void)state;
  size_t few = bytes_after(write_heap, 100), many = bytes_after(write_heap, 800);
  assert_int_equal(many, few);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(churn), cmocka_unit_test(heap)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
