/* SPDX-License-Identifier: GPL-2.0 */
/*
 * There are no caches to care for: guest memory has the same host page behind
 * every mapping of it. What the generic code announces as a cache flush after
 * new kernel mappings is when the host learns of them.
 */
#ifndef __ASM_UM_CACHEFLUSH_H
#define __ASM_UM_CACHEFLUSH_H

/**
 * flush_cache_vmap() - kernel page table entries were made
 * @start: first byte
 * @end: one past the last
 *
 * Maps them on the host. Panics if the host refuses: the caller is about to
 * use the memory and can't be told.
 */
void flush_cache_vmap(unsigned long start, unsigned long end);
#define flush_cache_vmap flush_cache_vmap
#define flush_cache_vmap_early flush_cache_vmap

#include <asm-generic/cacheflush.h>

#endif
