/* SPDX-License-Identifier: MIT
 *
 * A module that is loaded and unloaded: room for an object.
 */
#include <pthread.h>

extern pthread_mutex_t room;
pthread_mutex_t room;
