// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() and the placement of mappings.
 *
 * Placement is the generic one but for MAP_32BIT, a flag that only x86-64
 * has: code generators use it to get memory within reach of 32-bit operands,
 * between 1 and 2 GiB as on x86-64.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/syscalls.h>
#include <asm/prefault.h>
#include <asm/syscalls.h>

#define MAP_32BIT_START		0x40000000UL
#define MAP_32BIT_END		0x80000000UL
#define MAP_32BIT_RANDOM	0x02000000UL

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long, prot,
		unsigned long, flags, unsigned long, fd, unsigned long, off)
{
	if (offset_in_page(off))
		return -EINVAL;

	addr = ksys_mmap_pgoff(addr, len, prot, flags, fd, off >> PAGE_SHIFT);
	if (IS_ERR_VALUE(addr) || prot == PROT_NONE || (flags & MAP_TYPE) != MAP_PRIVATE)
		return addr;
	/*
	 * Pages of a file that are copied now do not follow the file any more. Those
	 * that nobody has written do on every Linux, so a program may count on it;
	 * dynamic linkers, who say MAP_DENYWRITE, do not.
	 */
	if (flags & (MAP_ANONYMOUS | MAP_DENYWRITE) || !(prot & PROT_WRITE))
		um_prefault_mapped(addr, PAGE_ALIGN(len), flags & MAP_FIXED);
	return addr;
}

static unsigned long get_unmapped_area_32bit(unsigned long addr, unsigned long len)
{
	struct vm_unmapped_area_info info = {
		.length = len,
		.low_limit = MAP_32BIT_START,
		.high_limit = MAP_32BIT_END,
	};
	struct vm_area_struct *vma;

	if (len > MAP_32BIT_END - MAP_32BIT_START)
		return -ENOMEM;

	if (addr) {
		addr = PAGE_ALIGN(addr);
		vma = find_vma(current->mm, addr);
		if (addr >= mmap_min_addr && addr <= MAP_32BIT_END - len &&
		    (!vma || addr + len <= vm_start_gap(vma)))
			return addr;
	}

	if (current->flags & PF_RANDOMIZE)
		info.low_limit = randomize_page(MAP_32BIT_START, MAP_32BIT_RANDOM);
	return vm_unmapped_area(&info);
}

static bool wants_32bit(unsigned long flags)
{
	return (flags & (MAP_32BIT | MAP_FIXED)) == MAP_32BIT;
}

unsigned long arch_get_unmapped_area(struct file *filp, unsigned long addr, unsigned long len,
				     unsigned long pgoff, unsigned long flags, vm_flags_t vm_flags)
{
	if (wants_32bit(flags))
		return get_unmapped_area_32bit(addr, len);
	return generic_get_unmapped_area(filp, addr, len, pgoff, flags, vm_flags);
}

unsigned long arch_get_unmapped_area_topdown(struct file *filp, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags, vm_flags_t vm_flags)
{
	if (wants_32bit(flags))
		return get_unmapped_area_32bit(addr, len);
	return generic_get_unmapped_area_topdown(filp, addr, len, pgoff, flags, vm_flags);
}
