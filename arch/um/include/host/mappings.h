/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest process has mapped on the host, for checks. */
#ifndef __HOST_MAPPINGS_H
#define __HOST_MAPPINGS_H

/**
 * struct host_mapping - one mapping of a host process
 * @start: first address
 * @end: one past the last
 * @prot: HOST_PROT_* bits
 * @is_memory: it is guest memory
 * @offset: offset in the file
 */
struct host_mapping {
	unsigned long start;
	unsigned long end;
	int prot;
	int is_memory;
	unsigned long offset;
};

/**
 * host_mappings_open() - begin to read a process's mappings
 * @pid: host process
 *
 * One at a time, until host_mappings_close(). Returns 0 or a negative errno:
 * the host may not show them. Task context.
 */
int host_mappings_open(int pid);

/**
 * host_mappings_next() - the next mapping by address
 * @mapping: filled in
 *
 * Returns 1, 0 at the end, or a negative errno.
 */
int host_mappings_next(struct host_mapping *mapping);

/** host_mappings_close() - end what host_mappings_open() began */
void host_mappings_close(void);

#endif
