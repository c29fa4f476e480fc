// SPDX-License-Identifier: GPL-2.0
/*
 * A clear answer to 32-bit programs. They can't run here: their system calls
 * would not reach us. Without this the user sees "Exec format error" alone.
 *
 * Registered last, so that a handler the user set up (binfmt_misc with an
 * emulator) comes first.
 */
#include <linux/binfmts.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

static int load_elf32(struct linux_binprm *bprm)
{
	const struct elf32_hdr *hdr = (const struct elf32_hdr *)bprm->buf;

	if (!memcmp(hdr->e_ident, ELFMAG, SELFMAG) &&
	    hdr->e_ident[EI_CLASS] == ELFCLASS32 &&
	    (hdr->e_machine == EM_386 || hdr->e_machine == EM_X86_64))
		pr_warn_ratelimited("%s[%d]: %s is a 32-bit program, this kernel runs 64-bit programs only\n",
				    current->comm, task_pid_nr(current), bprm->interp);
	return -ENOEXEC;
}

static struct linux_binfmt elf32_format = {
	.load_binary	= load_elf32,
};

static int __init elf32_init(void)
{
	register_binfmt(&elf32_format);
	return 0;
}
late_initcall(elf32_init);
