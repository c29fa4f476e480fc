/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout of the vDSO: one read-only, executable segment. The pages before it
 * hold the clock data, see asm/vdso.h; code reaches them relative to itself.
 */
#include <asm/page.h>
#include <asm/vdso.h>

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)

SECTIONS
{
	_vdso_data = . - (VVAR_PAGES - VVAR_DATA_PAGE) * PAGE_SIZE;
	_timens_data = . - (VVAR_PAGES - VVAR_TIMENS_PAGE) * PAGE_SIZE;

	. = SIZEOF_HEADERS;

	/* Found by the kernel right behind the program headers; keep it first. */
	.host_clock	: { *(.host_clock) }			:text

	.dynsym		: { *(.dynsym) }			:text
	.dynstr		: { *(.dynstr) }
	.gnu.hash	: { *(.gnu.hash) }
	.hash		: { *(.hash) }
	.gnu.version	: { *(.gnu.version) }
	.gnu.version_d	: { *(.gnu.version_d) }

	.dynamic	: { *(.dynamic) }			:text :dynamic

	.rodata		: { *(.rodata*) }			:text

	/DISCARD/	: { *(.note.gnu.property) *(.note.GNU-stack) }
	.note		: { *(.note.*) }			:text :note

	.eh_frame_hdr	: { *(.eh_frame_hdr) }			:text :eh_frame_hdr
	.eh_frame	: { KEEP(*(.eh_frame)) }		:text

	.text		: { *(.text*) }				:text =0x90909090

	/DISCARD/	: {
		*(.discard*)
		*(.data*) *(.sdata*) *(.bss*) *(.got*) *(.plt*)
		*(.rela*) *(__bug_table) *(__ex_table) *(.comment)
	}
}

PHDRS
{
	text		PT_LOAD		FLAGS(5) FILEHDR PHDRS;
	dynamic		PT_DYNAMIC	FLAGS(4);
	note		PT_NOTE		FLAGS(4);
	eh_frame_hdr	PT_GNU_EH_FRAME;
}

VERSION
{
	LINUX_2.6 {
	global:
		__vdso_clock_getres;
		__vdso_clock_gettime;
		__vdso_getcpu;
		__vdso_gettimeofday;
		__vdso_time;
		clock_getres;
		clock_gettime;
		getcpu;
		gettimeofday;
		time;
	local: *;
	};
}
