// SPDX-License-Identifier: GPL-2.0
/*
 * Changing the rights of kernel mappings.
 *
 * Only vmalloc and module addresses have page table entries; the rights of
 * the linear map don't change.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include "walk.h"

/**
 * struct page_change - what to do to each entry
 * @set: flags to set
 * @clear: flags to clear
 */
struct page_change {
	unsigned long set;
	unsigned long clear;
};

static int change_page(pte_t *ptep, unsigned long addr, void *data)
{
	const struct page_change *change = data;
	pte_t pte = ptep_get(ptep);

	if (pte_present(pte))
		set_pte(ptep, pte_set_flags(pte_clear_flags(pte, change->clear), change->set));
	return 0;
}

static int change_pages(unsigned long addr, int numpages, unsigned long set,
			unsigned long clear)
{
	struct page_change change = { .set = set, .clear = clear };
	unsigned long size = (unsigned long)numpages << PAGE_SHIFT;
	int err;

	if (numpages <= 0)
		return 0;
	if (!is_vmalloc_or_module_addr((void *)addr))
		return -EINVAL;

	err = apply_to_existing_page_range(&init_mm, addr, size, change_page, &change);
	if (err)
		return err;
	return um_kmap_sync(addr, addr + size, true);
}

int set_memory_ro(unsigned long addr, int numpages)
{
	return change_pages(addr, numpages, 0, _PAGE_WRITE);
}

int set_memory_rw(unsigned long addr, int numpages)
{
	return change_pages(addr, numpages, _PAGE_WRITE, 0);
}

int set_memory_x(unsigned long addr, int numpages)
{
	return change_pages(addr, numpages, _PAGE_EXEC, 0);
}

int set_memory_nx(unsigned long addr, int numpages)
{
	return change_pages(addr, numpages, 0, _PAGE_EXEC);
}

int set_memory_rox(unsigned long addr, int numpages)
{
	return change_pages(addr, numpages, _PAGE_EXEC, _PAGE_WRITE);
}
