// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping: what is to be changed in an address space becomes orders to its
 * agent.
 *
 * A runner that says it has stopped may be lying. Hence mappings are removed
 * for certain before map() returns, unlike additions and changes of rights, which
 * can wait for the next resume and are then done on the way.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <host/memory.h>
#include "../common.h"
#include "seccomp.h"

/*
 * Mappings up to this size are filled at once, one fault saved per page. For reading,
 * the host finds the neighbours of a page itself.
 */
#define POPULATE_MAX		0x200000UL
#define POPULATE_READ_MAX	0x10000UL

/* Unmap, but not the table. Returns the number of operations. */
static int encode_unmap(struct um_mm *mm, struct sc_op *op, unsigned long start,
			unsigned long end)
{
	int n = 0;

	if (mm->table_lost || start >= UM_PATCH_TABLE_END || end <= UM_PATCH_TABLE) {
		*op = (struct sc_op){ SYS_munmap, { start, end - start } };
		return 1;
	}
	if (start < UM_PATCH_TABLE)
		op[n++] = (struct sc_op){ SYS_munmap, { start, UM_PATCH_TABLE - start } };
	if (end > UM_PATCH_TABLE_END)
		op[n++] = (struct sc_op){ SYS_munmap, { UM_PATCH_TABLE_END,
			end - UM_PATCH_TABLE_END } };
	return n;
}

static struct sc_op encode_map(const struct um_map_op *map)
{
	unsigned long max = map->prot & HOST_PROT_WRITE ? POPULATE_MAX : POPULATE_READ_MAX;
	unsigned long flags = MAP_SHARED | MAP_FIXED;

	if (map->prot && !map->lazy && map->len <= max)
		flags |= MAP_POPULATE;
	return (struct sc_op){ SYS_mmap, { map->addr, map->len, map->prot, flags, SC_FD_MEMORY,
		map->offset } };
}

/* At most two operations. Returns their number, or -EINVAL. */
static int encode_op(struct um_mm *mm, struct sc_op *op, const struct um_map_op *map)
{
	unsigned long end = map->addr + map->len;

	if (map->addr >= UM_STUB_START || map->len > UM_STUB_START - map->addr)
		return -EINVAL;
	if (map->kind != UM_ADD && map->kind != UM_PROTECT)
		patch_forget(mm, map->addr, end);
	if (map->kind != UM_UNMAP && map->prot && map->addr < UM_PATCH_TABLE_END &&
	    end > UM_PATCH_TABLE) {
		/* That would be the table's own pages, which are not the guest's. */
		if (map->kind == UM_PROTECT && !mm->table_lost)
			return -EINVAL;
		mm->table_lost = 1;
	}
	switch (map->kind) {
	case UM_MAP:
	case UM_ADD:
	case UM_REPLACE:
		*op = encode_map(map);
		return 1;
	case UM_UNMAP:
		return encode_unmap(mm, op, map->addr, end);
	case UM_PROTECT:
		if (!map->prot)
			return encode_unmap(mm, op, map->addr, end);
		op[0] = (struct sc_op){ SYS_mprotect | OP_OR_NEXT, { map->addr, map->len,
			map->prot } };
		/* Not all of it is there. */
		if (map->offset == UM_SCATTERED)
			op[1] = (struct sc_op){ SYS_munmap, { map->addr, map->len } };
		else
			op[1] = encode_map(map);
		return 2;
	}
	return -EINVAL;
}

static void count(const struct um_map_op *op)
{
	if (op->kind == UM_UNMAP || !op->prot)
		host_costs.unmaps++;
	else
		host_costs.maps++;
}

/* Nobody but this guest process cares when they are done, and one order holds them. */
static int can_wait(const struct um_map_op *ops, unsigned int nr)
{
	unsigned int room = 1;

	for (unsigned int i = 0; i < nr; i++) {
		if (ops[i].kind != UM_ADD && ops[i].kind != UM_REPLACE &&
		    ops[i].kind != UM_PROTECT)
			return 0;
		room += ops[i].kind == UM_PROTECT ? 2 : 1;
	}
	return room < SC_OPS_MAX;
}

int map_settle(struct um_mm *mm)
{
	int err = mm->map_error;

	mm->map_error = 0;
	if (mm->chained) {
		/* Not resumed after all. */
		mm->chained = 0;
		agent_order(mm, sc_cmd(mm)->nr, 0);
	}
	if (!err)
		err = agent_settle(mm);
	else
		agent_settle(mm);
	return err;
}

int sc_map(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr)
{
	int late = !mm->running && can_wait(ops, nr);
	int changed = 0;
	struct sc_cmd *cmd = sc_cmd(mm);
	int err;

	if (!mm->agent || !mm->runner)
		return 0;
	err = map_settle(mm);
	while (nr && !err) {
		unsigned int n = 0;

		/* Room for two. */
		while (nr && n < SC_OPS_MAX - 1) {
			int ret = encode_op(mm, &cmd->ops[n], ops++);

			if (ret < 0)
				return ret;
			n += ret;
			nr--;
			count(&ops[-1]);
			changed |= ops[-1].kind != UM_ADD;
		}
		if (late) {
			cmd->nr = n;
			mm->chained = 1;
		} else {
			err = agent_batch(mm, n);
		}
	}
	if (changed)
		place_changed(mm);
	/* What is dead maps nothing; wait() will tell. */
	if (err && err != -ENOMEM)
		sc_abandon(mm);
	return err == -ESRCH ? 0 : err;
}
