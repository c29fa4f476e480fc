/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the seccomp backend: its state, and the layers its files offer
 * each other, lowest first. All functions run on the vCPU thread; errors are
 * negative errno values. -ESRCH means that a host process of the address space
 * is gone.
 */
#ifndef __SECCOMP_H
#define __SECCOMP_H

#include <stddef.h>
#include <host/costs.h>
#include <host/usermode.h>
#include "../../spin.h"
#include "layout.h"

/**
 * struct sc_op - one host system call the agent or a new runner is to make
 * @nr: number
 * @arg: arguments
 */
struct sc_op {
	long nr;
	unsigned long arg[6];
};

/**
 * struct sc_cmd - orders; the kernel process writes, the stub can only read
 * @seq: number of the order; changing it gives the order. Futex of the agent.
 * @nr: operations
 * @chain: let the guest run when done
 * @kernel_pid: who must be the parent
 * @runner_nr: operations of a new runner
 * @child: control file offset of the slot for an agent made by this one
 * @runner_ops: what a new runner does first
 * @data: what operations point to
 * @ops: the operations
 */
struct sc_cmd {
	unsigned int seq;
	unsigned int nr;
	unsigned int chain;
	int kernel_pid;
	unsigned int runner_nr;
	unsigned long child;
	struct sc_op runner_ops[SC_RUNNER_OPS];
	char pad[CMD_DATA - CMD_RUNNER_OPS - SC_RUNNER_OPS * OP_SIZE];
	char data[CMD_OPS - CMD_DATA];
	struct sc_op ops[SC_OPS_MAX];
};

_Static_assert(sizeof(struct sc_op) == OP_SIZE, "op");
_Static_assert(offsetof(struct sc_cmd, chain) == CMD_CHAIN, "cmd");
_Static_assert(offsetof(struct sc_cmd, kernel_pid) == CMD_KERNEL_PID, "cmd");
_Static_assert(offsetof(struct sc_cmd, runner_nr) == CMD_RUNNER_NR, "cmd");
_Static_assert(offsetof(struct sc_cmd, child) == CMD_CHILD, "cmd");
_Static_assert(offsetof(struct sc_cmd, runner_ops) == CMD_RUNNER_OPS, "cmd");
_Static_assert(offsetof(struct sc_cmd, data) == CMD_DATA, "cmd");
_Static_assert(offsetof(struct sc_cmd, ops) == CMD_OPS, "cmd");
_Static_assert(sizeof(struct sc_cmd) <= UM_PAGE_SIZE, "cmd");

/** struct sc_ack - the agent's answer, which guest code can't forge */
struct sc_ack {
	unsigned int seq;
	unsigned int error;
};

/**
 * struct sc_state - the runner's page
 *
 * Hostile: guest code can write it at any time, also while it claims to be
 * stopped. Read fields once, through shared.c.
 */
struct sc_state {
	unsigned int turn;
	unsigned int spin;
	unsigned int kind;
	unsigned int resume;
	unsigned long frame;
	unsigned long info;
	unsigned int signo;
	int pid;
	unsigned long fp;
	unsigned int slot;
	unsigned int pad[3];
	unsigned long iret[5];
	unsigned long pad2[3];
	unsigned long gp[UM_NR_REGS];
};

_Static_assert(offsetof(struct sc_state, turn) == STATE_TURN, "state");
_Static_assert(offsetof(struct sc_state, spin) == STATE_SPIN, "state");
_Static_assert(offsetof(struct sc_state, kind) == STATE_KIND, "state");
_Static_assert(offsetof(struct sc_state, resume) == STATE_RESUME, "state");
_Static_assert(offsetof(struct sc_state, frame) == STATE_FRAME, "state");
_Static_assert(offsetof(struct sc_state, info) == STATE_INFO, "state");
_Static_assert(offsetof(struct sc_state, signo) == STATE_SIGNO, "state");
_Static_assert(offsetof(struct sc_state, pid) == STATE_PID, "state");
_Static_assert(offsetof(struct sc_state, fp) == STATE_FP, "state");
_Static_assert(offsetof(struct sc_state, slot) == STATE_SLOT, "state");
_Static_assert(offsetof(struct sc_state, iret) == STATE_IRET, "state");
_Static_assert(offsetof(struct sc_state, gp) == STATE_GP, "state");
_Static_assert(sizeof(struct sc_state) <= STATE_AREA, "state");

