/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What makes a stub a program that the host can execute: ELF file header and
 * program headers, at the beginning of its image. For assembly.
 */
#ifndef __STUB_ELF_H
#define __STUB_ELF_H

/* An image from \image to \end, all of it code, loaded at \base. */
.macro	STUB_ELF image, end, base, entry
	.byte	0x7f, 'E', 'L', 'F', 2, 1, 1, 0		/* 64 bit, little endian */
	.quad	0
	.short	2, 62					/* ET_EXEC, EM_X86_64 */
	.long	1
	.quad	\base + (\entry - \image)		/* e_entry */
	.quad	.Lphdrs - \image
	.quad	0
	.long	0
	.short	64, 56, 2, 64, 0, 0
.Lphdrs:
	.long	1, 5					/* PT_LOAD, r-x */
	.quad	0, \base, \base
	.quad	\end - \image, \end - \image
	.quad	4096
	.long	0x6474e551, 6				/* PT_GNU_STACK, rw- */
	.quad	0, 0, 0, 0, 0, 16
.endm

#endif
