/* SPDX-License-Identifier: MIT
 *
 * What becomes of pools of processes at the end of the program. Entered by the thread that ends it.
 */
#ifndef SNARLI_POOL_EXIT_H
#define SNARLI_POOL_EXIT_H

/* Executors do what was submitted, pools are terminated; waits for their workers. */
void snarli_pools_at_exit(void);

#endif
