// SPDX-License-Identifier: GPL-2.0
/*
 * The TLB checker: nothing is mapped on the host that the guest's tables don't
 * allow.
 *
 * Reading the debugfs file um/tlb_check compares the host mappings of all guest
 * processes with their page tables, page by page:
 *
 * - what is mapped is the page that the tables lead to, or its shadow;
 * - it is writable only where the tables say writable and dirty: a write to a
 *   clean page would go unnoticed;
 * - it is executable only where they say so;
 * - nothing but guest memory is mapped below the stub, except the table that
 *   patches jump through.
 *
 * ACCESSED may be clear: the generic code takes it back without a flush. With a
 * backend that is not eager, what is recorded for the next resume is not
 * wrong yet; with any, nor are changed rights, nor text whose shadow is out of
 * date, nor the old page that is still mapped where it was replaced by a copy.
 *
 * Preemption is disabled while one address space is looked at, so its tables
 * stay what they are and none of its tasks runs. That may take long: this is for
 * tests.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mutex.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <asm/hotplug.h>
#include <asm/memory.h>
#include <asm/text_shadow.h>
#include <host/layout.h>
#include <host/mappings.h>
#include <host/usermode.h>
#include "walk.h"

#define COMPLAINTS_MAX	20
#define MMS_MAX		4096

/**
 * struct check - a run of the checker
 * @s: where to report
 * @mm: whose mappings
 * @comm: name of a task of it
 * @pid: its number
 * @spaces: address spaces looked at
 * @mappings: host mappings
 * @pages: pages
 * @wrong: pages that are wrong
 * @unreadable: address spaces that the host does not show
 */
struct check {
	struct seq_file *s;
	struct mm_struct *mm;
	char comm[TASK_COMM_LEN];
	pid_t pid;
	unsigned long spaces, mappings, pages, wrong, unreadable;
};

static DEFINE_MUTEX(check_mutex);

static bool is_pending(mm_context_t *ctx, const struct host_mapping *m, unsigned long addr,
		       bool same)
{
	unsigned long flags;
	bool found = false;
	unsigned int i;

	spin_lock_irqsave(&ctx->lock, flags);
	/* The old page of one that was replaced: it is kept until then. */
	if (!(m->prot & HOST_PROT_WRITE))
		for (i = 0; i < ctx->nr_kept; i++)
			found |= addr == (ctx->kept[i].addr & PAGE_MASK);
	/* With an eager backend only what takes nobody's page away may wait. */
	for (i = 0; same && i < ctx->nr_protects; i++)
		found |= addr >= ctx->protects[i].start && addr < ctx->protects[i].end;
	if (!host_usermode->eager || same || m->prot == (HOST_PROT_READ | HOST_PROT_EXEC))
		for (i = 0; i < ctx->nr_ranges; i++)
			found |= addr >= ctx->ranges[i].start && addr < ctx->ranges[i].end;
	spin_unlock_irqrestore(&ctx->lock, flags);
	return found;
}

static unsigned long offset_pfn(unsigned long offset)
{
	return (offset + __pa(host_memory.ram_start)) >> PAGE_SHIFT;
}

static const char *page_error(struct mm_struct *mm, const struct host_mapping *m,
			      unsigned long addr, pte_t pte)
{
	unsigned long offset = m->offset + (addr - m->start);

	if (!pte_user(pte))
		return "is not in the tables";
	if (!um_pfn_is_ram(pte_pfn(pte)))
		return "is no memory";
	if (um_pfn_offset(pte_pfn(pte)) != offset &&
	    !(text_shadows && !(m->prot & HOST_PROT_WRITE) && text_shadow_is(mm, addr, offset_pfn(offset))))
		return "is another page";
	if ((m->prot & HOST_PROT_WRITE) && !pte_write(pte))
		return "is not to be written";
	if ((m->prot & HOST_PROT_WRITE) && !pte_dirty(pte))
		return "is clean, but can be written";
	if ((m->prot & HOST_PROT_EXEC) && !pte_exec(pte))
		return "is not to be executed";
	return NULL;
}

