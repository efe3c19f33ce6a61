/* SPDX-License-Identifier: MIT
 *
 * What the functions of preload/wrapped.def are declared in.
 */
#ifndef SNARL_TEST_WRAPPED_HEADERS_H
#define SNARL_TEST_WRAPPED_HEADERS_H

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#endif
