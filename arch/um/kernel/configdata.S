/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration as text, for --showconfig. */
#include <linux/linkage.h>

	.section .rodata
	.globl	um_kernel_config
um_kernel_config:
	.incbin KCONFIG
0:
	.balign 8
	.globl	um_kernel_config_size
um_kernel_config_size:
	.quad	0b - um_kernel_config

	.section .note.GNU-stack,"",@progbits
