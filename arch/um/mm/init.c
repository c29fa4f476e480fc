// SPDX-License-Identifier: GPL-2.0
/*
 * Physical memory at boot.
 *
 * Two stretches of physical memory exist: the kernel image from 0 on, and
 * guest memory behind it. The image has struct pages so that virt_to_page()
 * works on static objects, but it is reserved for ever: it is not in the
 * memory file (asm/memory.h). That is also why its init sections go back to
 * the host and not to the page allocator, and why the zero page, which guests
 * map, is not a static object.
 */
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <asm/memory.h>
#include <asm/sections.h>
#include <asm/setup.h>

pgd_t swapper_pg_dir[PTRS_PER_PGD] __page_aligned_bss;

void *empty_zero_page __ro_after_init;
EXPORT_SYMBOL(empty_zero_page);

static const pgprot_t protection_map[16] = {
	[VM_NONE]					= PAGE_NONE,
	[VM_READ]					= PAGE_READONLY,
	[VM_WRITE]					= PAGE_COPY,
	[VM_WRITE | VM_READ]				= PAGE_COPY,
	[VM_EXEC]					= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_READ]				= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_WRITE]				= PAGE_COPY_EXEC,
	[VM_EXEC | VM_WRITE | VM_READ]			= PAGE_COPY_EXEC,
	[VM_SHARED]					= PAGE_NONE,
	[VM_SHARED | VM_READ]				= PAGE_READONLY,
	[VM_SHARED | VM_WRITE]				= PAGE_SHARED,
	[VM_SHARED | VM_WRITE | VM_READ]		= PAGE_SHARED,
	[VM_SHARED | VM_EXEC]				= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_READ]			= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE]		= PAGE_SHARED_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE | VM_READ]	= PAGE_SHARED_EXEC
};
DECLARE_VM_GET_PAGE_PROT

void __init um_memory_setup(void)
{
	unsigned long image = __pa(host_memory.image_start);
	unsigned long image_size = PAGE_ALIGN(host_memory.image_end) - host_memory.image_start;

	memblock_add(image, image_size);
	memblock_reserve(image, image_size);
	memblock_add(__pa(host_memory.ram_start), host_memory.ram_size & PAGE_MASK);
}

/*
 * A fault, and a mapping on the host, cost much the same for one page as for
 * sixteen, or as many as there is room for. Machines with little memory would
 * rather not waste any; thp_anon= has the last word.
 */
static void __init huge_page_defaults(void)
{
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	if (host_memory.ram_size >= SZ_128M)
		huge_anon_orders_always = BIT(get_order(SZ_64K)) | BIT(get_order(SZ_32K)) |
					  BIT(get_order(SZ_16K));
#endif
}

void __init paging_init(void)
{
	unsigned long max_zone_pfn[MAX_NR_ZONES] = { };

	min_low_pfn = PFN_UP(memblock_start_of_DRAM());
	max_low_pfn = PFN_DOWN(memblock_end_of_DRAM());
	max_pfn = max_low_pfn;
	high_memory = __va(PFN_PHYS(max_low_pfn));
	set_max_mapnr(max_pfn);

	empty_zero_page = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!empty_zero_page)
		panic("No memory for the zero page; use a larger mem=");

	huge_page_defaults();
	um_backing_init();
	max_zone_pfn[ZONE_NORMAL] = max_low_pfn;
	free_area_init(max_zone_pfn);
}

void __init mem_init(void)
{
	memblock_free_all();
}

void free_initmem(void)
{
	unsigned long start = (unsigned long)__init_begin;
	unsigned long end = (unsigned long)__init_end;

	host_free_image(start, end - start);
	pr_info("Returned %luK of init sections to the host\n", (end - start) >> 10);
}

#ifdef CONFIG_STRICT_KERNEL_RWX
void mark_rodata_ro(void)
{
	unsigned long start = (unsigned long)__start_rodata;
	unsigned long end = (unsigned long)__end_rodata;

	if (host_protect_kernel(start, end - start, HOST_PROT_READ))
		pr_warn("The host refuses to write-protect the kernel's read-only data\n");
}
#endif
