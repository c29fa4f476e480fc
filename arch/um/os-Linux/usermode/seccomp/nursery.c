// SPDX-License-Identifier: GPL-2.0
/*
 * Making stubs.
 *
 * The nursery is a stub without a runner, executed once from a memory file.
 * Its agent sets up by our orders what all stubs have in common: an empty
 * address space but for the vDSO, signal handlers, limits, the agent's filter.
 * Every further stub begins as a clone of it made by its agent, which maps its
 * own slot of the control memory and then obeys orders from there; the first
 * one is to map STATE and the signal stack and to clone the runner.
 *
 * New processes are our children by CLONE_PARENT. Their pids arrive in the
 * STATE page, which is to be trusted until guest code runs in that address
 * space for the first time; in the nursery's it never does.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cpus.h"
#include "../common.h"
#include "seccomp.h"

#define START_TRIES	16
#define FD_IMAGE	2
/* struct k_sigaction */
#define SA_RESTORER	0x04000000

struct sc_sigaction {
	unsigned long handler, flags, restorer, mask;
};

/* What start-up calls point to: the first for the nursery, the others for runners. */
struct nursery_data {
	struct sc_sigaction sa;
	struct rlimit core;
	struct sock_fprog prog;
	char name[16];
};

struct runner_data {
	stack_t stack;
	unsigned long mask;
	struct sock_fprog prog;
	struct sock_filter filter[56];
};

#define DATA_ADDR(type, field)	(SC_CMD + CMD_DATA + offsetof(struct type, field))

_Static_assert(sizeof(struct nursery_data) <= CMD_OPS - CMD_DATA, "data");
_Static_assert(sizeof(struct runner_data) <= CMD_OPS - CMD_DATA, "data");

static const int handled[] = {
	SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGALRM,
};

#define NR_HANDLED	(sizeof(handled) / sizeof(*handled))

struct um_mm nursery;

static struct sock_filter runner_filter[FILTER_MAX];
static unsigned int runner_filter_len;

static void wait_for_end(int *pid)
{
	if (!*pid)
		return;
	kill(*pid, SIGKILL);
	while (wait4(*pid, NULL, __WALL, NULL) < 0 && errno == EINTR)
		;
	*pid = 0;
}

/*
 * The stub whose agent was made last. It reads from the nursery's page of orders which
 * slot is its own, so nothing is to change there before it has answered.
 */
static struct um_mm *youngest;

void stub_kill(struct um_mm *mm)
{
	if (youngest == mm)
		youngest = NULL;
	if (mm->runner)
		kill(mm->runner, SIGKILL);
	wait_for_end(&mm->agent);
	wait_for_end(&mm->runner);
}

/* A page to talk through, as its stub has never seen it. */
static void fresh_page(struct um_mm *mm)
{
	struct sc_cmd *cmd = sc_cmd(mm);

	memset(cmd, 0, sizeof(*cmd));
	memset(sc_ack(mm), 0, sizeof(struct sc_ack));
	memset(sc_state(mm), 0, sizeof(struct sc_state));
	cmd->kernel_pid = sc_info.pid;
	mm->seq = 0;
}

static struct sc_op op6(long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			unsigned long a4, unsigned long a5, unsigned long a6)
{
	return (struct sc_op){ nr, { a1, a2, a3, a4, a5, a6 } };
}

#define FROM_STATE	0
#define FROM_TABLE	2

