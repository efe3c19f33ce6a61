/* SPDX-License-Identifier: MIT
 *
 * An any as text for people: JSON as far as that goes. Entered by any thread.
 */
#include "heap.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* How JSON writes it, or NULL: as it is. */
static const char *escaped(unsigned char byte, char room[static 8]) {
  switch (byte) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\n':
    return "\\n";
  case '\t':
    return "\\t";
  case '\r':
    return "\\r";
  default:
    if (byte >= ' ' && byte != 0x7f)
      return NULL;
    snprintf(room, 8, "\\u%04x", byte);
    return room;
  }
}

static void print_string(FILE *file, const struct snarli_text *text) {
  fputc('"', file);
  for (uint32_t i = 0; i < text->size; i++) {
    char room[8];
    const char *escape = escaped((unsigned char)text->bytes[i], room);
    if (escape)
      fputs(escape, file);
    else
      fputc(text->bytes[i], file);
  }
  fputc('"', file);
}

static void print_bytes(FILE *file, const struct snarli_text *text) {
  fputs("b\"", file);
  for (uint32_t i = 0; i < text->size; i++) {
    unsigned char byte = (unsigned char)text->bytes[i];
    if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
      fprintf(file, "\\x%02x", byte);
    else
      fputc(byte, file);
  }
  fputc('"', file);
}

/* With as few digits as give the same number again, and a point whatever the locale has in its place. */
static void print_double(FILE *file, double number) {
  char text[64];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number)
      break;
  }
  if (!isfinite(number)) {
    fputs(isnan(number) ? "nan" : number < 0 ? "-inf" : "inf", file);
    return;
  }
  size_t whole = strspn(text, "-0123456789"), point = strcspn(text + whole, "e0123456789");
  fprintf(file, "%.*s%s%s", (int)whole, text, point || text[whole] != 'e' ? "." : "",
          text[whole + point] ? text + whole + point : "0");
}

static int print(FILE *file, snarl_any value, int levels);

static int print_list(FILE *file, const struct snarli_list *list, int levels) {
  int status = SNARL_OK;
  fputc('[', file);
  for (uint32_t i = 0; !status && i < list->length; i++) {
    if (i)
      fputs(", ", file);
    status = print(file, list->items[i], levels);
  }
  fputc(']', file);
  return status;
}

static int print_dict(FILE *file, const struct snarli_dict *dict, int levels) {
  int status = SNARL_OK;
  const char *before = "";
  fputc('{', file);
  for (uint32_t i = 0; !status && i < dict->end; i++) {
    if (snarli_is_hole(&dict->pairs[i]))
      continue;
    fputs(before, file);
    before = ", ";
    (void)print(file, dict->pairs[i].key, levels);
    fputs(": ", file);
    status = print(file, dict->pairs[i].item, levels);
  }
  fputc('}', file);
  return status;
}

static int print_container(FILE *file, snarl_any value, int levels) {
  if (!levels)
    return SNARL_TOO_DEEP;
  return value.type == SNARL_ANY_LIST ? print_list(file, snarli_list_of(value), levels - 1)
                                      : print_dict(file, snarli_dict_of(value), levels - 1);
}

static int print(FILE *file, snarl_any value, int levels) {
  switch (value.type) {
  case SNARL_ANY_NIL:
    fputs("null", file);
    break;
  case SNARL_ANY_BOOL:
    fputs(value.as.integer ? "true" : "false", file);
    break;
  case SNARL_ANY_INT:
    fprintf(file, "%" PRId64, value.as.integer);
    break;
  case SNARL_ANY_DOUBLE:
    print_double(file, value.as.number);
    break;
  case SNARL_ANY_ERROR:
    fprintf(file, "<%s>", snarl_status_name(snarl_any_status(value)));
    break;
  case SNARL_ANY_STRING:
    print_string(file, snarli_text_of(value));
    break;
  case SNARL_ANY_BYTES:
    print_bytes(file, snarli_text_of(value));
    break;
  default:
    return print_container(file, value, levels);
  }
  return SNARL_OK;
}

int snarl_any_print(FILE *file, snarl_any value) {
  if (!file)
    return SNARL_INVALID;
  int saved = errno, status = print(file, value, SNARL_ANY_DEPTH);
  errno = saved;
  return !status && ferror(file) ? SNARL_FAILED : status;
}

snarl_any snarl_any_text(snarl_any value) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (!file)
    return snarl_any_error(SNARL_NO_MEMORY);
  int status = snarl_any_print(file, value);
  if (fclose(file) || status == SNARL_FAILED)
    status = SNARL_NO_MEMORY;
  snarl_any result = status ? snarl_any_error(status) : snarl_any_string_of(text, size);
  free(text);
  return result;
}
