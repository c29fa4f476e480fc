// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for module text and data: in the low 2 GiB, below the kernel image,
 * so that modules use the same small code model.
 */
#include <linux/execmem.h>
#include <linux/pgtable.h>
#include <linux/init.h>

static struct execmem_info execmem_info __ro_after_init;

struct execmem_info __init *execmem_arch_setup(void)
{
	struct execmem_range *range = &execmem_info.ranges[EXECMEM_DEFAULT];

	range->start = MODULES_VADDR;
	range->end = MODULES_END - 1;
	range->alignment = MODULE_ALIGN;
	/* With strict rights the loader makes text executable at the end. */
	range->pgprot = IS_ENABLED(CONFIG_STRICT_MODULE_RWX) ? PAGE_KERNEL : PAGE_KERNEL_EXEC;
	return &execmem_info;
}
