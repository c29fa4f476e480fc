// SPDX-License-Identifier: GPL-2.0
/*
 * Orders to agents, and their answers.
 *
 * An order is a page of operations and a sequence number. The answer is the
 * number, written into a page that no mapping in the stub can write: it can't
 * come from guest code, so when it has arrived what was to be unmapped is
 * unmapped. One order is under way at most; the page is not touched before its
 * answer is there, also if nobody needs to know.
 *
 * While the agent works we sleep, and it does so on our CPU (place.c).
 *
 * The agent is on its own: it may be killed by somebody, which is looked for
 * whenever the answer takes long.
 */
#include <errno.h>

#include "seccomp.h"

static void tell(struct um_mm *mm, unsigned int nr, int chain)
{
	struct sc_cmd *cmd = sc_cmd(mm);

	host_costs.orders++;
	cmd->nr = nr;
	cmd->chain = chain;
	__atomic_store_n(&cmd->seq, ++mm->seq, __ATOMIC_SEQ_CST);
	futex_wake(&cmd->seq);
}

void agent_order(struct um_mm *mm, unsigned int nr, int chain)
{
	place_agent(mm);
	tell(mm, nr, chain);
}

void agent_order_aside(struct um_mm *mm, unsigned int nr)
{
	place_agent_aside(mm);
	tell(mm, nr, 0);
}

int agent_answered(struct um_mm *mm)
{
	return __atomic_load_n(&sc_ack(mm)->seq, __ATOMIC_ACQUIRE) == mm->seq;
}

int agent_wait(struct um_mm *mm)
{
	struct sc_ack *ack = sc_ack(mm);

	while (!agent_answered(mm)) {
		unsigned int seen = __atomic_load_n(&ack->seq, __ATOMIC_ACQUIRE);

		if (agent_answered(mm))
			break;
		if (futex_wait(&ack->seq, seen, LOOK_MS) == -ETIMEDOUT && process_gone(mm->agent) &&
		    !agent_answered(mm))
			return -ESRCH;
	}
	return 0;
}

int agent_settle(struct um_mm *mm)
{
	int err = agent_wait(mm);

	/* It is told once. */
	return err ? err : -(int)__atomic_exchange_n(&sc_ack(mm)->error, 0, __ATOMIC_RELAXED);
}

int agent_batch(struct um_mm *mm, unsigned int nr)
{
	agent_order(mm, nr, 0);
	return agent_settle(mm);
}
