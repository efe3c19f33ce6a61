/* SPDX-License-Identifier: MIT
 *
 * A report rendered into memory. One thread.
 */
#include "rendered.h"
#include <stdlib.h>
#include <string.h>

static void must(int error, const char *what) {
  if (error == 0)
    return;
  fprintf(stderr, "%s: %s\n", what, strerror(error));
  abort();
}

char *rendered(const char *format, const struct report *report, const struct render_options *options, size_t *size) {
  char *bytes = NULL;
  FILE *out = open_memstream(&bytes, size);
  const struct renderer *renderer = renderer_find(format);
  must(out == NULL || renderer == NULL, format);
  must(renderer->render(report, options, out), format);
  must(fclose(out), "fclose");
  return bytes;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ASAN)
/* What Graphviz loses: fonts, until the process ends; by gmalloc, its own allocator, the pieces of HTML-like labels
 * that its parser copied. A graph that we forget to close is not among them: libcgraph allocates it otherwise. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig\nleak:libpango\nleak:libglib\nleak:gmalloc\n";
}
#endif
