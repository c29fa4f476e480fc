/* SPDX-License-Identifier: GPL-2.0 */
/* The machine's directory, for the code that ends the process. Host half only. */
#ifndef __UM_UMID_H
#define __UM_UMID_H

/**
 * host_umid_remove() - remove the directory; for host_exit() and host_reboot()
 *
 * host_abort() leaves it: a crashed machine can still be looked at.
 */
void host_umid_remove(void);

#endif
