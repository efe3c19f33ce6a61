/* SPDX-License-Identifier: MIT
 *
 * Runs one subject with one peer in processes of their own, and prints nanoseconds per operation and how many of them
 * all workers did.
 *
 *   process-peers SUBJECT NAME free|apart|together OPERATIONS
 *   process-peers                                     lists what there is: SUBJECT NAME
 *
 * Leaves by 77 when the system has no such thing or does not allow it. However it goes, the workers are gone
 * afterwards, and so is the scratch directory.
 */
#include "messages.h"
#include "process_peers.h"
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 30, NOT_HERE = 77 };

struct shared *shared;
enum placement placement;
char scratch[32] = "/tmp/snarl-peers-XXXXXX";
static pid_t workers[MOST_WORKERS];
static pid_t measurer;
static cpu_set_t processors;

static void remove_scratch(void) {
  DIR *directory = opendir(scratch);
  for (struct dirent *each; directory && (each = readdir(directory));)
    (void)unlinkat(dirfd(directory), each->d_name, 0);
  if (directory)
    closedir(directory);
  (void)rmdir(scratch);
}

static _Noreturn void leave(int code) {
  if (getpid() != measurer)
    _exit(code);
  for (int i = 0; i < MOST_WORKERS; i++)
    if (workers[i] > 0 && kill(workers[i], SIGKILL) == 0)
      (void)waitpid(workers[i], NULL, 0);
  remove_scratch();
  exit(code);
}

void give_up(const char *what) {
  fprintf(stderr, "process-peers: %s failed: %s\n", what, strerror(errno));
  leave(1);
}

void not_here(const char *what) {
  fprintf(stderr, "process-peers: %s: %s\n", what, strerror(errno));
  leave(NOT_HERE);
}

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void place_worker(int worker) {
  if (placement == FREE)
    return;
  cpu_set_t one;
  int wanted = placement == TOGETHER ? 0 : worker % CPU_COUNT(&processors), cpu = 0;
  while (!CPU_ISSET(cpu, &processors) || wanted--)
    cpu++;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  must(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

void tell(int worker, double begin, uint64_t count, uint64_t sum) {
  shared->accounts[worker].begin = begin;
  shared->accounts[worker].end = now();
  shared->accounts[worker].count = count;
  shared->accounts[worker].sum = sum;
}

static void work(const struct process_peer *peer, int worker, long operations) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(LONGEST);
  place_worker(worker);
  if (peer->open)
    peer->open(worker);
  pthread_barrier_wait(&shared->gate);
  if (peer->connect)
    peer->connect(worker);
  pthread_barrier_wait(&shared->gate);
  peer->run(worker, operations);
  pthread_barrier_wait(&shared->gate);
  if (peer->close)
    peer->close(worker);
  fflush(NULL);
  _exit(0);
}

static void share(int processes) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared != MAP_FAILED, "mmap");
  pthread_barrierattr_t attr;
  pthread_barrierattr_init(&attr);
  pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared->gate, &attr, (unsigned)processes);
  pthread_barrierattr_destroy(&attr);
}

/* A worker that fails leaves the others at the gate; the first bad news ends all. */
static void await_workers(int count) {
  for (int ended = 0; ended < count;) {
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    if (pid < 0)
      give_up("waiting for the workers");
    for (int i = 0; i < count; i++)
      if (workers[i] == pid) {
        workers[i] = 0;
        ended++;
        if (!WIFEXITED(status) || WEXITSTATUS(status))
          leave(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
      }
  }
}

struct result {
  double took;
  uint64_t units;
};

static struct result result(const struct process_peer *peer, long operations) {
  uint64_t count = 0, sum = 0, wanted_sum = 0;
  uint64_t wanted = peer->expected ? peer->expected(operations, &wanted_sum) : (uint64_t)operations;
  double begin = shared->accounts[0].begin, end = 0;
  for (int i = 0; i < peer->workers; i++) {
    const struct account *account = &shared->accounts[i];
    begin = account->begin < begin ? account->begin : begin;
    end = account->end > end ? account->end : end;
    count += account->count;
    sum += account->sum;
  }
  errno = 0;
  must(count == wanted && sum == wanted_sum, "the work, which is not all done");
  return (struct result){end - begin, wanted};
}

static struct result measure(const struct process_peer *peer, long operations) {
  share(peer->workers);
  if (peer->make)
    peer->make();
  for (int i = 0; i < peer->workers; i++) {
    workers[i] = fork();
    must(workers[i] >= 0, "fork");
    if (!workers[i])
      work(peer, i, operations);
  }
  await_workers(peer->workers);
  if (peer->end)
    peer->end();
  return result(peer, operations);
}

/* Of all workers and what they have started and waited for, their beginnings and ends with it. */
static double processor_time(void) {
  struct rusage all;
  must(getrusage(RUSAGE_CHILDREN, &all) == 0, "getrusage");
  return (double)(all.ru_utime.tv_sec + all.ru_stime.tv_sec) * 1e9 +
         (double)(all.ru_utime.tv_usec + all.ru_stime.tv_usec) * 1e3;
}

static void on_alarm(int number) { (void)number; }

static void prepare(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  measurer = getpid();
  must(sched_getaffinity(0, sizeof processors, &processors) == 0, "sched_getaffinity");
  must(mkdtemp(scratch) != NULL, "mkdtemp");
  sigaction(SIGALRM, &action, NULL);
  alarm(LONGEST);
  signal(SIGPIPE, SIG_IGN);
}

static const struct process_peer *find(const char *subject, const char *name) {
  static const struct process_peer *const lists[] = {pool_peers, own_pool_peers, manager_peers, value_peers,
                                                     start_peers};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    for (const struct process_peer *each = lists[i]; each->subject; each++)
      if (!subject)
        printf("%s %s\n", each->subject, each->name);
      else if (!strcmp(each->subject, subject) && !strcmp(each->name, name))
        return each;
  return NULL;
}

int main(int argc, char **argv) {
  static const char *const placements[] = {"free", "apart", "together"};
  if (argc == 1) {
    messages_list();
    find(NULL, NULL);
  }
  if (argc != 5)
    return argc == 1 ? 0 : 2;
  const struct process_peer *peer = messages_find(argv[1], argv[2]);
  peer = peer ? peer : find(argv[1], argv[2]);
  long operations = atol(argv[4]);
  while (placement < 3 && strcmp(placements[placement], argv[3]) != 0)
    placement++;
  if (!peer || placement == 3 || operations <= 0)
    return 2;
  prepare();
  struct result measured = measure(peer, operations);
  printf("%.2f %lu %.2f\n", measured.took / (double)measured.units, (unsigned long)measured.units,
         processor_time() / (double)measured.units);
  remove_scratch();
  return 0;
}
