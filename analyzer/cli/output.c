/* SPDX-License-Identifier: MIT
 *
 * Where reports go. A regular file is written under a temporary name in its own folder and renamed when it is whole, so
 * that a full disk leaves the old one; a pipe, terminal or device is written in place. Main thread.
 */
#include "output.h"

#include "complain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *output_name(const struct output *output) {
  return output->path ? output->path : output->stream == stderr ? "standard error" : "standard output";
}

/* One line per output, however often it fails. */
static bool cannot_write(struct output *output, int error) {
  if (!output->has_failed)
    complain("cannot write %s: %s", output_name(output), strerror(error));
  output->has_failed = true;
  return false;
}

int stream_error(FILE *stream) {
  errno = 0;
  if (!ferror(stream) && fflush(stream) == 0)
    return 0;
  /* The write that failed was some time ago: ask why with another one. */
  if (errno == 0 && write(fileno(stream), "\n", 1) == 1)
    return EIO;
  return errno ? errno : EIO;
}

/* A folder that does not exist is told before the program runs for an hour, not after. */
static enum exit_status check_path(const char *path) {
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return complain("cannot write %s: it is a directory", path), EXIT_FAILED;
  const char *slash = strrchr(path, '/');
  char *folder = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
  bool exists = folder && stat(folder, &status) == 0 && S_ISDIR(status.st_mode);
  if (!exists)
    complain("cannot write %s: there is no directory %s", path, folder ? folder : "");
  free(folder);
  return exists ? EXIT_OK : EXIT_FAILED;
}

static enum exit_status parse_format(struct output *output, const char *text, bool many_traces) {
  size_t length = strcspn(text, "=");
  char *name = strndup(text, length);
  if (!name)
    return complain("out of memory"), EXIT_FAILED;
  output->renderer = renderer_find(name);
  if (!output->renderer) {
    complain("there is no format '%s'; --help lists them", name);
    free(name);
    return EXIT_USAGE;
  }
  bool repeats = strcmp(name, "text") == 0 || strcmp(name, "json") == 0;
  free(name);
  if (many_traces && !repeats)
    return complain("-f %s takes one trace: several pictures do not fit in one file", output->renderer->name),
           EXIT_USAGE;
  if (!text[length] || strcmp(text + length, "=-") == 0)
    return EXIT_OK;
  output->path = text + length + 1;
  if (!*output->path)
    return complain("-f %s wants a path after '='", text), EXIT_USAGE;
  return check_path(output->path);
}

enum exit_status outputs_init(struct outputs *outputs, const struct options *options, FILE *text) {
  size_t wanted = options->formats.count ? options->formats.count : 1;
  *outputs = (struct outputs){.items = calloc(wanted, sizeof *outputs->items), .count = wanted, .text = text};
  if (!outputs->items)
    return complain("out of memory"), EXIT_FAILED;
  bool many = commands[options->command].kind == TAKES_TRACES && options->argument_count > 1;
  outputs->items[0].renderer = renderer_find("text");
  for (size_t i = 0; i < options->formats.count; i++) {
    enum exit_status status = parse_format(&outputs->items[i], options->formats.items[i], many);
    if (status != EXIT_OK)
      return status;
    bool is_picture = strcmp(outputs->items[i].renderer->name, "png") == 0;
    if (is_picture && !outputs->items[i].path && isatty(STDOUT_FILENO))
      return complain("-f png wants a path (-f png=FILE): standard output is a terminal"), EXIT_USAGE;
  }
  return EXIT_OK;
}

void outputs_destroy(struct outputs *outputs) {
  free(outputs->items);
  *outputs = (struct outputs){0};
}

static bool open_beside(struct output *output) {
  if (asprintf(&output->temporary, "%s.XXXXXX", output->target) < 0) {
    output->temporary = NULL;
    return false;
  }
  int fd = mkostemp(output->temporary, O_CLOEXEC);
  if (fd >= 0) {
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    output->stream = fdopen(fd, "w");
    return output->stream != NULL;
  }
  free(output->temporary);
  output->temporary = NULL;
  return false;
}

bool output_open(struct output *output, FILE *standard) {
  struct stat status;
  output->stream = NULL;
  output->target = output->temporary = NULL;
  output->has_failed = false;
  if (!output->path) {
    output->stream = standard;
    return true;
  }
  bool exists = stat(output->path, &status) == 0;
  output->target = exists ? realpath(output->path, NULL) : strdup(output->path);
  /* Nor can a folder without write permission hold a temporary file, though its files may be writable. */
  if (output->target && (!exists || S_ISREG(status.st_mode)) && open_beside(output))
    return true;
  output->stream = fopen(output->path, "we");
  if (output->stream)
    return true;
  free(output->target);
  output->target = NULL;
  return cannot_write(output, errno);
}

enum picture_kind picture_wanted(const struct report *report, const struct options *options) {
  if (options->kind >= 0)
    return options->kind == KIND_LOCK_ORDER ? PICTURE_LOCK_ORDER
           : options->kind == KIND_WAIT_FOR ? PICTURE_WAIT_FOR
                                            : PICTURE_HAPPENS_BEFORE;
  for (size_t i = 0; i < report->finding_count; i++)
    for (size_t t = 0; t < report->findings[i].thread_count; t++)
      if (report->findings[i].threads[t].is_blocked)
        return PICTURE_WAIT_FOR;
  return PICTURE_LOCK_ORDER;
}

static bool wants_colour(const struct output *output, const struct options *options) {
  const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
  if (options->colour != COLOUR_AUTO)
    return options->colour == COLOUR_ALWAYS;
  return isatty(fileno(output->stream)) && !(no_colour && *no_colour) && !(terminal && strcmp(terminal, "dumb") == 0);
}

bool output_add(struct output *output, const struct report *report, const struct options *options) {
  struct render_options wanted = {.use_colour = wants_colour(output, options),
                                  .is_verbose = options->is_verbose,
                                  .picture = picture_wanted(report, options)};
  int error = output->renderer->render(report, &wanted, output->stream);
  return error == 0 || cannot_write(output, error);
}

bool output_close(struct output *output) {
  if (!output->stream)
    return false;
  int error = stream_error(output->stream);
  bool is_written = error == 0 && !output->has_failed;
  if (output->path && fclose(output->stream) != 0 && is_written) {
    error = errno;
    is_written = false;
  }
  if (is_written && output->temporary && rename(output->temporary, output->target) != 0) {
    error = errno;
    is_written = false;
  }
  if (!is_written && output->temporary)
    unlink(output->temporary);
  if (!is_written)
    cannot_write(output, error);
  free(output->temporary);
  free(output->target);
  output->stream = NULL;
  output->temporary = output->target = NULL;
  return is_written;
}

bool outputs_open(struct outputs *outputs) {
  bool is_good = true;
  for (size_t i = 0; i < outputs->count; i++) {
    struct output *output = &outputs->items[i];
    is_good &= output_open(output, strcmp(output->renderer->name, "text") == 0 ? outputs->text : stdout);
  }
  return is_good;
}

bool outputs_add(struct outputs *outputs, const struct report *report, const struct options *options) {
  bool is_good = true;
  for (size_t i = 0; i < outputs->count; i++)
    if (outputs->items[i].stream)
      is_good &= output_add(&outputs->items[i], report, options);
  return is_good;
}

bool outputs_close(struct outputs *outputs) {
  bool is_good = true;
  for (size_t i = 0; i < outputs->count; i++)
    is_good &= output_close(&outputs->items[i]);
  return is_good;
}
