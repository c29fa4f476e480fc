/* SPDX-License-Identifier: GPL-2.0 */
/* 64-bit x86 programs: how they are recognised, started and dumped. */
#ifndef __ASM_UM_ELF_H
#define __ASM_UM_ELF_H

#include <linux/thread_info.h>
#include <asm/auxvec.h>
#include <asm/ptrace.h>
#include <asm/user.h>
#include <host/cpu.h>

typedef unsigned long elf_greg_t;

#define ELF_NGREG	(sizeof(struct user_regs_struct) / sizeof(elf_greg_t))
typedef elf_greg_t elf_gregset_t[ELF_NGREG];

typedef struct user_i387_struct elf_fpregset_t;

/* Relocations of kernel modules; see module.c. */
#define R_X86_64_NONE		0
#define R_X86_64_64		1
#define R_X86_64_PC32		2
#define R_X86_64_PLT32		4
#define R_X86_64_32		10
#define R_X86_64_32S		11
#define R_X86_64_PC64		24

#define ELF_CLASS		ELFCLASS64
#define ELF_DATA		ELFDATA2LSB
#define ELF_ARCH		EM_X86_64
#define ELF_EXEC_PAGESIZE	4096
#define ELF_PLATFORM		"x86_64"
#define ELF_HWCAP		(host_cpu.hwcap)
#define ELF_HWCAP2		(host_cpu.hwcap2)
#define CORE_DUMP_USE_REGSET

#define elf_check_arch(hdr)	((hdr)->e_machine == EM_X86_64)

/* Position-independent programs start above two thirds of the address space. */
#define ELF_ET_DYN_BASE		(TASK_SIZE / 3 * 2)

/* The stack's start varies by 16 GiB, as on x86-64. */
#define STACK_RND_MASK		0x3fffff

/* struct pt_regs is laid out as struct user_regs_struct. */
#define ELF_CORE_COPY_REGS(dest, regs) \
	memcpy(&(dest), (regs), sizeof(elf_gregset_t));

/* A program starts with all registers clear but ip, sp, cs, ss and flags. */
static inline void elf_plat_init(struct pt_regs *regs)
{
	regs->ax = 0;
	regs->bx = 0;
	regs->cx = 0;
	regs->dx = 0;
	regs->si = 0;
	regs->di = 0;
	regs->bp = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
	regs->r11 = 0;
	regs->r12 = 0;
	regs->r13 = 0;
	regs->r14 = 0;
	regs->r15 = 0;
	regs->fs_base = 0;
	regs->gs_base = 0;
	regs->ds = 0;
	regs->es = 0;
	regs->fs = 0;
	regs->gs = 0;
}

#define ELF_PLAT_INIT(regs, load_addr)	elf_plat_init(regs)

/* 64-bit programs inherit the personality, without this bit as on x86-64. */
#define SET_PERSONALITY(hdr)	(current->personality &= ~READ_IMPLIES_EXEC)

#define ARCH_DLINFO							\
do {									\
	if (current->mm->context.vdso)					\
		NEW_AUX_ENT(AT_SYSINFO_EHDR,				\
			    (unsigned long)current->mm->context.vdso);	\
	NEW_AUX_ENT(AT_MINSIGSTKSZ, get_sigframe_size());		\
} while (0)

struct linux_binprm;

/**
 * get_sigframe_size() - what the largest signal frame takes of a stack
 *
 * The value of AT_MINSIGSTKSZ, in bytes.
 */
unsigned long get_sigframe_size(void);

#define ARCH_HAS_SETUP_ADDITIONAL_PAGES	1
int arch_setup_additional_pages(struct linux_binprm *bprm, int uses_interp);

/* Signal frames return through the C library's own restorer. */
static inline bool arch_syscall_is_vdso_sigreturn(struct pt_regs *regs)
{
	return false;
}

#endif
