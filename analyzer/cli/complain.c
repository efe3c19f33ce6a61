/* SPDX-License-Identifier: MIT
 *
 * Messages of the command, one line each. A file name can hold anything, so control characters do not reach the
 * terminal. One write, so that lines of several processes do not mix.
 */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void complain(const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0)
    return;
  for (char *at = text; *at; at++)
    if ((unsigned char)*at < ' ' || *at == 127)
      *at = '?';
  fprintf(stderr, "snarl: %s\n", text);
  free(text);
}
