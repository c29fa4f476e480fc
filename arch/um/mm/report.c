// SPDX-License-Identifier: GPL-2.0
/*
 * Giving free memory back to the host: the driver of free page reporting.
 *
 * The generic code looks for free blocks two seconds after something large was
 * freed, takes some out of the allocator, and waits for report(). Blocks that
 * have memory behind them become holes in the memory file. That is done by a
 * host thread: a vCPU never waits for it, and an idle machine that frees nothing
 * does nothing here.
 */
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/page_reporting.h>
#include <linux/printk.h>
#include <linux/scatterlist.h>
#include <asm/events.h>
#include <asm/memory.h>
#include "backing.h"

#define DRAIN_PERIOD	HZ

static DECLARE_COMPLETION(released);
static unsigned long next_drain = INITIAL_JIFFIES;
static struct um_event_irq event;
static struct host_memory_release release;

static irqreturn_t release_done(int irq, void *dev)
{
	um_event_rearm(&event);
	complete(&released);
	return IRQ_HANDLED;
}

static void add_block(unsigned long block)
{
	struct host_memory_range *last = &release.ranges[release.nr - 1];
	unsigned long offset = block << UM_BLOCK_SHIFT;

	if (release.nr && last->offset + last->len == offset)
		last->len += UM_BLOCK_SIZE;
	else if (release.nr && offset + UM_BLOCK_SIZE == last->offset)
		*last = (struct host_memory_range){ offset, last->len + UM_BLOCK_SIZE };
	else
		release.ranges[release.nr++] = (struct host_memory_range){ offset, UM_BLOCK_SIZE };
}

static int flush(void)
{
	if (!release.nr)
		return 0;
	host_memory_release(&release);
	wait_for_completion(&released);
	release.nr = 0;
	return release.error;
}

/* Called for one list at a time. Whatever fails stays unbacked: harmless. */
static int report(struct page_reporting_dev_info *prdev, struct scatterlist *sgl,
		  unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;
	int err = 0;

	/*
	 * An eighth of memory may hide in the per-CPU lists. What this frees is
	 * found two seconds from now.
	 */
	if (time_after(jiffies, next_drain)) {
		next_drain = jiffies + DRAIN_PERIOD;
		drain_all_pages(NULL);
	}
	for_each_sg(sgl, sg, nents, i) {
		unsigned long block = um_pfn_offset(page_to_pfn(sg_page(sg))) >> UM_BLOCK_SHIFT;
		unsigned long end = block + (sg->length >> UM_BLOCK_SHIFT);

		for (; block < end && !err; block++) {
			if (!um_block_forget(block))
				continue;
			add_block(block);
			if (release.nr == HOST_MEMORY_RANGES)
				err = flush();
		}
	}
	return err ? err : flush();
}

static struct page_reporting_dev_info reporter = {
	.report = report,
	.order = UM_BLOCK_SHIFT - PAGE_SHIFT,
};

static int __init report_init(void)
{
	int err;

	if (!host_memory.give_back)
		return 0;
	err = um_event_request(&event, -1, HOST_EVENT_IN, release_done, "memory", NULL);
	if (err)
		return err;
	release.event = event.event;
	err = page_reporting_register(&reporter);
	if (err)
		um_event_free(&event);
	return err;
}
late_initcall(report_init);
