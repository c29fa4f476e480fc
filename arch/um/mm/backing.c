// SPDX-License-Identifier: GPL-2.0
/*
 * What is behind guest memory on the host.
 *
 * The memory file is sparse. When the page allocator hands out the first page of
 * a block of 2 MiB, all of the block is populated at once: that is ten times
 * cheaper than one host fault per page, and it is where a lack of memory on the
 * host can be noticed in time. A block that the host has no memory for is not
 * an error of whoever wanted a page: its page is withheld, taken from the
 * allocator as if the machine had less memory, which then goes on to reclaim
 * and to its own OOM killer. What is withheld comes back when the host has
 * room again, a little first and then twice as much each time.
 *
 * Free blocks are given back by free page reporting (report.c), which makes
 * them unpopulated again. While it does, the allocator can't have them.
 *
 * Allocations happen with interrupts disabled and in interrupts. A block is
 * populated by one host call of some hundred microseconds.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/page_backing.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/hotplug.h>
#include <asm/memory.h>
#include "backing.h"

/* After a refusal the host is not asked again for this long. */
#define RETRY_DELAY	(HZ / 10)
/* How often it is tried whether there is room for what is withheld. */
#define RETURN_PERIOD	HZ

static unsigned long *backed;		/* one bit per block */
static unsigned long nr_blocks;

/* The lock covers all below. It is taken with interrupts off. */
static DEFINE_RAW_SPINLOCK(withheld_lock);
static LIST_HEAD(withheld);		/* pages, their order in page->private */
static unsigned long nr_withheld;	/* in pages */
static unsigned long next_try;
static bool refused;

static unsigned long nr_populated, nr_released, nr_refused;	/* counters */

static void return_withheld(struct work_struct *work);
static DECLARE_DELAYED_WORK(return_work, return_withheld);

static unsigned long block_of(unsigned long pfn)
{
	return um_pfn_offset(pfn) >> UM_BLOCK_SHIFT;
}

static int populate(unsigned long block)
{
	unsigned long offset = block << UM_BLOCK_SHIFT;
	unsigned long len = min(UM_BLOCK_SIZE, host_memory.ram_size - offset);
	int err = host_memory_populate(offset, len);

	if (!err) {
		set_bit(block, backed);
		nr_populated++;
	}
	return err;
}

static bool back_block(unsigned long block)
{
	if (refused && time_before(jiffies, next_try))
		return false;
	refused = populate(block) != 0;
	if (refused) {
		nr_refused++;
		next_try = jiffies + RETRY_DELAY;
	}
	return !refused;
}

static void withhold(struct page *page, unsigned int order)
{
	unsigned long flags;

	set_page_private(page, order);
	adjust_managed_page_count(page, -(1L << order));
	raw_spin_lock_irqsave(&withheld_lock, flags);
	list_add_tail(&page->lru, &withheld);
	nr_withheld += 1UL << order;
	raw_spin_unlock_irqrestore(&withheld_lock, flags);
	/* Not yet early at boot; then init_backing() does. */
	if (likely(system_wq))
		schedule_delayed_work(&return_work, RETURN_PERIOD);
}

bool arch_back_pages(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	unsigned long block = block_of(pfn);
	unsigned long last = block_of(pfn + (1UL << order) - 1);

	for (; block <= last; block++) {
		if (likely(test_bit(block, backed)) || back_block(block))
			continue;
		withhold(page, order);
		return false;
	}
	return true;
}

bool um_block_forget(unsigned long block)
{
	if (!test_and_clear_bit(block, backed))
		return false;
	nr_released++;
	return true;
}

/* Give back pages of up to @blocks blocks. Returns how many blocks these were. */
static unsigned long give_pages(unsigned long blocks)
{
	unsigned long given = 0, block, last = ULONG_MAX, flags;
	struct page *page;
	unsigned int order;

	for (;;) {
		raw_spin_lock_irqsave(&withheld_lock, flags);
		page = list_first_entry_or_null(&withheld, struct page, lru);
		if (page) {
			block = block_of(page_to_pfn(page));
			if (block != last && given == blocks)
				page = NULL;
		}
		if (page) {
			list_del(&page->lru);
			nr_withheld -= 1UL << page_private(page);
		}
		raw_spin_unlock_irqrestore(&withheld_lock, flags);
		if (!page)
			return given;

		if (block != last) {
			last = block;
			given++;
		}
		order = page_private(page);
		set_page_private(page, 0);
		adjust_managed_page_count(page, 1L << order);
		init_page_count(page);
		__free_pages(page, order);
		cond_resched();
	}
}

/* The block of the page that was withheld first: is there room for it now? */
static bool try_first(void)
{
	unsigned long flags, block = ULONG_MAX;
	struct page *page;

	raw_spin_lock_irqsave(&withheld_lock, flags);
	page = list_first_entry_or_null(&withheld, struct page, lru);
	if (page)
		block = block_of(page_to_pfn(page));
	raw_spin_unlock_irqrestore(&withheld_lock, flags);
	return page && (test_bit(block, backed) || !populate(block));
}

static void return_withheld(struct work_struct *work)
{
	static unsigned long step, told;
	unsigned long now = READ_ONCE(nr_withheld);

	if (now && !told)
		pr_warn("The host has no room for all of the guest's memory: %lu MiB are withheld until it has; free memory on the host (or space in TMPDIR)\n",
			now >> (20 - PAGE_SHIFT));
	if (try_first()) {
		step = step ? min(step * 2, nr_blocks) : 1;
		give_pages(step);
	} else {
		step = 0;
	}
	told = READ_ONCE(nr_withheld);
	if (told)
		schedule_delayed_work(&return_work, RETURN_PERIOD);
	else if (now)
		pr_info("The host has room for the guest's memory again\n");
}

void __init um_backing_init(void)
{
	nr_blocks = DIV_ROUND_UP(host_memory.ram_size, UM_BLOCK_SIZE);
	backed = memblock_alloc(BITS_TO_LONGS(nr_blocks) * sizeof(long), sizeof(long));
	if (!backed)
		panic("No memory for the map of guest memory; use a larger mem=");
}

static int backing_show(struct seq_file *s, void *unused)
{
	seq_printf(s, "blocks      %lu\n", nr_blocks);
	seq_printf(s, "backed      %u\n", bitmap_weight(backed, nr_blocks));
	seq_printf(s, "populated   %lu\n", nr_populated);
	seq_printf(s, "released    %lu\n", nr_released);
	seq_printf(s, "refused     %lu\n", nr_refused);
	seq_printf(s, "withheld_kb %lu\n", READ_ONCE(nr_withheld) << (PAGE_SHIFT - 10));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(backing);

static int __init init_backing(void)
{
	debugfs_create_file("memory", 0400, um_debugfs(), NULL, &backing_fops);
	if (nr_withheld)
		schedule_delayed_work(&return_work, RETURN_PERIOD);
	return 0;
}
late_initcall(init_backing);
