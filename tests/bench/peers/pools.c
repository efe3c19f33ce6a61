/* SPDX-License-Identifier: MIT
 *
 * Empty tasks through a pool of two threads: all are submitted by one thread, which then waits for the end of all. With
 * libsnarl each has a future, and the waiting asks each of them.
 */
#include "peers.h"
#include <glib.h>
#include <snarl/snarl.h>
#include <stdlib.h>
#include <uv.h>

enum { WORKERS = 2 };

static snarl_executor executor;
static _Atomic long done;

static void make(void) {
  done = 0;
  must(setenv("UV_THREADPOOL_SIZE", "2", 1) == 0, "setenv");
  must(snarl_executor_init(&executor, "pool", &(struct snarl_executor_options){.workers = WORKERS}) == SNARL_OK,
       "init");
}
static void end(void) { must(snarl_executor_destroy(&executor) == SNARL_OK, "destroy"); }

static void *nothing(void *argument) { return argument; }

static void own(int thread, long operations) {
  snarl_future **futures = calloc((size_t)operations, sizeof(snarl_future *));
  (void)thread;
  must(futures != NULL, "calloc");
  for (long i = 0; i < operations; i++)
    must(snarl_executor_submit(&executor, nothing, NULL, &futures[i]) == SNARL_OK, "submit");
  for (long i = 0; i < operations; i++) {
    must(snarl_future_result(futures[i], SNARL_FOREVER, NULL) == SNARL_OK, "result");
    snarl_future_drop(futures[i]);
  }
  free(futures);
}

static void glib_task(gpointer data, gpointer unused) {
  (void)data;
  (void)unused;
  done++;
}
static void glib(int thread, long operations) {
  (void)thread;
  GThreadPool *pool = g_thread_pool_new(glib_task, NULL, WORKERS, TRUE, NULL);
  for (long i = 0; i < operations; i++)
    g_thread_pool_push(pool, pool, NULL);
  g_thread_pool_free(pool, FALSE, TRUE);
  must(done == operations, "g_thread_pool");
}

static void uv_task(uv_work_t *work) { (void)work; }
static void uv_done(uv_work_t *work, int status) {
  (void)work;
  done += status == 0;
}
static void libuv(int thread, long operations) {
  uv_loop_t loop;
  uv_work_t *works = calloc((size_t)operations, sizeof *works);
  (void)thread;
  must(works != NULL && uv_loop_init(&loop) == 0, "uv_loop_init");
  for (long i = 0; i < operations; i++)
    must(uv_queue_work(&loop, &works[i], uv_task, uv_done) == 0, "uv_queue_work");
  uv_run(&loop, UV_RUN_DEFAULT);
  must(done == operations && uv_loop_close(&loop) == 0, "uv_run");
  free(works);
}

static void openmp(int thread, long operations) {
  (void)thread;
#pragma omp parallel num_threads(WORKERS)
#pragma omp single
  for (long i = 0; i < operations; i++) {
#pragma omp task
    __asm__ volatile("" ::: "memory");
  }
}

const struct peer pool_peers[] = {
    {"pool", "snarl", make, own, 1, end},   {"pool", "glib", make, glib, 1, end},
    {"pool", "libuv", make, libuv, 1, end}, {"pool", "openmp", make, openmp, 1, end},
    {NULL, NULL, NULL, NULL, 0, NULL},
};
