// SPDX-License-Identifier: GPL-2.0
/*
 * The seccomp backend: guest code runs freely, and its system calls trap.
 *
 * An address space is two host processes that share their memory: the runner
 * executes guest code and may do nothing but wait for its turn and hand it
 * over; the agent maps and unmaps by our orders. So guest code is in one
 * process with what controls it, but whatever it does to the memory they
 * share, it can neither make a system call nor pretend that the agent has done
 * something. The turn word in STATE passes control between us and the runner;
 * see stub.S for the other side.
 *
 * A runner that says it has stopped may be lying. Hence mappings are removed
 * for certain before map() returns, unlike additions, which can wait for the
 * next resume and are then done on the way.
 *
 * Extended state is where the last stop left it: in the runner's registers or
 * in a signal frame. It is only touched when somebody asks.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <host/memory.h>
#include <host/process.h>
#include <host/vcpu.h>
#include "../../internal.h"
#include "../common.h"
#include "seccomp.h"

/* Address spaces at once. */
#define MM_MAX			32768
#define DYING_MAX		64
/* Mappings up to this size are filled at once, one fault saved per page. */
#define POPULATE_MAX		0x200000UL
/* Enough for a dozen signals that interrupt each other. */
#define FRAMES			12
#define STACK_MIN		65536UL
/* Interrupts, or seconds, beside a guest until it is checked that it lives. */
#define LOOK_EVERY		16
#define LOOK_S			1
#define PAGE_UP(x)		(((x) + UM_PAGE_SIZE - 1) & ~(UM_PAGE_SIZE - 1))
#define AREA			(SC_STATE + STATE_AREA)

struct sc_info sc_info = { .control_fd = -1, .memory_fd = -1 };

static struct um_mm *mm_table;		/* entry 0 is not used: the nursery's slot */
static unsigned int mm_used = 1;
static struct um_mm *mm_free;
static struct um_mm *dying;
static unsigned int nr_dying;
static struct um_mm *spinner;		/* whose runner may be spinning */

static unsigned int turn(struct um_mm *mm)
{
	return __atomic_load_n(&sc_state(mm)->turn, __ATOMIC_ACQUIRE);
}

