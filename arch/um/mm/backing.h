/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of guest memory that the host has provided: see backing.c. */
#ifndef __UM_MM_BACKING_H
#define __UM_MM_BACKING_H

#include <linux/sizes.h>
#include <linux/types.h>

#define UM_BLOCK_SHIFT	21
#define UM_BLOCK_SIZE	(1UL << UM_BLOCK_SHIFT)

/**
 * um_block_forget() - a free block is about to be given back to the host
 * @block: its number, from the start of the memory file
 *
 * The caller keeps the allocator from its pages. Returns false if the host has
 * nothing there. Any context.
 */
bool um_block_forget(unsigned long block);

#endif
