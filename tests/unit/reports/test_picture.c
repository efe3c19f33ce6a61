/* SPDX-License-Identifier: MIT
 *
 * dot, svg and png: well-formed whatever the names, whole, and never blank. One thread.
 */
#include "rendered.h"
#include "sample.h"
#include <arpa/inet.h>
#include <graphviz/cgraph.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *picture_of(const char *format, const char *sample, enum picture_kind kind, size_t *size) {
  const struct render_options options = {.picture = kind};
  return rendered(format, sample_report(sample), &options, size);
}

static size_t count_in(const char *text, const char *part) {
  size_t count = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
    count++;
  return count;
}

static Agraph_t *parse(const char *sample, enum picture_kind kind) {
  size_t size;
  char *text = picture_of("dot", sample, kind, &size);
  Agraph_t *graph = agmemread(text);
  assert_non_null(graph);
  free(text);
  return graph;
}

static void dot_holds_every_node_and_line_once(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum picture_kind kind;
    int nodes, edges; /* nodes: the legend is one */
  } expected[] = {{"empty", PICTURE_LOCK_ORDER, 0, 0},         {"two-locks", PICTURE_LOCK_ORDER, 3, 2},
                  {"three-ring", PICTURE_LOCK_ORDER, 5, 4},    {"gate", PICTURE_LOCK_ORDER, 7, 8},
                  {"two-processes", PICTURE_WAIT_FOR, 9, 8},   {"hostile", PICTURE_LOCK_ORDER, 3, 2},
                  {"two-locks", PICTURE_HAPPENS_BEFORE, 0, 0}, {"lanes", PICTURE_HAPPENS_BEFORE, 11, 10}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    Agraph_t *graph = parse(expected[i].name, expected[i].kind);
    assert_int_equal(agnnodes(graph), expected[i].nodes);
    assert_int_equal(agnedges(graph), expected[i].edges);
    agclose(graph);
  }
}

/* The text in a tooltip of an SVG: entities decoded, and what only holds Graphviz off taken out. */
static char *tooltip_of(const char *svg, const char *id) {
  static const struct {
    const char *from, *to;
  } entities[] = {{"&quot;", "\""}, {"&amp;", "&"},  {"&lt;", "<"},        {"&gt;", ">"},         {"&#39;", "'"},
                  {"&#45;", "-"},   {"&#10;", "\n"}, {"\xe2\x80\x8b", ""}, {"&#160;", "\xc2\xa0"}};
  const char *at = strstr(svg, id);
  assert_non_null(at);
  at = strstr(at, "xlink:title=\"");
  assert_non_null(at);
  at += strlen("xlink:title=\"");
  char *text = calloc(1, strlen(at) + 1), *to = text;
  while (*at != '"') {
    size_t i = 0;
    while (i < sizeof entities / sizeof entities[0] && strncmp(at, entities[i].from, strlen(entities[i].from)) != 0)
      i++;
    if (i < sizeof entities / sizeof entities[0]) {
      to = stpcpy(to, entities[i].to);
      at += strlen(entities[i].from);
    } else
      *to++ = *at++;
  }
  return text;
}

static void names_come_through_unharmed(void **state) {
  (void)state;
  static const char name[] = "a\"b\\N\\l<B>&lt;&amp; 'x'\\n\\t\\r\\x1b[31mred\\x7f \\x9b \\u202e"
                             "drow \\xff\\xc0\\xaf\\xed\\xa0\\x80 \xf0\x9f\x90\x8d ]]> --> \\";
  size_t size;
  char *svg = picture_of("svg", "hostile", PICTURE_LOCK_ORDER, &size);
  char *node = tooltip_of(svg, "id=\"a_p0n0\""), *edge = tooltip_of(svg, "id=\"a_p0e0\"");
  assert_int_equal(strncmp(node, name, strlen(name)), 0);
  assert_int_equal(node[strlen(name)], '\n');
  assert_string_equal(node + strlen(name) + 1, name);
  assert_int_equal(strncmp(edge, name, strlen(name)), 0);
  assert_true(count_in(edge, name) == 2);
  free(node);
  node = tooltip_of(svg, "id=\"a_p0n1\"");
  assert_true(strchr(node, '\n') - node == 10000); /* whole, though its label is elided */
  free(node);
  free(edge);
  free(svg);
}

