/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What user mode costs on the host: counters that only ever grow, for people who
 * want to know where the time goes. Both halves read them, the host half counts.
 */
#ifndef __UM_HOST_COSTS_H
#define __UM_HOST_COSTS_H

/**
 * struct host_costs - since the start of the kernel
 * @traps: guest code was stopped by a signal or a tracer's stop
 * @entries: guest code stopped by itself, at a patched system call
 * @orders: batches of mapping operations
 * @maps: mappings made on the host
 * @unmaps: ranges unmapped there
 * @sleeps: the kernel process waited for the guest, or for a mapping, asleep
 * @wakes: it woke somebody
 * @stubs_made: address spaces for which the host made processes
 * @stubs_reused: address spaces that had been another's
 */
struct host_costs {
	unsigned long traps;
	unsigned long entries;
	unsigned long orders;
	unsigned long maps;
	unsigned long unmaps;
	unsigned long sleeps;
	unsigned long wakes;
	unsigned long stubs_made;
	unsigned long stubs_reused;
};

extern struct host_costs host_costs;

#endif
