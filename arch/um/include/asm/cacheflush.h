/* SPDX-License-Identifier: GPL-2.0 */
/*
 * There are no caches to care for: guest memory has the same host page behind
 * every mapping of it. What the generic code announces as a cache flush after
 * new kernel mappings is when the host learns of them. And text pages have
 * shadows (mm/shadow.c), which are to text what an instruction cache would be.
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

struct folio;
struct page;
struct vm_area_struct;

/**
 * flush_dcache_folio() - the kernel has changed pages that may be mapped
 * @folio: which
 *
 * Shadows of them are out of date. Any context but hard interrupts.
 */
void flush_dcache_folio(struct folio *folio);
#define flush_dcache_folio flush_dcache_folio

void flush_dcache_page(struct page *page);
#define ARCH_IMPLEMENTS_FLUSH_DCACHE_PAGE 1

static inline void flush_icache_user_page(struct vm_area_struct *vma, struct page *page,
					  unsigned long addr, int len)
{
	flush_dcache_page(page);
}

#define flush_icache_user_page flush_icache_user_page

#include <asm-generic/cacheflush.h>

#endif
