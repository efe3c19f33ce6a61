/* SPDX-License-Identifier: MIT
 *
 * The processes below us, found by walking /proc for parents. Killing in rounds until none is left copes with processes
 * that fork meanwhile: we are the subreaper, so whoever loses its parent becomes our child. Main thread.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct process {
  pid_t pid, parent;
  int threads;
  char state;
};

struct processes {
  struct process *items;
  size_t count, room;
};

/* "PID (name) STATE PARENT ...", where the name can hold anything; the threads are 15 fields further on. */
static bool read_process(const char *pid, struct process *process) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  FILE *in = fopen(path, "re");
  size_t size = in ? fread(text, 1, sizeof text - 1, in) : 0;
  if (in)
    fclose(in);
  text[size] = '\0';
  const char *after = strrchr(text, ')');
  process->pid = atoi(pid);
  return after && sscanf(after + 1, " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
                         &process->state, &process->parent, &process->threads) == 3;
}

static void processes_read(struct processes *processes) {
  *processes = (struct processes){0};
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc && (entry = readdir(proc)) != NULL;) {
    struct process process;
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_process(entry->d_name, &process))
      continue;
    if (processes->count == processes->room) {
      size_t room = processes->room ? processes->room * 2 : 256;
      struct process *items = realloc(processes->items, room * sizeof *items);
      if (!items)
        break;
      processes->items = items;
      processes->room = room;
    }
    processes->items[processes->count++] = process;
  }
  if (proc)
    closedir(proc);
}

static bool is_stranger(const struct tree *tree, pid_t pid) {
  for (size_t i = 0; i < tree->stranger_count; i++)
    if (tree->strangers[i] == pid)
      return true;
  return false;
}

void tree_watch(struct tree *tree) {
  struct processes all;
  *tree = (struct tree){0};
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  processes_read(&all);
  tree->strangers = calloc(all.count + 1, sizeof *tree->strangers);
  for (size_t i = 0; tree->strangers && i < all.count; i++)
    if (all.items[i].parent == getpid())
      tree->strangers[tree->stranger_count++] = all.items[i].pid;
  free(all.items);
}

void tree_destroy(struct tree *tree) { free(tree->strangers); }

/* Moves the processes below us to the front of the list; returns how many. */
static size_t collect(const struct tree *tree, struct processes *all) {
  size_t below = 0, before;
  do {
    before = below;
    for (size_t i = below; i < all->count; i++) {
      pid_t parent = all->items[i].parent;
      bool is_below = parent == getpid() && !is_stranger(tree, all->items[i].pid);
      for (size_t j = 0; j < below && !is_below; j++)
        is_below = all->items[j].pid == parent;
      if (is_below) {
        struct process found = all->items[i];
        all->items[i] = all->items[below];
        all->items[below++] = found;
      }
    }
  } while (below != before);
  return below;
}

/* Sends `signal` to every process below us; returns how many are alive and, if `until_stopped`, not yet stopped. */
static size_t send_all(const struct tree *tree, int signal, bool until_stopped) {
  struct processes all;
  size_t left = 0;
  processes_read(&all);
  size_t below = collect(tree, &all);
  for (size_t i = 0; i < below; i++) {
    char state = all.items[i].state;
    bool is_headless = state == 'Z' && all.items[i].threads > 1; /* its main thread ended, others go on */
    bool is_dead = !is_headless && (state == 'Z' || state == 'X');
    if (is_dead || (until_stopped && (state == 'T' || state == 't')))
      continue;
    kill(all.items[i].pid, signal);
    left += !is_headless || !until_stopped; /* that it stopped is not to be seen */
  }
  free(all.items);
  return left;
}

enum { ROUNDS = 500 }; /* of 2 ms: a process in an uninterruptible call stops later, and is not waited for */

static void pause_briefly(void) { nanosleep(&(struct timespec){0, 2000000}, NULL); }

void tree_stop(const struct tree *tree) {
  for (int i = 0; i < ROUNDS && send_all(tree, SIGSTOP, true); i++)
    pause_briefly();
}

void tree_kill(const struct tree *tree, pid_t program, int *status) {
  for (int i = 0; i < ROUNDS; i++) {
    size_t left = send_all(tree, SIGKILL, false);
    int ended;
    for (pid_t pid; (pid = waitpid(-1, &ended, WNOHANG)) > 0;)
      if (pid == program)
        *status = ended;
    if (!left)
      return;
    pause_briefly();
  }
}