static void svg_draws_every_panel(void **state) {
  (void)state;
  size_t size;
  char *svg = picture_of("svg", "gate", PICTURE_LOCK_ORDER, &size);
  assert_int_equal(count_in(svg, "class=\"node frame finding\""), 1);
  assert_int_equal(count_in(svg, "class=\"node frame impossible\""), 1);
  assert_int_equal(count_in(svg, "class=\"node frame overview\""), 1);
  assert_int_equal(count_in(svg, "class=\"node lock gate\""), 2); /* in its ring and in the overview */
  assert_int_equal(count_in(svg, "class=\"edge order cycle\""), 4);
  assert_int_equal(count_in(svg, "class=\"edge order impossible\""), 4);
  assert_int_equal(count_in(svg, "class=\"edge order plain\""), 2);
  assert_int_equal(count_in(svg, "[1] error: lock"), 1);
  free(svg);
}

static void every_finding_has_its_ring(void **state) {
  (void)state;
  size_t size;
  char *svg = picture_of("svg", "many", PICTURE_LOCK_ORDER, &size);
  assert_int_equal(count_in(svg, "class=\"node frame finding\""), 12);
  assert_int_equal(count_in(svg, "class=\"edge order cycle\""), 2 * 42 - 2); /* nothing is around one of them */
  assert_non_null(strstr(svg, "drawn without labels"));
  free(svg);
  svg = picture_of("svg", "many-folded", PICTURE_LOCK_ORDER, &size);
  assert_int_equal(count_in(svg, "class=\"edge order cycle\""), 42);
  assert_non_null(strstr(svg, "458 locks and "));
  free(svg);
}

static void an_empty_picture_says_why(void **state) {
  (void)state;
  static const struct {
    const char *sample;
    enum picture_kind kind;
    const char *reason;
  } expected[] = {{"empty", PICTURE_LOCK_ORDER, "Nothing to draw: no lock was taken while another was held."},
                  {"empty", PICTURE_WAIT_FOR, "Nothing to draw: no thread waits for another."},
                  {"empty", PICTURE_HAPPENS_BEFORE, "Nothing to draw: there is no finding whose order could be shown"},
                  {"nothing-found", PICTURE_LOCK_ORDER, "none of the 40 locks takes part in a finding"}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    size_t size;
    char *svg = picture_of("svg", expected[i].sample, expected[i].kind, &size);
    char *dot = picture_of("dot", expected[i].sample, expected[i].kind, &size);
    assert_non_null(strstr(svg, expected[i].reason));
    assert_non_null(strstr(dot, expected[i].reason));
    free(svg);
    free(dot);
  }
}

static void png_is_an_image_of_some_size(void **state) {
  (void)state;
  for (size_t i = 0; sample_at(i) != NULL; i++) {
    if (sample_at(i)->is_slow)
      continue;
    size_t size;
    char *png = picture_of("png", sample_at(i)->name, sample_at(i)->picture, &size);
    uint32_t width, height;
    assert_true(size > 1000);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    memcpy(&width, png + 16, 4);
    memcpy(&height, png + 20, 4);
    assert_true(ntohl(width) >= 200 && ntohl(width) <= 32767);
    assert_true(ntohl(height) >= 40 && ntohl(height) <= 32767);
    assert_memory_equal(png + size - 8, "IEND", 4);
    free(png);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dot_holds_every_node_and_line_once),
      cmocka_unit_test(names_come_through_unharmed),
      cmocka_unit_test(svg_draws_every_panel),
      cmocka_unit_test(every_finding_has_its_ring),
      cmocka_unit_test(an_empty_picture_says_why),
      cmocka_unit_test(png_is_an_image_of_some_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