/* One step of the turn word, if it is at @from. */
static int turn_step(struct um_mm *mm, unsigned int from, unsigned int to)
{
	return __atomic_compare_exchange_n(&sc_state(mm)->turn, &from, to, 0,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Address spaces and their ends */

static int reap_one(int *pid, int options)
{
	int ret;

	if (!*pid)
		return 1;
	do {
		ret = wait4(*pid, NULL, __WALL | options, NULL);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return 0;
	*pid = 0;
	return 1;
}

/* Take what died off the list; with @wait, wait for one. */
static void reap(int wait)
{
	struct um_mm **p = &dying, *mm;

	while ((mm = *p)) {
		int options = wait ? 0 : WNOHANG;

		if (!reap_one(&mm->agent, options) || !reap_one(&mm->runner, options)) {
			p = &mm->next;
			continue;
		}
		wait = 0;
		*p = mm->next;
		nr_dying--;
		mm->next = mm_free;
		mm_free = mm;
	}
}

static int sc_mm_create(struct um_mm **result)
{
	struct um_mm *mm;
	int err;

	if (dying)
		reap(0);
	mm = mm_free;
	if (mm) {
		mm_free = mm->next;
	} else if (mm_used < MM_MAX) {
		mm = &mm_table[mm_used];
		mm->slot = mm_used++;
	} else {
		return -ENOMEM;
	}
	*mm = (struct um_mm){ .slot = mm->slot };
	/* Unknown: the first resume loads them. */
	memset(mm->seg, 0xff, sizeof(mm->seg));
	err = nursery_make(mm);
	if (err) {
		mm->next = mm_free;
		mm_free = mm;
		return err;
	}
	*result = mm;
	return 0;
}

/* Guest memory must be out of reach when this returns. */
static void withdraw(struct um_mm *mm)
{
	int err = agent_settle(mm);

	if (err != -ESRCH) {
		sc_cmd(mm)->ops[0] = (struct sc_op){ SYS_munmap, { 0, UM_STUB_START } };
		err = agent_batch(mm, 1);
	}
	/* What is dead reaches nothing. */
	if (err)
		stub_kill(mm);
}

static void sc_mm_destroy(struct um_mm *mm)
{
	if (spinner == mm)
		spinner = NULL;
	/* Not both for certain: the pids may be somebody else's by now. */
	if (mm->agent && mm->runner)
		withdraw(mm);
	if (mm->runner)
		kill(mm->runner, SIGKILL);
	if (mm->agent)
		kill(mm->agent, SIGKILL);
	mm->running = 0;
	mm->next = dying;
	dying = mm;
	nr_dying++;
	reap(nr_dying > DYING_MAX);
}

/* The host processes are gone or must go: nothing of the mm can be trusted. */
static void lose(struct um_mm *mm)
{
	stub_kill(mm);
	mm->running = 0;
	mm->chained = 0;
}

/* Mapping */

static int encode_op(struct sc_op *op, const struct um_map_op *map)
{
	unsigned long flags = MAP_SHARED | MAP_FIXED;

	if (map->addr >= UM_STUB_START || map->len > UM_STUB_START - map->addr)
		return -EINVAL;
	switch (map->kind) {
	case UM_MAP:
	case UM_ADD:
		if (map->prot && map->len <= POPULATE_MAX)
			flags |= MAP_POPULATE;
		*op = (struct sc_op){ SYS_mmap, { map->addr, map->len, map->prot,
			flags, SC_FD_MEMORY, map->offset } };
		return 0;
	case UM_UNMAP:
		*op = (struct sc_op){ SYS_munmap, { map->addr, map->len } };
		return 0;
	case UM_PROTECT:
		*op = (struct sc_op){ SYS_mprotect, { map->addr, map->len, map->prot } };
		return 0;
	}
	return -EINVAL;
}

static int only_adds(const struct um_map_op *ops, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (ops[i].kind != UM_ADD)
			return 0;
	return nr <= SC_OPS_MAX;
}

/* The runner would take the CPU that its agent needs. */
static void park(struct um_mm *mm)
{
	turn_step(mm, TURN_STOPPED, TURN_RSLEEP);
	if (spinner == mm)
		spinner = NULL;
}

/* Wait for orders that nobody has waited for yet. */
static int settle(struct um_mm *mm)
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

static int sc_map(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr)
{
	struct sc_cmd *cmd = sc_cmd(mm);
	int err;

	if (!mm->agent || !mm->runner)
		return 0;
	park(mm);
	err = settle(mm);
	if (!err && !mm->running && only_adds(ops, nr)) {
		for (unsigned int i = 0; i < nr && !err; i++)
			err = encode_op(&cmd->ops[i], &ops[i]);
		if (!err) {
			cmd->nr = nr;
			mm->chained = 1;
		}
		return err;
	}
	while (nr && !err) {
		unsigned int n = nr < SC_OPS_MAX ? nr : SC_OPS_MAX;

		for (unsigned int i = 0; i < n && !err; i++)
			err = encode_op(&cmd->ops[i], &ops[i]);
		if (!err)
			err = agent_batch(mm, n);
		ops += n;
		nr -= n;
	}
	/* What is dead maps nothing; wait() will tell. */
	if (err && err != -ENOMEM)
		lose(mm);
	return err == -ESRCH ? 0 : err;
}

/* Running */

static unsigned long usable_base(unsigned long base)
{
	return is_canonical(base) ? base : 0;
}

/* Registers into STATE; returns how the runner is to leave. */
static unsigned int give_registers(struct um_mm *mm, const unsigned long *gp, unsigned int flags)
{
	struct sc_state *state = sc_state(mm);
	unsigned long regs[UM_NR_REGS];
	unsigned int resume = 0;

	memcpy(regs, gp, sizeof(regs));
	regs_sanitise(regs);
	mm->stepping = 0;
	if (flags & UM_RUN_STEP && !(regs[UM_EFLAGS] & EFLAGS_TF)) {
		mm->stepping = 1;
		regs[UM_EFLAGS] |= EFLAGS_TF;
	}
	if (memcmp(mm->seg, &regs[UM_FS_BASE], sizeof(mm->seg))) {
		memcpy(mm->seg, &regs[UM_FS_BASE], sizeof(mm->seg));
		regs[UM_FS_BASE] = usable_base(regs[UM_FS_BASE]);
		regs[UM_GS_BASE] = usable_base(regs[UM_GS_BASE]);
		resume |= RESUME_SEGMENTS;
	}
	if (regs[UM_EFLAGS] & (EFLAGS_TF | EFLAGS_RF) || regs[UM_CS] != USER_CS) {
		state->iret[0] = regs[UM_RIP];
		state->iret[1] = regs[UM_CS];
		state->iret[2] = regs[UM_EFLAGS];
		state->iret[3] = regs[UM_RSP];
		state->iret[4] = regs[UM_SS];
		resume |= RESUME_IRET;
	}
	memcpy(state->gp, regs, sizeof(regs));
	if (mm->fp_addr) {
		state->fp = mm->fp_addr;
		resume |= RESUME_XRSTOR;
	}
	mm->fp_given = mm->fp_addr;
	return resume;
}

static void let_go(struct um_mm *mm)
{
	unsigned int old = __atomic_exchange_n(&sc_state(mm)->turn, TURN_RUN, __ATOMIC_SEQ_CST);

	if (old >= TURN_RSLEEP)
		futex_wake(&sc_state(mm)->turn);
}

static int sc_resume(struct um_mm *mm, unsigned long *gp, unsigned int flags)
{
	struct sc_state *state = sc_state(mm);
	unsigned int resume;

	if (dying)
		reap(0);
	if (spinner && spinner != mm)
		park(spinner);
	mm->kicked = 0;
	mm->failed = 0;
	mm->looks = 0;
	mm->running = 1;
	if (!mm->agent || !mm->runner || !is_canonical(gp[UM_RIP]))
		return 0;	/* wait() will tell */

	resume = give_registers(mm, gp, flags);
	__atomic_store_n(&state->resume, resume, __ATOMIC_RELAXED);
	mm->runner_window = spin_adapt(mm->runner_window, spin_now() - mm->stopped_at);
	__atomic_store_n(&state->spin, spin_allowed() ? spin_pauses(mm->runner_window) : 0,
			 __ATOMIC_RELAXED);
	spinner = mm;
	if (mm->chained) {
		mm->chained = 0;
		__atomic_store_n(&state->turn, TURN_CHAINED, __ATOMIC_SEQ_CST);
		agent_order(mm, sc_cmd(mm)->nr, 1);
		mm->map_error = agent_settle(mm);
		mm->failed = mm->map_error != 0;
	} else {
		let_go(mm);
	}
	return 0;
}

/* Watch for a while, then sleep. -EINTR: something is pending. */
static int wait_for_turn(struct um_mm *mm)
{
	static const struct timespec look = { LOOK_S, 0 };
	unsigned int *word = &sc_state(mm)->turn;
	unsigned int *pending = &host_boot_vcpu.pending;
	unsigned long start = spin_now(), end = start;
	unsigned int window = mm->window;
	long ret;

	if (window && spin_allowed())
		end += spin_ticks(window);
	do {
		if (turn(mm) >= TURN_STOPPED) {
			mm->window = spin_adapt(window, spin_now() - start);
			return 0;
		}
		if (__atomic_load_n(pending, __ATOMIC_RELAXED))
			return -EINTR;
		__builtin_ia32_pause();
	} while (spin_now() < end);

	while (turn(mm) < TURN_STOPPED) {
		turn_step(mm, TURN_RUN, TURN_RUN_KSLEEP);
		ret = host_syscall_pending(&host_boot_vcpu, SYS_futex, (long)word, FUTEX_WAIT,
					   TURN_RUN_KSLEEP, (long)&look, 0, 0);
		if (ret == -EINTR)
			return -EINTR;
		/* Guest code runs for long, or not at all any more. */
		if (ret == -ETIMEDOUT && agent_gone(mm->runner))
			return -ESRCH;
	}
	mm->window = spin_adapt(window, spin_now() - start);
	return 0;
}

/* The order before the guest was to run failed: it has not run. */
static int chain_failed(struct um_mm *mm, struct um_event *event)
{
	if (!mm->failed)
		return 0;
	mm->running = 0;
	if (mm->map_error == -ESRCH) {
		lose(mm);
		event->kind = UM_EV_DEAD;
	} else {
		event->kind = UM_EV_KICKED;
	}
	return 1;
}

static void sc_wait(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	unsigned int flags;
	int ret;

	event->kind = UM_EV_DEAD;
	if (!mm->agent || !mm->runner) {
		lose(mm);
		return;
	}
	if (!is_canonical(gp[UM_RIP])) {
		mm->running = 0;
		event_protection_fault(event, 0);
		return;
	}
	if (chain_failed(mm, event))
		return;
	for (;;) {
		ret = wait_for_turn(mm);
		/* Interrupts keep the sleep short: look now and then. */
		if (ret == -EINTR && !(++mm->looks % LOOK_EVERY) && agent_gone(mm->runner))
			ret = -ESRCH;
		if (ret == -EINTR) {
			event->kind = UM_EV_INTERRUPT;
			return;
		}
		if (ret < 0) {
			lose(mm);
			return;
		}
		mm->stopped_at = spin_now();
		ret = sc_decode(mm, gp, event);
		if (ret < 0) {
			lose(mm);
			event->kind = UM_EV_DEAD;
			return;
		}
		if (ret)
			break;
		/* Nothing: go on, and renew a kick that this may have swallowed. */
		flags = mm->stepping ? UM_RUN_STEP : 0;
		__atomic_store_n(&sc_state(mm)->resume, give_registers(mm, gp, flags),
				 __ATOMIC_RELAXED);
		let_go(mm);
		if (mm->kicked)
			syscall(SYS_tgkill, mm->runner, mm->runner, SIGALRM);
	}
	mm->running = 0;
	mm->kicked = 0;
}

static void sc_kick(struct um_mm *mm)
{
	if (!mm->running || !mm->runner || mm->kicked)
		return;
	mm->kicked = 1;
	syscall(SYS_tgkill, mm->runner, mm->runner, SIGALRM);
}

static void sc_park(void)
{
	if (spinner)
		park(spinner);
}

/* Extended state */

/* Have the runner write its registers to AREA. */
static int save_registers(struct um_mm *mm)
{
	struct sc_state *state = sc_state(mm);

	memset((char *)state + STATE_AREA, 0, host_cpu.fp_size);
	state->fp = AREA;
	__atomic_store_n(&state->resume, RESUME_XSAVE, __ATOMIC_RELAXED);
	let_go(mm);
	while (turn(mm) < TURN_STOPPED) {
		turn_step(mm, TURN_RUN, TURN_RUN_KSLEEP);
		if (futex_wait(&state->turn, TURN_RUN_KSLEEP, 100) == -ETIMEDOUT &&
		    agent_gone(mm->runner)) {
			lose(mm);
			return -ESRCH;
		}
	}
	if (__atomic_load_n(&state->kind, __ATOMIC_RELAXED) == KIND_AGAIN)
		mm->fp_addr = shared_again(mm);
	else
		mm->fp_addr = AREA;
	return mm->fp_addr ? 0 : -ESRCH;
}

static int sc_fp_get(struct um_mm *mm, void *buf)
{
	const void *image;
	int err;

	if (!mm->agent || !mm->runner)
		return -ESRCH;
	if (!mm->fp_addr) {
		err = save_registers(mm);
		if (err)
			return err;
	}
	image = shared_fp(mm, mm->fp_addr);
	if (!image)
		return -ESRCH;
	memcpy(buf, image, host_cpu.fp_size);
	xstate_normalise(buf);
	return 0;
}

static int sc_fp_set(struct um_mm *mm, const void *buf)
{
	if (!mm->agent || !mm->runner)
		return -ESRCH;
	if (!xstate_valid(buf))
		return -EINVAL;
	memcpy((char *)sc_state(mm) + STATE_AREA, buf, host_cpu.fp_size);
	mm->fp_addr = AREA;
	return 0;
}

/* Start and end */

/* Leave no process behind, not even for the blink until the host does it. */
static void sc_exit(void)
{
	nursery_stop();
	for (unsigned int i = 1; i < mm_used; i++) {
		if (mm_table[i].agent)
			kill(mm_table[i].agent, SIGKILL);
		if (mm_table[i].runner)
			kill(mm_table[i].runner, SIGKILL);
	}
	for (unsigned int i = 1; i < mm_used; i++)
		stub_kill(&mm_table[i]);
}

static struct host_exit_node exit_node = { .fn = sc_exit };

static int prepare_memory(void)
{
	unsigned long size;
	void *control, *table;
	int fd;

	sc_info.state_size = PAGE_UP(STATE_AREA + host_cpu.fp_size);
	sc_info.stack_size = PAGE_UP(FRAMES * host_cpu.minsigstksz);
	if (sc_info.stack_size < STACK_MIN)
		sc_info.stack_size = STACK_MIN;
	if (sc_info.state_size > SC_STATE_MAX || sc_info.stack_size > SC_STACK_MAX)
		return -E2BIG;
	sc_info.slot_size = 2 * UM_PAGE_SIZE + sc_info.state_size + sc_info.stack_size;
	sc_info.pid = getpid();
	sc_info.memory_fd = host_memory_fd();

	size = MM_MAX * sc_info.slot_size;
	fd = memfd_create("uml-control", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, size))
		return -errno;
	control = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	table = mmap(NULL, MM_MAX * sizeof(*mm_table), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (control == MAP_FAILED || table == MAP_FAILED)
		return -errno;
	madvise(control, size, MADV_DONTDUMP);
	sc_info.control = control;
	sc_info.control_fd = fd;
	mm_table = table;
	return nursery_init();
}

/* A first address space: does everything work? */
static int probe(void)
{
	struct um_mm *mm;
	int err = sc_mm_create(&mm);

	if (err)
		return err;
	sc_clock_probe(mm);
	sc_mm_destroy(mm);
	return 0;
}

static int sc_init(const char **why)
{
	int err;

	*why = "the host lacks FSGSBASE (kernel 5.9 and a CPU of the last ten years)";
	if (!(host_cpu.hwcap2 & HWCAP2_FSGSBASE))
		return -EOPNOTSUPP;
	*why = "the CPU lacks XSAVE";
	err = xstate_init();
	if (err)
		return err;
	/* An ignored SIGCHLD would make stubs vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	spin_init();
	*why = "cannot set up memory for guest processes";
	err = prepare_memory();
	if (err)
		return err;
	err = nursery_start();
	if (!err)
		err = probe();
	if (err == -EINVAL || err == -ENOSYS)
		*why = "the host kernel has no seccomp filters";
	else if (err == -EPERM || err == -EACCES)
		*why = "the host doesn't allow seccomp filters here";
	else
		*why = "cannot start a guest process";
	if (err)
		nursery_stop();
	else
		host_at_exit(&exit_node);
	return err;
}

const struct um_backend seccomp_backend = {
	.name = "seccomp",
	.eager = 1,
	.init = sc_init,
	.mm_create = sc_mm_create,
	.mm_destroy = sc_mm_destroy,
	.map = sc_map,
	.resume = sc_resume,
	.wait = sc_wait,
	.kick = sc_kick,
	.park = sc_park,
	.fp_get = sc_fp_get,
	.fp_set = sc_fp_set,
	.debugreg_get = sc_debugreg_get,
	.debugreg_set = sc_debugreg_set,
};
