// SPDX-License-Identifier: GPL-2.0
/*
 * Which addresses probing for kernel data may touch.
 *
 * The kernel process holds more than the kernel: the C library, its heap,
 * host threads' stacks. None of that is the guest kernel's memory.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>
#include <asm/memory.h>

bool copy_from_kernel_nofault_allowed(const void *unsafe_src, size_t size)
{
	unsigned long start = (unsigned long)unsafe_src;
	unsigned long ram_end = host_memory.ram_start + host_memory.ram_size;

	if (start >= MODULES_VADDR && start < ram_end)
		return size <= ram_end - start;
	if (start >= VMALLOC_START && start < VMALLOC_END)
		return size <= VMALLOC_END - start;
	return false;
}