/* The guest's part of the slot, or the end of it. Returns the number of operations. */
static int map_slot(struct um_mm *mm, struct sc_op *ops, unsigned int from)
{
	const struct {
		unsigned long addr, len;
		int prot;
	} parts[] = {
		{ SC_STATE, sc_info.state_size, PROT_READ | PROT_WRITE },
		{ SC_STACK, sc_info.stack_size, PROT_READ | PROT_WRITE },
		{ SC_TABLE, SC_TABLE_SIZE, PROT_READ },
		{ SC_PATCH, SC_PATCH_SIZE, PROT_READ | PROT_EXEC },
	};
	unsigned long offset = mm->slot * sc_info.slot_size + 2 * UM_PAGE_SIZE;
	int n = 0;

	/* Without patches nothing of ours is below the stub. */
	for (unsigned int i = 0; i < (host_patching ? 4 : FROM_TABLE); i++) {
		if (i >= from)
			ops[n++] = op6(SYS_mmap, parts[i].addr, parts[i].len, parts[i].prot,
				       MAP_SHARED | MAP_FIXED, SC_FD_CONTROL, offset);
		offset += parts[i].len;
	}
	return n;
}

/* One call by the nursery's agent. Its result is not known, only whether it failed. */
static long nursery_call(long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			 unsigned long a4, unsigned long a5)
{
	sc_cmd(&nursery)->ops[0] = op6(nr, a1, a2, a3, a4, a5, 0);
	return agent_batch(&nursery, 1);
}

static void nursery_data(struct nursery_data *d)
{
	d->sa.handler = SC_ADDR(runner_signal);
	d->sa.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER;
	/* Never returned to, but the host insists. */
	d->sa.restorer = SC_ADDR(sc_restorer);
	d->sa.mask = 0;
	/* Zero would not stop a core_pattern that names a program. */
	d->core = (struct rlimit){ 1, 1 };
	strcpy(d->name, "uml-guest");
}

/*
 * The filter is too large for the page next to orders: it goes into guest
 * memory's place for a moment, which is free: the signal stack's.
 */
static int install_filter(void)
{
	struct nursery_data *d = (struct nursery_data *)sc_cmd(&nursery)->data;
	char *stack = (char *)sc_state(&nursery) + sc_info.state_size;
	struct sock_filter *filter = (struct sock_filter *)stack;
	unsigned int len = filter_agent(filter);
	long err;

	if (len > FILTER_MAX)
		return -E2BIG;
	d->prog.len = len;
	d->prog.filter = (struct sock_filter *)SC_STACK;
	err = nursery_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!err)
		/* Before 5.16 a filter would switch speculation off, which is slow. */
		err = nursery_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				   SECCOMP_FILTER_FLAG_SPEC_ALLOW,
				   DATA_ADDR(nursery_data, prog), 0, 0);
	return err;
}

static int set_up(int last)
{
	static const unsigned long keep[] = { SC_CODE, SC_CMD, SC_ACK, 0 };
	struct sc_cmd *cmd = sc_cmd(&nursery);
	unsigned long all = ~0UL;
	long err;

	/* The first order is answered when the program runs. */
	err = agent_batch(&nursery, 0);
	if (!err)
		err = space_clear(nursery.agent, keep, SC_VDSO, &sc_info.vdso, last, nursery_call);
	if (err)
		return err;
	err = agent_batch(&nursery, map_slot(&nursery, cmd->ops, FROM_STATE));
	if (err)
		return err;

	nursery_data((struct nursery_data *)cmd->data);
	for (unsigned int i = 0; i < NR_HANDLED && !err; i++)
		err = nursery_call(SYS_rt_sigaction, handled[i], DATA_ADDR(nursery_data, sa), 0, 8, 0);
	if (!err) {
		memcpy((char *)sc_state(&nursery) + STATE_AREA, &all, sizeof(all));
		err = nursery_call(SYS_rt_sigprocmask, SIG_SETMASK, SC_STATE + STATE_AREA, 0, 8, 0);
	}
	if (!err)
		err = nursery_call(SYS_prctl, PR_SET_NAME, DATA_ADDR(nursery_data, name), 0, 0, 0);
	if (!err)
		err = nursery_call(SYS_prlimit64, 0, RLIMIT_CORE, DATA_ADDR(nursery_data, core), 0, 0);
	if (!err)
		err = nursery_call(SYS_close, FD_IMAGE, 0, 0, 0, 0);
	return err ? err : install_filter();
}

