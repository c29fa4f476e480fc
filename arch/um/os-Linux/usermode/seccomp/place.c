// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPU agents and runners are on.
 *
 * The agent works while we sleep, so it belongs on our CPU. Of a runner there
 * are two kinds:
 *
 *  - far ones may be anywhere, and both sides watch for their turn (spin.c). A
 *    system call costs a fifth of a microsecond. But a sleeper on another CPU is
 *    woken by an interrupt, often out of an idle state, which takes 15 us and
 *    more; and whenever a mapping is removed or changed, that CPU is to be told;
 *  - near ones are on our CPU, and nobody watches. A turn there and back costs
 *    two switches of the host, about 6 us, whatever happens in between.
 *
 * So the right place depends on what the program does: near for those who have
 * just been made, change mappings, or make a call now and then; far for many calls
 * in a row. Every stop goes into a score, weighted with what it costs in
 * the wrong place, in microseconds.
 *
 * The host would rather wake us on a CPU that is idle than on that of the runner who
 * wakes us, so we are tied to one. Now and then we are not for a moment, and it may
 * put us where there is more room; where there is nowhere enough, we are not at all.
 * A near runner that computes for long is left to the host.
 */
#include <sched.h>

#include "../../cpus.h"
#include "seccomp.h"

#define QUICK_NS	50000	/* who watches sees a turn that is shorter */
#define GAIN_QUICK	6
#define LOSS_SLOW	12
#define LOSS_CHANGED	25
#define SCORE_MAX	60
#define SCORE_FAR	48	/* eight calls */
#define FAR_WINDOW	25000	/* ns of watching, to begin with */

#define TIED_NS		50000000	/* so long we stay where we are */
#define UNTIED		8		/* and so many turns we don't */

#define LOOKS_FLOAT	4	/* interrupts in one turn */

/* Where somebody is, as in @agent_cpu and @runner_cpu; 0 for anywhere. */
static int here(int cpu)
{
	return cpu + 1;
}

static int elsewhere(int cpu)
{
	return -(cpu + 1);
}

/* If the host refuses it only takes longer, and there is no use in asking again. */
static void put(int pid, int *where, int to)
{
	cpu_set_t cpus;

	if (*where == to)
		return;
	*where = to;
	if (to > 0) {
		CPU_ZERO(&cpus);
		CPU_SET(to - 1, &cpus);
	} else {
		cpus_allowed(&cpus);
		if (to < 0)
			CPU_CLR(-to - 1, &cpus);
	}
	sched_setaffinity(pid, sizeof(cpus), &cpus);
}

/* The nursery's agent stays free: what it clones inherits its CPUs. */
void place_agent(struct um_mm *mm)
{
	int cpu;

	if (mm == &nursery || !spin_possible())
		return;
	cpu = sched_getcpu();
	put(mm->agent, &mm->agent_cpu, cpu < 0 ? 0 : here(cpu));
}

void place_new_runner(struct um_mm *mm)
{
	int cpu = sched_getcpu();

	if (cpu >= 0 && spin_possible())
		put(mm->runner, &mm->runner_cpu, here(cpu));
}

/* Woken here it would stay here, if the host thinks that we are about to sleep. */
void place_agent_aside(struct um_mm *mm)
{
	int cpu = sched_getcpu();

	if (cpu < 0 || !spin_possible())
		return;
	put(mm->agent, &mm->agent_cpu, elsewhere(cpu));
	mm->runner_cpu = mm->agent_cpu;
}

void place_float(struct um_mm *mm)
{
	put(mm->runner, &mm->runner_cpu, 0);
}

void place_interrupted(struct um_mm *mm)
{
	if (mm->looks >= LOOKS_FLOAT)
		place_float(mm);
}

static void score(struct um_mm *mm, int by)
{
	mm->score += by;
	if (mm->score > SCORE_MAX)
		mm->score = SCORE_MAX;
	if (mm->score < -SCORE_MAX)
		mm->score = -SCORE_MAX;
}

void place_changed(struct um_mm *mm)
{
	score(mm, -LOSS_CHANGED);
}

/* Was the last turn one that watching would have caught, on both sides? */
static int quick(const struct um_mm *mm, unsigned long now)
{
	unsigned long max = spin_ticks(QUICK_NS);

	/* The time of the stop is not exact if nobody slept. */
	return mm->stopped_at - mm->resumed_at < max &&
	       (now < mm->stopped_at || now - mm->stopped_at < max);
}

/* Returns our CPU. */
static int place_us(unsigned long now)
{
	static unsigned int untied;
	static unsigned long next;
	int cpu = sched_getcpu();

	if (now > next || !spin_allowed()) {
		next = now + spin_ticks(TIED_NS);
		cpus_unpin();
		untied = 0;
	}
	if (cpu >= 0 && spin_allowed() && untied++ == UNTIED)
		cpus_pin(cpu);
	return cpu;
}

void place_runner(struct um_mm *mm, unsigned long now)
{
	int cpu, far;

	if (!spin_possible())
		return;
	score(mm, quick(mm, now) ? GAIN_QUICK : -LOSS_SLOW);
	cpu = place_us(now);
	far = spin_allowed() && mm->score >= (mm->far ? 0 : SCORE_FAR);
	if (far && !mm->far)
		mm->window = mm->runner_window = FAR_WINDOW;
	mm->far = far;
	/* Who goes on when it should not is not to do so on our CPU. */
	if (cpu < 0 || mm->busy)
		place_float(mm);
	else
		put(mm->runner, &mm->runner_cpu, far ? elsewhere(cpu) : here(cpu));
}
