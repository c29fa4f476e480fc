/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout of ./linux: an ordinary executable that also contains a kernel.
 *
 * The kernel half arrives as one relocatable object (scripts/link). Its
 * sections keep the places that generic code expects; those of the host half
 * and the C library are collected apart, by excluding that object, so that
 * [_stext, _etext] holds kernel text alone: a host signal handler tells by it
 * which half it interrupted, and kallsyms does not list the C library.
 *
 * No expression here may name a symbol that the kernel half defines: they are
 * local by now.
 */
#include <host/layout.h>
#include <linux/const.h>
#include <asm/page.h>
#include <asm/cache.h>
#include <asm/thread_info.h>
#define RO_EXCEPTION_TABLE_ALIGN 16
#include <asm-generic/vmlinux.lds.h>

#define HOST(...)	EXCLUDE_FILE(*.tmp_um_kernel.o *kallsyms.o) *(__VA_ARGS__)

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(_start)

SECTIONS
{
	PROVIDE (__executable_start = UM_IMAGE_START);
	. = UM_IMAGE_START + SIZEOF_HEADERS;

	/* What the dynamic loader or the static start-up code reads. */
	.interp		: { *(.interp) }
	.note.gnu.build-id : { *(.note.gnu.build-id) }
	.note.ABI-tag	: { *(.note.ABI-tag) }
	.dynsym		: { *(.dynsym) }
	.gnu.hash	: { *(.gnu.hash) }
	.dynstr		: { *(.dynstr) }
	.gnu.version_r	: { *(.gnu.version_r) }
	.gnu.version	: { *(.gnu.version) }
	.rela.dyn	: { *(.rela.dyn .rela.got .rela.bss .rela.data .rela.data.*) }
	.rela.plt	: {
		*(.rela.plt)
		PROVIDE_HIDDEN (__rela_iplt_start = .);
		*(.rela.iplt)
		PROVIDE_HIDDEN (__rela_iplt_end = .);
	}

	. = ALIGN(PAGE_SIZE);
	.init		: { KEEP (*(SORT_NONE(.init))) }
	.plt		: { *(.plt) *(.iplt) }
	.plt.got	: { *(.plt.got) }
	.plt.sec	: { *(.plt.sec) }
	.host_text	: { HOST(.text .text.* .gnu.linkonce.t.*) }
	.fini		: { KEEP (*(SORT_NONE(.fini))) }

	. = ALIGN(PAGE_SIZE);
	.text : {
		_text = .;
		_stext = .;
		HEAD_TEXT
		ENTRY_TEXT
		IRQENTRY_TEXT
		SOFTIRQENTRY_TEXT
		TEXT_TEXT
		SCHED_TEXT
		LOCK_TEXT
		KPROBES_TEXT
		*(.fixup)
		_etext = .;
	}

	. = ALIGN(PAGE_SIZE);
	.host_rodata	: { HOST(.rodata .rodata.* .rodata1 .gnu.linkonce.r.*) }
	host_options : {
		__start_host_options = .;
		KEEP (*(host_options))
		__stop_host_options = .;
	}
	.eh_frame_hdr	: { HOST(.eh_frame_hdr) }
	.eh_frame	: { KEEP (EXCLUDE_FILE(*.tmp_um_kernel.o) *(.eh_frame)) }
	.gcc_except_table : { *(.gcc_except_table .gcc_except_table.*) }

	_sdata = .;
	RO_DATA(PAGE_SIZE)

	. = ALIGN(PAGE_SIZE);
	__init_begin = .;
	INIT_TEXT_SECTION(PAGE_SIZE)
	.exit.text : { EXIT_TEXT }
	. = ALIGN(PAGE_SIZE);
	INIT_DATA_SECTION(16)
	.exit.data : { EXIT_DATA }
	PERCPU_SECTION(L1_CACHE_BYTES)
	. = ALIGN(PAGE_SIZE);
	__init_end = .;

	.tdata : {
		PROVIDE_HIDDEN (__tdata_start = .);
		*(.tdata .tdata.* .gnu.linkonce.td.*)
	}
	.tbss		: { *(.tbss .tbss.* .gnu.linkonce.tb.*) *(.tcommon) }
	.preinit_array : {
		PROVIDE_HIDDEN (__preinit_array_start = .);
		KEEP (*(.preinit_array))
		PROVIDE_HIDDEN (__preinit_array_end = .);
	}
	.init_array : {
		PROVIDE_HIDDEN (__init_array_start = .);
		KEEP (*(SORT_BY_INIT_PRIORITY(.init_array.*)))
		KEEP (*(.init_array))
		PROVIDE_HIDDEN (__init_array_end = .);
	}
	.fini_array : {
		PROVIDE_HIDDEN (__fini_array_start = .);
		KEEP (*(SORT_BY_INIT_PRIORITY(.fini_array.*)))
		KEEP (*(.fini_array))
		PROVIDE_HIDDEN (__fini_array_end = .);
	}
	.data.rel.ro	: { *(.data.rel.ro.local* .data.rel.ro .data.rel.ro.*) }
	.dynamic	: { *(.dynamic) }
	.got		: { *(.got) *(.igot) }
	.got.plt	: { *(.got.plt) *(.igot.plt) }
	.host_data	: { HOST(.data .data.* .gnu.linkonce.d.*) }

	RW_DATA(L1_CACHE_BYTES, PAGE_SIZE, THREAD_SIZE)
	_edata = .;

	BSS_SECTION(PAGE_SIZE, PAGE_SIZE, PAGE_SIZE)
	. = ALIGN(PAGE_SIZE);
	_end = .;
	PROVIDE (end = .);

	/*
	 * The kernel of the host starts the brk heap above the last segment,
	 * up to 1 GiB away from it. One page up here keeps the heap out of
	 * the range where guest memory follows the image.
	 */
	. = UM_BRK_ANCHOR;
	.brk_anchor	: { KEEP (*(.brk_anchor)) }

	STABS_DEBUG
	DWARF_DEBUG
	ELF_DETAILS

	DISCARDS
}