#define MOVED_MAX	16

/** struct sc_moved - who is to continue at @ip continues at @to */
struct sc_moved {
	unsigned long ip;
	unsigned long to;
};

/**
 * struct um_mm - one guest address space
 * @agent: pid of the agent, 0 when it is gone and reaped
 * @runner: pid of the runner, likewise
 * @slot: which part of the control memory is its
 * @seq: number of the last order
 * @running: guest code was let go and has not been seen to stop
 * @chained: the last order lets it go
 * @kicked: a kick was asked for and has not been reported
 * @stepping: the trap flag is ours, not the guest's
 * @failed: the last resume did not happen, because its order failed
 * @map_error: error of an order that map() did not wait for
 * @looks: interrupts since the guest was let go, see wait()
 * @watched: how often the runner was seen to run instead of answering
 * @watch_at: time stamp of the last look at that
 * @watch_cpu: CPU time of the runner then, ns
 * @idle_since: @stopped_at at the last look of watch_stopped()
 * @idle_at: time stamp of that look
 * @idle_cpu: CPU time of the runner then, ns
 * @idle_busy: how often in a row it was found to run
 * @busy: it was found to run
 * @agent_cpu: 1 + the CPU the agent has been moved to, negative if to all others, 0
 *	for all
 * @runner_cpu: the same for the runner
 * @score: what speaks for a far runner, see place.c
 * @far: both sides may watch for their turn
 * @fp_addr: where in the stub the extended state is, 0 for in the registers
 * @fp_given: @fp_addr at the time of the last resume
 * @window: how long a stop of this runner is waited for by spinning, ns
 * @runner_window: how long the runner may spin, ns
 * @resumed_at: time stamp of the last resume, or from when it is waited for now
 * @stopped_at: time stamp of the last stop
 * @seg: selectors and bases in the runner: fs and gs base, ds, es, fs, gs
 * @nr_patches: slots of the table below this number are in use
 * @serialise: patches were made since the guest last ran
 * @table_lost: something else is mapped where the table was
 * @moved: where instructions were moved, by a hash of their address
 * @again: only the runner is dying, the rest is for the pool
 * @next: free list, list of dying ones, or the pool's
 */
struct um_mm {
	int agent;
	int runner;
	unsigned int slot;
	unsigned int seq;
	unsigned char running;
	unsigned char chained;
	unsigned char kicked;
	unsigned char stepping;
	unsigned char failed;
	int map_error;
	unsigned int looks;
	unsigned int watched;
	unsigned long watch_at;
	unsigned long watch_cpu;
	unsigned long idle_since;
	unsigned long idle_at;
	unsigned long idle_cpu;
	unsigned int idle_busy;
	unsigned char busy;
	int agent_cpu;
	int runner_cpu;
	int score;
	unsigned char far;
	unsigned long fp_addr;
	unsigned long fp_given;
	unsigned int window;
	unsigned int runner_window;
	unsigned long resumed_at;
	unsigned long stopped_at;
	unsigned long seg[6];
	unsigned int nr_patches;
	unsigned char serialise;
	unsigned char table_lost;
	struct sc_moved moved[MOVED_MAX];
	unsigned char again;
	struct um_mm *next;
};

/* What is the same for all address spaces; filled at start. */
struct sc_info {
	unsigned long state_size;	/* bytes at SC_STATE */
	unsigned long stack_size;	/* bytes at SC_STACK */
	unsigned long slot_size;
	char *control;			/* the control memory */
	int control_fd;
	int memory_fd;
	unsigned long vdso;
	int pid;			/* ours */
};

extern struct sc_info sc_info;

/* The image in the kernel process (stub.S), and places in it. */
extern const char sc_image[], sc_image_end[], sc_restorer[];
extern const char runner_syscall[], runner_signal[];

/* The address in the stub of a place in the image. */
#define SC_ADDR(label)	(SC_CODE + (unsigned long)((label) - sc_image))

static inline struct sc_cmd *sc_cmd(const struct um_mm *mm)
{
	return (struct sc_cmd *)(sc_info.control + mm->slot * sc_info.slot_size);
}

static inline struct sc_ack *sc_ack(const struct um_mm *mm)
{
	return (struct sc_ack *)((char *)sc_cmd(mm) + UM_PAGE_SIZE);
}

static inline struct sc_state *sc_state(const struct um_mm *mm)
{
	return (struct sc_state *)((char *)sc_cmd(mm) + 2 * UM_PAGE_SIZE);
}

