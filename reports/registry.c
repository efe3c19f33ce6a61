/* SPDX-License-Identifier: MIT
 *
 * The table of formats, expanded from formats.def. Constant data: any thread.
 */
#include "formats.h"
#include <string.h>

static const struct renderer renderers[] = {
#define FORMAT(name, renderer, suffix, help) {name, suffix, help, renderer},
#include "formats.def"
};

const struct renderer *renderer_at(size_t i) {
  return i < sizeof renderers / sizeof renderers[0] ? &renderers[i] : NULL;
}

const struct renderer *renderer_find(const char *name) {
  for (size_t i = 0; renderer_at(i) != NULL; i++)
    if (strcmp(renderers[i].name, name) == 0)
      return &renderers[i];
  return NULL;
}
