/* SPDX-License-Identifier: MIT
 *
 * Every sample report in every format of formats.def, compared with the file kept for it: <sample><suffix>. A format
 * without its files fails. UPDATE_GOLDEN=1 in the environment writes them anew; read the difference before committing
 * it. One thread.
 *
 * Pictures are not kept whole, because where Graphviz puts things changes from version to version. Of SVG the skeleton
 * is kept: what is drawn, in which order and class, with which tooltip and words. A PNG's bytes say nothing to a
 * reader; tests/unit/reports looks at its signature and size.
 */
#include "rendered.h"
#include "sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_update(void) {
  const char *update = getenv("UPDATE_GOLDEN");
  return update != NULL && strcmp(update, "1") == 0;
}

/* Copies from `at` to `end`, with the entities that Graphviz writes in some versions and not in others as text. */
static void put_part(FILE *out, const char *at, const char *end) {
  static const char *const entities[][2] = {{"&#45;", "-"}, {"&#39;", "'"}, {"&#160;", "\xc2\xa0"}};
  while (at < end) {
    size_t i = 0;
    while (i < 3 && strncmp(at, entities[i][0], strlen(entities[i][0])) != 0)
      i++;
    fputs(i < 3 ? entities[i][1] : "", out);
    if (i == 3)
      fputc(*at, out);
    at += i < 3 ? strlen(entities[i][0]) : 1;
  }
}

/* The value of an attribute of the tag at `tag`, on a line of its own. */
static void put_attribute(FILE *out, const char *tag, const char *line_end, const char *name) {
  const char *at = strstr(tag, name);
  if (at == NULL || at > line_end)
    return;
  at += strlen(name);
  fprintf(out, " %s", name);
  put_part(out, at, strchr(at, '"'));
  fputc('"', out);
}

/* One line for each group with its id and class, each tooltip and each text; coordinates, sizes and fonts left out. */
static char *skeleton_of(const char *svg) {
  char *bytes = NULL;
  size_t size;
  FILE *out = open_memstream(&bytes, &size);
  assert_non_null(out);
  for (const char *line = svg, *end; *line != '\0'; line = end + 1) {
    end = strchr(line, '\n');
    assert_non_null(end);
    if (strncmp(line, "<g ", 3) == 0 && strstr(line, "class=") != NULL && strstr(line, "class=") < end) {
      fputs("group", out);
      put_attribute(out, line, end, "id=\"");
      put_attribute(out, line, end, "class=\"");
      fputc('\n', out);
    } else if (strncmp(line, "<g ", 3) == 0) {
      fputs(" ", out);
      put_attribute(out, line, end, "xlink:title=\"");
      fputc('\n', out);
    } else if (strncmp(line, "<text ", 6) == 0) {
      fputs("  text ", out);
      put_part(out, strchr(line, '>') + 1, strstr(line, "</text>"));
      fputc('\n', out);
    }
  }
  assert_int_equal(fclose(out), 0);
  return bytes;
}

static char *read_whole(const char *path) {
  FILE *file = fopen(path, "r");
  char *bytes = NULL;
  size_t room = 0;
  if (file == NULL)
    return NULL;
  if (getdelim(&bytes, &room, '\0', file) < 0)
    bytes = calloc(1, 1);
  fclose(file);
  return bytes;
}

static void compare(const char *name, const char *suffix, const char *bytes) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s", GOLDEN_FOLDER, name, suffix);
  if (is_update()) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(bytes, file);
    assert_int_equal(fclose(file), 0);
  }
  char *kept = read_whole(path);
  if (kept == NULL) {
    fail_msg("%s is missing: UPDATE_GOLDEN=1 writes it", path);
    return;
  }
  if (strcmp(kept, bytes) == 0) {
    free(kept);
    return;
  }
  size_t at = 0, line = 1;
  for (; kept[at] == bytes[at]; at++)
    line += kept[at] == '\n';
  print_error("%s differs from line %zu on: kept \"%.60s\", now \"%.60s\"\n", path, line, kept + at, bytes + at);
  free(kept);
  fail();
}

static void render_and_compare(const struct renderer *renderer, const struct sample *sample) {
  const struct render_options options = {.picture = sample->picture};
  size_t size;
  char *bytes = rendered(renderer->name, sample->report(), &options, &size);
  if (strcmp(renderer->name, "svg") == 0) {
    char *skeleton = skeleton_of(bytes);
    compare(sample->name, ".svg.txt", skeleton);
    free(skeleton);
  } else
    compare(sample->name, renderer->suffix, bytes);
  free(bytes);
}

static void every_format_renders_what_is_kept(void **state) {
  (void)state;
  size_t count = 0;
  for (size_t i = 0; renderer_at(i) != NULL; i++)
    for (size_t k = 0; sample_at(k) != NULL; k++)
      if (strcmp(renderer_at(i)->name, "png") != 0 && sample_at(k)->is_golden) {
        render_and_compare(renderer_at(i), sample_at(k));
        count++;
      }
  assert_true(count > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_format_renders_what_is_kept)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