static inline unsigned int turn(const struct um_mm *mm)
{
	return __atomic_load_n(&sc_state(mm)->turn, __ATOMIC_ACQUIRE);
}

/* One step of the turn word, if it is at @from. */
static inline int turn_step(struct um_mm *mm, unsigned int from, unsigned int to)
{
	return __atomic_compare_exchange_n(&sc_state(mm)->turn, &from, to, 0,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* spin.c; the rest is in spin.h */

/** spin_possible() - whether there are two CPUs for us */
int spin_possible(void);

/* The futexes for those who spin first. */
void futex_wake(unsigned int *word);
/* Sleeps at most for the given time, through signals; 0, or a negative errno value. */
int futex_wait(unsigned int *word, unsigned int value, unsigned int ms);

/* watch.c: whether who is waited for will answer */

/* After how long somebody looks, where nothing else says. */
#define LOOK_MS		100

/**
 * process_gone() - has an agent or runner ended?
 *
 * It is not reaped. One that somebody has stopped continues.
 */
int process_gone(int pid);

/** watch_start() - from now on the runner must answer */
void watch_start(struct um_mm *mm);

/**
 * watch_again() - it has not answered yet
 *
 * Returns 0 (looked at a moment ago), 1 (give it more time), or -ESRCH (it runs
 * and doesn't answer).
 */
int watch_again(struct um_mm *mm);

/** watch_stopped() - a runner that is not to run: 0, or -ESRCH (it runs on) */
int watch_stopped(struct um_mm *mm);

/* place.c: which CPU agents and runners are on */

/** place_agent() - to our CPU: we are about to wait for it */
void place_agent(struct um_mm *mm);

/** place_agent_aside() - nobody is about to wait for it, nor for the runner it makes */
void place_agent_aside(struct um_mm *mm);

/** place_new_runner() - to our CPU: we are about to wait until it is ready */
void place_new_runner(struct um_mm *mm);

/**
 * place_runner() - decide where the runner's next turn is to be
 * @mm: whose, about to be resumed
 * @now: spin_now()
 */
void place_runner(struct um_mm *mm, unsigned long now);

/** place_changed() - an order is to remove or change mappings */
void place_changed(struct um_mm *mm);

/** place_interrupted() - the runner's turn is a long one, see @looks */
void place_interrupted(struct um_mm *mm);

/** place_float() - the runner may go where it likes */
void place_float(struct um_mm *mm);

/* agent.c: orders to agents */

/**
 * agent_order() - give the order that is in mm's CMD page
 * @mm: whose agent
 * @nr: operations
 * @chain: let the guest run afterwards
 *
 * The order before must have been answered: agent_settle().
 */
void agent_order(struct um_mm *mm, unsigned int nr, int chain);

/** agent_wait() - agent_settle(), which is still to be called */
int agent_wait(struct um_mm *mm);

/**
 * agent_settle() - wait until the last order is answered
 *
 * Not interruptible; orders are short. Returns 0, the error of the operation
 * that failed, or -ESRCH.
 */
int agent_settle(struct um_mm *mm);

/**
 * agent_order_aside() - give an order that nobody will wait for soon
 *
 * As agent_order(), but it needn't be done on our CPU.
 */
void agent_order_aside(struct um_mm *mm, unsigned int nr);

/** agent_answered() - whether agent_settle() would return at once */
int agent_answered(struct um_mm *mm);

/** agent_batch() - agent_order() and agent_settle(), without chain */
int agent_batch(struct um_mm *mm, unsigned int nr);

/* filter.c */
struct sock_filter;
#define FILTER_MAX	320
/* Both fill @prog, at most FILTER_MAX, and return the length. */
unsigned int filter_agent(struct sock_filter *prog);
unsigned int filter_runner(struct sock_filter *prog);

/* nursery.c: making and ending stubs */
int nursery_init(void);
int nursery_start(void);
int nursery_begin(struct um_mm *mm);
void nursery_again(struct um_mm *mm);
int nursery_poll(struct um_mm *mm);
int nursery_finish(struct um_mm *mm);
int nursery_make(struct um_mm *mm);
void nursery_stop(void);
extern struct um_mm nursery;

/** stub_kill() - kill both processes of a stub and reap them */
void stub_kill(struct um_mm *mm);

/* table.c: address spaces */

/* At once. */
#define MM_MAX		32768

int table_init(void);
void table_reap(unsigned long now);

/** table_watch() - now and then, end those who run when they should not */
void table_watch(unsigned long now);
void table_kill(void);
int sc_mm_create(struct um_mm **result);
void sc_mm_destroy(struct um_mm *mm);
void sc_abandon(struct um_mm *mm);

/** table_new() - an entry without processes, or NULL */
struct um_mm *table_new(void);

/** table_drop() - give back an entry whose processes are gone */
void table_drop(struct um_mm *mm);

/* pool.c: stubs that are ready before somebody needs them */

/** pool_clear() - what guest code has left in an entry's pages */
void pool_clear(struct um_mm *mm);

/** pool_wanted() - whether there is room for one more than @coming */
int pool_wanted(unsigned int coming);

/**
 * pool_add() - a stub is no longer needed
 *
 * Its address space is empty, and its runner dead and reaped.
 */
void pool_add(struct um_mm *mm);

/** pool_take() - a stub that is ready, or NULL */
struct um_mm *pool_take(void);

/** pool_settle() - know all processes of the pool */
void pool_settle(void);

/** pool_fill() - start to make one, if there is none or they are used up too fast */
void pool_fill(void);

/* map.c */
int sc_map(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr);

/** map_settle() - do what map() has left to be done on the way; its error, or 0 */
int map_settle(struct um_mm *mm);

/* run.c: turns */

/** run_park() - its runner would take the CPU that others need: it may not spin */
void run_park(struct um_mm *mm);
void run_forget(struct um_mm *mm);

/** run_let_go() - it is the runner's turn */
void run_let_go(struct um_mm *mm);

/** run_send_kick() - have it stop; one that waits for its turn ignores it */
void run_send_kick(struct um_mm *mm);

int sc_resume(struct um_mm *mm, unsigned long *gp, unsigned int flags);
void sc_wait(struct um_mm *mm, unsigned long *gp, struct um_event *event);
void sc_kick(struct um_mm *mm);
void sc_park(void);

/* fp.c */
int sc_fp_get(struct um_mm *mm, void *buf);
int sc_fp_set(struct um_mm *mm, const void *buf);

/* shared.c: reading what the runner published */

/**
 * struct sc_frame - a copy of what matters of a signal frame
 */
struct sc_frame {
	int signo;
	int code;
	unsigned long addr;
	int call_nr;
	unsigned int arch;
	unsigned long trapno;
	unsigned long error_code;
	unsigned long cr2;
	unsigned long fpstate;
};

int shared_frame(struct um_mm *mm, unsigned long *gp, struct sc_frame *frame);
void shared_syscall(struct um_mm *mm, unsigned long *gp);
unsigned long shared_again(struct um_mm *mm);
void *shared_fp(struct um_mm *mm, unsigned long addr);

/* patch.c */
void sc_patch(struct um_mm *mm, unsigned int slot, const struct um_patch *patch);

/** patch_clear() - forget all: the slot of the control memory is reused */
void patch_clear(struct um_mm *mm);

/**
 * patch_leave() - stopped in a trampoline: be at the system call instead
 * @mm: whose
 * @gp: registers; rip is in SC_PATCH
 *
 * Returns 0, or -EFAULT if there is no trampoline.
 */
int patch_leave(struct um_mm *mm, unsigned long *gp);

/**
 * patch_called() - a patched call was made
 * @mm: whose
 * @slot: by which slot, if the guest is to be believed
 * @ret: where it returns to
 */
void patch_called(struct um_mm *mm, unsigned int slot, unsigned long ret);

/** patch_resume() - where to resume who is to continue at @ip */
unsigned long patch_resume(struct um_mm *mm, unsigned long ip);

/** patch_forget() - what is mapped there changes */
void patch_forget(struct um_mm *mm, unsigned long start, unsigned long end);

/* xstate.c */
int xstate_init(void);
void xstate_normalise(void *buf);
int xstate_valid(const void *buf);

/* decode.c */
int sc_decode(struct um_mm *mm, unsigned long *gp, struct um_event *event);

/* debugreg.c */
int sc_debugreg_get(struct um_mm *mm, int n, unsigned long *value);
int sc_debugreg_set(struct um_mm *mm, int n, unsigned long value);

/* clock.c */
void sc_clock_probe(struct um_mm *mm);

/* seccomp.c */
extern const struct um_backend seccomp_backend;

#endif
