// SPDX-License-Identifier: MIT
//
// start_program PLUGIN: a C++ program with entries of its own and of a library that it loads, built with and without
// position-independent code, its sections collected by the linker. Started anew it must not come to main again, and
// all its constructors must have run. Then once more with its file removed, and by way of the loader, where a fresh
// image cannot be.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <snarl/snarl.h>
#include <string>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

bool has_main_run;
const std::string greeting = std::string("made by ") + "a constructor";

int greet(void *argument) { return has_main_run ? 1 : greeting == static_cast<const char *>(argument) ? 0 : 2; }
SNARL_ENTRY(greet);

bool is_right(int wanted, int is, const char *what) {
  if (wanted != is)
    std::printf("%s: %s instead of %s\n", what, snarl_status_text(is), snarl_status_text(wanted));
  return wanted == is;
}

bool runs(int (*function)(void *), int wanted_start, const char *what) {
  bool is_well = true;
  for (snarl_start_method method : {SNARL_START_SPAWN, SNARL_START_FORKSERVER}) {
    snarl_process process = SNARL_PROCESS_INIT("greeter", function, nullptr);
    is_well &= is_right(SNARL_OK, snarl_process_set_start(&process, method), what);
    is_well &= is_right(SNARL_OK, snarl_process_set_argument(&process, greeting.c_str(), greeting.size() + 1), what);
    int status = snarl_process_start(&process);
    is_well &= is_right(wanted_start, status, what);
    if (!status)
      is_well &= is_right(SNARL_OK, snarl_process_join(&process, SNARL_S(20)), what);
  }
  return is_well;
}

std::string copy_of_this() {
  char path[] = "/tmp/snarl-start-program-XXXXXX";
  int to = mkstemp(path), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  for (ssize_t sent = 1; sent > 0;)
    sent = sendfile(to, from, nullptr, 1 << 20);
  if (to < 0 || from < 0 || fchmod(to, 0700) || close(to) || close(from))
    std::abort();
  return path;
}

// What the program ends with that these arguments name.
int execute(const char *path, const char *first, const char *second) {
  int status = 0, pid = fork();
  if (!pid) {
    execl(path, path, first, second, nullptr);
    _exit(99);
  }
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

int find_loader(dl_phdr_info *info, size_t, void *found) {
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_INTERP)
      *static_cast<const char **>(found) = reinterpret_cast<const char *>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  has_main_run = true;
  if (argc < 2)
    return 3;
  if (!std::strcmp(argv[1], "removed"))
    return unlink(argv[0]) || !runs(greet, SNARL_OK, "removed");
  if (!std::strcmp(argv[1], "by the loader"))
    return !runs(greet, SNARL_NO_IMAGE, "by the loader");
  void *plugin = dlopen(argv[1], RTLD_NOW);
  auto function = plugin ? reinterpret_cast<int (*)(void *)>(dlsym(plugin, "greet_in_plugin")) : nullptr;
  if (!function || !runs(greet, SNARL_OK, "greet") || !runs(function, SNARL_OK, "greet in plugin"))
    return 1;
  const char *loader = nullptr;
  dl_iterate_phdr(find_loader, &loader);
  int removed = execute(copy_of_this().c_str(), "removed", nullptr);
  int loaded = loader ? execute(loader, argv[0], "by the loader") : 97;
  if (removed || loaded)
    std::printf("removed: %d, by the loader: %d\n", removed, loaded);
  return removed || loaded;
}
