/* SPDX-License-Identifier: MIT
 *
 * Values over connections: messages whose bytes are packed values. Entered by any thread.
 */
#include "any/pack.h"
#include "core/runtime.h"
#include <snarl/connection.h>
#include <stdlib.h>

int snarl_connection_send_any_at(snarl_connection *connection, snarl_any value, snarl_time timeout,
                                 struct snarl_site *site) {
  struct snarli_packed packed;
  int status = snarli_packed_begin(&packed, value);
  snarl_any_drop(&value);
  if (status)
    return status;
  status = snarl_connection_send_at(connection, packed.bytes, packed.size, timeout, site);
  snarli_packed_end(&packed);
  return status;
}

snarl_any snarl_connection_recv_any_at(snarl_connection *connection, snarl_time timeout, struct snarl_site *site) {
  void *bytes;
  int64_t size = snarl_connection_recv_at(connection, &bytes, SIZE_MAX, timeout, site);
  if (size < 0)
    return snarl_any_error((int)size);
  snarl_any value;
  int status = snarli_any_unpack(bytes, (size_t)size, &value);
  free(bytes);
  return status ? snarl_any_error(status) : value;
}
