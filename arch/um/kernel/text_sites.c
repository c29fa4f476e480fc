// SPDX-License-Identifier: GPL-2.0
/*
 * Which system call instructions are worth a patch.
 *
 * Those that trap are counted, by page and place. One that has trapped some
 * times is patched if it can be; what became of it is remembered, so that it
 * is not tried for ever. The table forgets: an instruction that trapped often
 * enough takes the entry of another with the same hash.
 *
 * An instruction that was patched may trap in an address space that has mapped
 * its page before that; then the page is mapped again.
 *
 * /sys/kernel/debug/um/syscall_sites has the counters.
 */
#include <linux/capability.h>
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <asm/memory.h>
#include <asm/ptrace.h>
#include <asm/hotplug.h>
#include <asm/text_shadow.h>
#include <host/usermode.h>
#include "../mm/tlb.h"
#include "../mm/walk.h"

#define SITES_BITS	11
#define ENOUGH		8
/* After so many more traps, whatever was in the way may be gone. */
#define AGAIN		4096

/**
 * struct site - a system call instruction
 * @pfn: its page
 * @offset: its place there
 * @result: what became of it
 * @traps: how often it trapped
 * @misses: how often another one with the same hash did
 */
struct site {
	unsigned long pfn;
	unsigned short offset;
	unsigned short result;
	unsigned int traps;
	unsigned int misses;
};

struct text_counters text_counters;

static struct site sites[1 << SITES_BITS];
static unsigned long traps_by_result[TEXT_RESULTS];

static const char * const result_names[TEXT_RESULTS] = {
	[TEXT_COUNTED]		= "counted",
	[TEXT_PATCHED_A]	= "patched_number",
	[TEXT_PATCHED_P]	= "patched_padding",
	[TEXT_PATCHED_E]	= "patched_compare",
	[TEXT_NO_ROOM]		= "refused_no_room",
	[TEXT_PAGE_EDGE]	= "refused_page_edge",
	[TEXT_NOT_FILE]		= "refused_not_a_file",
	[TEXT_WRITABLE]		= "refused_writable",
	[TEXT_NOT_TRUSTED]	= "refused_not_trusted",
	[TEXT_FULL]		= "refused_full",
};

/* The page of a text mapping that can't be written; 0 if it is no such. */
static unsigned long text_pfn(struct mm_struct *mm, unsigned long addr)
{
	pte_t pte = addr < TASK_SIZE_MAX ? um_walk(mm, addr) : __pte(0);

	if (!pte_user(pte) || !pte_exec(pte) || pte_write(pte) || !um_pfn_is_ram(pte_pfn(pte)))
		return 0;
	return pte_pfn(pte);
}

static struct site *get_site(unsigned long pfn, unsigned int offset)
{
	struct site *site = &sites[hash_long(pfn * PAGE_SIZE + offset, SITES_BITS)];

	if (site->pfn != pfn || site->offset != offset) {
		/* Two that are executed in turns are not to hinder each other. */
		if (site->pfn &&
		    ++site->misses % (site->result == TEXT_COUNTED ? 2 * ENOUGH : AGAIN))
			return NULL;
		*site = (struct site){ .pfn = pfn, .offset = offset };
	}
	return site;
}

/*
 * Whose registers may decide how all others execute a page: a program could jump
 * to where no instruction is, with a number that nobody has loaded. Only who may
 * change the text of every process anyway; the others profit.
 */
static bool trusted(void)
{
	return seccomp_mode(&current->seccomp) == SECCOMP_MODE_DISABLED &&
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_PTRACE);
}

/* The next who executes it may be trusted, or only need the page mapped again. */
static bool may_change(enum text_result result)
{
	return result == TEXT_COUNTED || result == TEXT_NOT_TRUSTED || text_is_patched(result);
}

static void trapped(struct mm_struct *mm, const struct pt_regs *regs)
{
	static const u8 insn[] = { 0x0f, 0x05 };
	unsigned int offset = offset_in_page(regs->ip);
	unsigned long pfn = text_pfn(mm, regs->ip);
	struct site *site;

	if (!pfn || memcmp(pfn_to_virt(pfn) + offset, insn,
			   min(sizeof(insn), PAGE_SIZE - offset))) {
		text_counters.elsewhere++;
		return;
	}
	site = get_site(pfn, offset);
	if (!site) {
		text_counters.forgotten++;
		return;
	}
	traps_by_result[site->result]++;
	if (++site->traps % (may_change(site->result) ? ENOUGH : AGAIN))
		return;
	/* What others have found out stays. */
	if (trusted())
		site->result = text_shadow_patch(pfn, regs);
	else if (!text_is_patched(site->result))
		site->result = TEXT_NOT_TRUSTED;
	if (text_is_patched(site->result))
		um_tlb_record(mm, regs->ip & PAGE_MASK, (regs->ip & PAGE_MASK) + PAGE_SIZE);
}

void text_sites_trapped(struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	struct pt_regs before = *regs;

	text_counters.trapped++;
	if (!host_patching || !host_usermode->patch || mm->context.no_texts || current->ptrace)
		return;
	before.ip -= 2;
	preempt_disable();
	trapped(mm, &before);
	preempt_enable();
}

static int sites_show(struct seq_file *m, void *unused)
{
	unsigned int number[TEXT_RESULTS] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sites); i++)
		if (sites[i].pfn)
			number[sites[i].result]++;
	seq_printf(m, "calls_patched %lu\n", text_counters.patched);
	seq_printf(m, "calls_trapped %lu\n", text_counters.trapped);
	seq_printf(m, "calls_at_boundary %lu\n", text_counters.boundary);
	seq_printf(m, "calls_not_in_text %lu\n", text_counters.elsewhere);
	seq_printf(m, "calls_not_counted %lu\n", text_counters.forgotten);
	seq_printf(m, "shadow_pages %u\n", text_shadows);
	for (i = 0; i < TEXT_RESULTS; i++)
		seq_printf(m, "sites_%s %u traps %lu\n", result_names[i], number[i],
			   traps_by_result[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sites);

static int __init text_sites_init(void)
{
	debugfs_create_file("syscall_sites", 0444, um_debugfs(), NULL,
			    &sites_fops);
	return 0;
}
late_initcall(text_sites_init);
