/* SPDX-License-Identifier: GPL-2.0 */
/* Keeping the bitmaps of COW disks from being far behind. Host half only. */
#ifndef __UM_UBD_COW_HOST_H
#define __UM_UBD_COW_HOST_H

#include "cow.h"

/** ubd_cow_sync_add() - look after a COW file that was opened for disk @nr. Host thread. */
void ubd_cow_sync_add(int nr, struct cow *cow);

/** ubd_cow_sync_remove() - disk @nr is about to be closed. Host thread; may wait. */
void ubd_cow_sync_remove(int nr);

/** ubd_cow_sync_soon() - sectors were added: flush within some seconds. Any thread. */
void ubd_cow_sync_soon(void);

#endif
