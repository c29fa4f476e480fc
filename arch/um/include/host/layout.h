/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address-space layout that both halves, the linker script and the stub agree
 * on. Pure numbers, so that assembly and linker scripts may include it.
 *
 * Kernel process:
 *
 *   UM_MODULES_START..END   module text and data (small code model)
 *   UM_IMAGE_START          ./linux: kernel half, host half, libc
 *   end of the image, 2 MiB aligned: the linear map of guest memory
 *   UM_VMALLOC_START..END   vmalloc, stacks
 *   UM_BRK_ANCHOR           a last, otherwise empty ELF segment: it drags the
 *                           C library's randomised brk heap up here, away
 *                           from the linear map
 *
 * Guest process: everything below UM_STUB_START belongs to the guest; above
 * it live the stub and the host's vDSO. Where system call instructions are
 * patched, UM_PATCH_TABLE holds where they jump to; its place is part of the
 * patch, see arch/x86/um/patch.c.
 */
#ifndef __HOST_LAYOUT_H
#define __HOST_LAYOUT_H

#ifdef __ASSEMBLY__
#define UM_UL(x)		x
#else
#define UM_UL(x)		x##UL
#endif

#define UM_MODULES_START	UM_UL(0x10000000)
#define UM_MODULES_END		UM_UL(0x40000000)
#define UM_IMAGE_START		UM_UL(0x40000000)

#define UM_VMALLOC_START	UM_UL(0x400000000000)
#define UM_VMALLOC_END		UM_UL(0x410000000000)
#define UM_BRK_ANCHOR		UM_UL(0x500000000000)

#define UM_STUB_START		UM_UL(0x7fff80000000)
#define UM_STUB_END		UM_UL(0x7ffffffff000)

#define UM_PATCH_TABLE		UM_UL(0x60000)
#define UM_PATCH_TABLE_END	UM_UL(0x62000)
#define UM_PATCH_SLOTS		1024	/* eight bytes each */

#define UM_PAGE_SIZE		UM_UL(4096)

#endif