/**
 * nursery_init() - prepare what does not change
 *
 * Returns 0 or a negative errno value.
 */
int nursery_init(void)
{
	runner_filter_len = filter_runner(runner_filter);
	if (runner_filter_len > sizeof(((struct runner_data *)0)->filter) / sizeof(*runner_filter))
		return -E2BIG;
	return launch_init(sc_image, sc_image_end - sc_image);
}

/**
 * nursery_start() - make the nursery
 *
 * Returns 0 or a negative errno value.
 */
int nursery_start(void)
{
	int err = -ESRCH;

	/* All who come from it inherit our CPUs. */
	cpus_unpin();
	for (int i = 0; i < START_TRIES && (err == -ESRCH || err == -EAGAIN); i++) {
		nursery = (struct um_mm){ 0 };
		fresh_page(&nursery);
		err = launch_stub(sc_info.memory_fd, sc_info.control_fd);
		if (err < 0)
			return err;
		nursery.agent = err;
		err = set_up(i == START_TRIES - 1);
		if (err)
			stub_kill(&nursery);
	}
	return err;
}

void nursery_stop(void)
{
	stub_kill(&nursery);
}

/* What a new runner does first: into its agent's page of orders. */
static void runner_orders(struct um_mm *mm)
{
	struct sc_cmd *cmd = sc_cmd(mm);
	struct runner_data *d = (struct runner_data *)cmd->data;
	unsigned long mask = 0;

	for (unsigned int i = 0; i < NR_HANDLED; i++)
		mask |= 1UL << (handled[i] - 1);
	d->mask = ~mask;
	d->stack = (stack_t){ .ss_sp = (void *)SC_STACK, .ss_size = sc_info.stack_size };
	memcpy(d->filter, runner_filter, runner_filter_len * sizeof(*runner_filter));
	d->prog.len = runner_filter_len;
	d->prog.filter = (struct sock_filter *)DATA_ADDR(runner_data, filter);

	cmd->runner_ops[0] = op6(SYS_close, SC_FD_MEMORY, 0, 0, 0, 0, 0);
	cmd->runner_ops[1] = op6(SYS_close, SC_FD_CONTROL, 0, 0, 0, 0, 0);
	cmd->runner_ops[2] = op6(SYS_sigaltstack, DATA_ADDR(runner_data, stack), 0, 0, 0, 0, 0);
	cmd->runner_ops[3] = op6(SYS_rt_sigprocmask, SIG_SETMASK, DATA_ADDR(runner_data, mask),
				 0, 8, 0, 0);
	cmd->runner_ops[4] = op6(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				 SECCOMP_FILTER_FLAG_SPEC_ALLOW, DATA_ADDR(runner_data, prog),
				 0, 0, 0);
	cmd->runner_nr = 5;
}

/* Map the slot, and make a runner. Returns the number of operations. */
static int first_ops(struct um_mm *mm, unsigned int from)
{
	struct sc_op *ops = sc_cmd(mm)->ops;
	int n = map_slot(mm, ops, from);

	ops[n++] = op6(SYS_clone, CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID |
		       CLONE_UNTRACED | SIGCHLD, 0,
		       SC_STATE + offsetof(struct sc_state, pid), 0, 0, 0);
	return n;
}

/* The stub whose agent the nursery is making. Its pid arrives also if there is an error. */
static struct um_mm *unborn;

static int birth(void)
{
	int err = 0;

	if (unborn) {
		err = agent_settle(&nursery);
		unborn->agent = sc_state(&nursery)->pid;
		unborn = NULL;
	}
	return err;
}

/**
 * nursery_begin() - start to make a stub
 * @mm: receives the processes; its slot is set
 *
 * A nursery that was killed is replaced. Returns 0 or a negative errno value.
 */
