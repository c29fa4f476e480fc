/* SPDX-License-Identifier: GPL-2.0 */
/* The linked vDSO as data; vma.c copies it to where guests can map it. */
	.section .init.rodata, "a"
	.balign 8
	.globl vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin "arch/x86/um/vdso/vdso.so"
vdso_image_end:
