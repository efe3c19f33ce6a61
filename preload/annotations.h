/* SPDX-License-Identifier: MIT
 *
 * What the annotations share: the definitions that come after ours, and the flags of ThreadSanitizer's interface.
 */
#ifndef SNARLI_ANNOTATIONS_H
#define SNARLI_ANNOTATIONS_H

#include <stdbool.h>

/* The next definitions of the annotations, of ThreadSanitizer's runtime as a rule; NULL: there is none. */
struct snarli_next {
#define ANNOTATION(body, ret, name, params, args) ret(*name) params;
#include "annotations.def"
};
extern struct snarli_next snarli_next;

#define ANNOTATION(body, ret, name, params, args) ret name params;
#include "annotations.def"

/* How many operations of locks are under way on this thread, of which nothing is recorded inside: sets it, returns what
 * it was. */
unsigned snarli_hidden_exchange(unsigned depth);

#define SNARLI_FORWARD(name, args)                                                                                     \
  do {                                                                                                                 \
    if (__builtin_expect(snarli_next.name != NULL, 0))                                                                 \
      snarli_next.name args;                                                                                           \
  } while (0)

#endif