int nursery_begin(struct um_mm *mm)
{
	struct sc_cmd *cmd = sc_cmd(&nursery);
	int err;

	birth();
	if (youngest && youngest->agent)
		agent_wait(youngest);
	if (!nursery.agent || process_gone(nursery.agent)) {
		stub_kill(&nursery);
		err = nursery_start();
		if (err)
			return err;
	}
	/* Orders for the new agent, ready before it is born. */
	fresh_page(mm);
	runner_orders(mm);
	sc_cmd(mm)->nr = first_ops(mm, FROM_STATE);
	sc_cmd(mm)->seq = mm->seq = 1;

	sc_state(&nursery)->pid = 0;
	cmd->child = mm->slot * sc_info.slot_size;
	cmd->ops[0] = op6(SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_UNTRACED | SIGCHLD,
			  0, SC_STATE + offsetof(struct sc_state, pid), 0, 0, 0);
	unborn = mm;
	youngest = mm;
	host_costs.stubs_made++;
	agent_order(&nursery, 1, 0);
	return 0;
}

/**
 * nursery_again() - start to make a new runner
 * @mm: has an empty address space, and no runner
 */
void nursery_again(struct um_mm *mm)
{
	host_costs.stubs_reused++;
	memset(sc_state(mm), 0, sizeof(struct sc_state));
	runner_orders(mm);
	agent_order_aside(mm, first_ops(mm, FROM_TABLE));
}

/**
 * nursery_poll() - is it ready?
 *
 * Returns 0 (not yet), or 1 when nursery_finish() needs no time.
 */
int nursery_poll(struct um_mm *mm)
{
	if (mm == unborn) {
		if (!agent_answered(&nursery))
			return 0;
		birth();
	}
	return !mm->agent || (agent_answered(mm) && turn(mm) >= TURN_STOPPED);
}

/* The runner waits for its first turn. */
static int runner_ready(struct um_mm *mm)
{
	unsigned int *turn = &sc_state(mm)->turn, run = TURN_RUN, t;

	if (__atomic_load_n(turn, __ATOMIC_ACQUIRE) < TURN_STOPPED)
		place_new_runner(mm);
	while ((t = __atomic_load_n(turn, __ATOMIC_ACQUIRE)) < TURN_STOPPED) {
		__atomic_compare_exchange_n(turn, &run, TURN_RUN_KSLEEP, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		run = TURN_RUN;
		if (futex_wait(turn, TURN_RUN_KSLEEP, LOOK_MS) == -ETIMEDOUT &&
		    process_gone(mm->runner))
			return -ESRCH;
	}
	return 0;
}

/**
 * nursery_finish() - wait until a stub is ready
 *
 * After nursery_begin() or nursery_again(). Returns 0, or a negative errno
 * value: then its processes are gone. -ESRCH: they were before.
 */
int nursery_finish(struct um_mm *mm)
{
	int err = mm == unborn ? birth() : 0;

	if (!mm->agent)
		err = err ? err : -ESRCH;
	if (!err) {
		/* Elsewhere there may be others before it. */
		if (!agent_answered(mm))
			place_agent(mm);
		err = agent_settle(mm);
	}
	if (youngest == mm)
		youngest = NULL;
	/* Once it is set: an agent that was killed may have left a runner. */
	mm->runner = sc_state(mm)->pid;
	if (!err)
		err = runner_ready(mm);
	if (err)
		stub_kill(mm);
	return err;
}

static int make(struct um_mm *mm)
{
	int err = nursery_begin(mm);

	return err ? err : nursery_finish(mm);
}

/**
 * nursery_make() - make a stub
 * @mm: as for nursery_begin()
 *
 * Returns 0 or a negative errno value.
 */
int nursery_make(struct um_mm *mm)
{
	int err = make(mm);

	if (err == -ESRCH)
		err = make(mm);
	return err == -ESRCH ? -EAGAIN : err;
}
