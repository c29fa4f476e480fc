/* SPDX-License-Identifier: GPL-2.0 */
/* The note by which a C library knows the kernel's version, and patched data. */
#include <linux/build-salt.h>
#include <linux/elfnote.h>
#include <linux/uts.h>
#include <linux/version.h>
#include <asm/vdso.h>

ELFNOTE_START(Linux, 0, "a")
	.long LINUX_VERSION_CODE
ELFNOTE_END

BUILD_SALT

	.section .host_clock, "a"
	.balign 8
	.globl vdso_host_clock
	.hidden vdso_host_clock
	.type vdso_host_clock, @object
	.size vdso_host_clock, 8
vdso_host_clock:
	.quad VDSO_HOST_CLOCK_MAGIC

	.section .note.GNU-stack, "", @progbits