static void complain(struct check *c, const struct host_mapping *m, unsigned long addr,
		     pte_t pte, const char *what)
{
	if (c->wrong++ < COMPLAINTS_MAX)
		seq_printf(c->s, "wrong: %s[%d]: %lx (mapping %lx-%lx rights %x offset %lx, entry %lx) %s\n",
			   c->comm, c->pid, addr, m->start, m->end, m->prot, m->offset,
			   pte_val(pte), what);
}

static void check_mapping(struct check *c, const struct host_mapping *m)
{
	unsigned long addr;
	const char *what;
	bool same;
	pte_t pte;

	c->mappings++;
	if (!m->is_memory) {
		if (m->start < UM_PATCH_TABLE || m->end > UM_PATCH_TABLE_END ||
		    (m->prot & (HOST_PROT_WRITE | HOST_PROT_EXEC)))
			complain(c, m, m->start, __pte(0), "is not guest memory");
		return;
	}
	for (addr = m->start; addr < m->end; addr += PAGE_SIZE) {
		pte = um_walk(c->mm, addr);
		what = page_error(c->mm, m, addr, pte);
		c->pages++;
		same = pte_present(pte) && um_pfn_is_ram(pte_pfn(pte)) &&
		       um_pfn_offset(pte_pfn(pte)) == m->offset + (addr - m->start);
		if (what && !is_pending(&c->mm->context, m, addr, same))
			complain(c, m, addr, pte, what);
	}
}

static void check_mm(struct check *c)
{
	mm_context_t *ctx = &c->mm->context;
	struct host_mapping m;
	int pid, ret;

	/* Whoever holds it may have changed tables and not yet flushed. */
	mmap_write_lock(c->mm);
	preempt_disable();
	pid = ctx->host && !ctx->dead ? host_usermode->pid(ctx->host) : 0;
	ret = pid ? host_mappings_open(pid) : 0;
	if (pid && !ret) {
		c->spaces++;
		while ((ret = host_mappings_next(&m)) > 0 && m.start < UM_STUB_START)
			check_mapping(c, &m);
		host_mappings_close();
	}
	preempt_enable();
	mmap_write_unlock(c->mm);
	if (ret < 0)
		c->unreadable++;
}

/* All address spaces, each once, with a reference. */
static unsigned int collect(struct mm_struct **mms, struct check *who)
{
	struct task_struct *task;
	unsigned int nr = 0;

	rcu_read_lock();
	for_each_process(task) {
		struct mm_struct *mm;

		if (nr == MMS_MAX)
			break;
		task_lock(task);
		mm = task->mm;
		if (mm && !(task->flags & PF_KTHREAD) && mmget_not_zero(mm)) {
			who[nr].pid = task_pid_nr(task);
			strscpy(who[nr].comm, task->comm, TASK_COMM_LEN);
			mms[nr++] = mm;
		}
		task_unlock(task);
	}
	rcu_read_unlock();
	return nr;
}

static int tlb_check_show(struct seq_file *s, void *unused)
{
	struct mm_struct **mms = kvmalloc_array(MMS_MAX, sizeof(*mms), GFP_KERNEL);
	struct check *who = kvmalloc_array(MMS_MAX, sizeof(*who), GFP_KERNEL);
	struct check c = { .s = s };
	unsigned int i, nr;

	if (!mms || !who) {
		kvfree(mms);
		kvfree(who);
		return -ENOMEM;
	}
	mutex_lock(&check_mutex);
	nr = collect(mms, who);
	for (i = 0; i < nr; i++) {
		c.mm = mms[i];
		c.pid = who[i].pid;
		memcpy(c.comm, who[i].comm, sizeof(c.comm));
		check_mm(&c);
		mmput(c.mm);
	}
	mutex_unlock(&check_mutex);
	kvfree(mms);
	kvfree(who);
	seq_printf(s, "spaces %lu mappings %lu pages %lu wrong %lu unreadable %lu\n",
		   c.spaces, c.mappings, c.pages, c.wrong, c.unreadable);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tlb_check);

static int __init tlb_check_init(void)
{
	debugfs_create_file("tlb_check", 0400, um_debugfs(), NULL, &tlb_check_fops);
	return 0;
}
late_initcall(tlb_check_init);
