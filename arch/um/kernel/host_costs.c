// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/um/host_costs: what user mode has cost on the host.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <asm/hotplug.h>
#include <host/costs.h>

static int costs_show(struct seq_file *m, void *unused)
{
	const struct host_costs *c = &host_costs;

	seq_printf(m, "traps %lu\nentries %lu\norders %lu\nmaps %lu\nunmaps %lu\n",
		   c->traps, c->entries, c->orders, c->maps, c->unmaps);
	seq_printf(m, "sleeps %lu\nwakes %lu\nstubs_made %lu\nstubs_reused %lu\n",
		   c->sleeps, c->wakes, c->stubs_made, c->stubs_reused);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(costs);

static int __init costs_init(void)
{
	debugfs_create_file("host_costs", 0444, um_debugfs(), NULL, &costs_fops);
	return 0;
}
late_initcall(costs_init);
