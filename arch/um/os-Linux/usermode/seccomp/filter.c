// SPDX-License-Identifier: GPL-2.0
/*
 * Seccomp filters of agent and runner.
 *
 * A system call is allowed if the instruction, the number, and what matters of
 * the arguments are on the list; all else traps. Trapping and not killing,
 * because that is how guest code's system calls are served, and an agent's
 * filter also binds the runners it clones later.
 *
 * The order is fixed: the agent's filter is installed by the first agent and
 * inherited by all; it must therefore allow what new agents and new runners do
 * at start. A runner installs its own as its last start-up call.
 *
 * The agent executes only orders from a page nobody in its address space can
 * write. That its calls are checked again here costs little and contains
 * mistakes.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "seccomp.h"

extern const char agent_map_insn_end[], agent_deathsig_insn_end[], agent_getppid_insn_end[];
extern const char agent_wait_insn_end[], agent_call_insn_end[], agent_wake_runner_insn_end[];
extern const char agent_ack_insn_end[], agent_wake_kernel_insn_end[];
extern const char agent_error_insn_end[], agent_exit_insn_end[];
extern const char runner_deathsig_insn_end[], runner_getppid_insn_end[];
extern const char runner_call_insn_end[], runner_exit_insn_end[];
extern const char runner_wake_insn_end[], runner_wait_insn_end[];

/* A program under construction. */
struct builder {
	struct sock_filter *prog;
	unsigned int len;
};

static void emit(struct builder *b, struct sock_filter insn)
{
	if (b->len < FILTER_MAX)
		b->prog[b->len] = insn;
	b->len++;
}

static void load(struct builder *b, unsigned int offset)
{
	emit(b, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void ret(struct builder *b, unsigned int value)
{
	emit(b, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* Go on if the loaded value is this one, else trap. */
static void require(struct builder *b, unsigned int value)
{
	emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
	ret(b, SECCOMP_RET_TRAP);
}

static void require_arg(struct builder *b, int n, unsigned long value)
{
	unsigned int offset = offsetof(struct seccomp_data, args) + n * 8;

	load(b, offset + 4);
	require(b, value >> 32);
	load(b, offset);
	require(b, value);
}

static void prologue(struct builder *b)
{
	load(b, offsetof(struct seccomp_data, arch));
	require(b, AUDIT_ARCH_X86_64);
	load(b, offsetof(struct seccomp_data, instruction_pointer) + 4);
	require(b, SC_CODE >> 32);
}

/*
 * What follows is about one instruction: returns the place of the jump, which
 * at_end() completes.
 */
static unsigned int at_insn(struct builder *b, const char *insn_end)
{
	load(b, offsetof(struct seccomp_data, instruction_pointer));
	emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					     (unsigned int)SC_ADDR(insn_end), 0, 0));
	return b->len;
}

static void at_end(struct builder *b, unsigned int start)
{
	b->prog[start - 1].jf = b->len - start;
}

static void number(struct builder *b, int nr)
{
	load(b, offsetof(struct seccomp_data, nr));
	require(b, nr);
}

/* Allow one call without a look at its arguments. */
static void allow(struct builder *b, const char *insn_end, int nr)
{
	unsigned int start = at_insn(b, insn_end);

	number(b, nr);
	ret(b, SECCOMP_RET_ALLOW);
	at_end(b, start);
}

static void allow_futex(struct builder *b, const char *insn_end, unsigned long word, int op)
{
	unsigned int start = at_insn(b, insn_end);

	number(b, SYS_futex);
	require_arg(b, 0, word);
	require_arg(b, 1, op);
	if (op == FUTEX_WAIT)
		require_arg(b, 3, 0);
	ret(b, SECCOMP_RET_ALLOW);
	at_end(b, start);
}

static void allow_pwrite(struct builder *b, const char *insn_end)
{
	unsigned int start = at_insn(b, insn_end);

	number(b, SYS_pwrite64);
	require_arg(b, 0, SC_FD_CONTROL);
	ret(b, SECCOMP_RET_ALLOW);
	at_end(b, start);
}

/* Any of these numbers. */
static void allow_list(struct builder *b, const char *insn_end, const int *nr, unsigned int n)
{
	unsigned int start = at_insn(b, insn_end);

	load(b, offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < n; i++)
		emit(b, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i],
						     n - i, 0));
	ret(b, SECCOMP_RET_TRAP);
	ret(b, SECCOMP_RET_ALLOW);
	at_end(b, start);
}

unsigned int filter_agent(struct sock_filter *prog)
{
	static const int calls[] = {
		SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_clone,
	};
	static const int runner_calls[] = {
		SYS_close_range, SYS_close, SYS_sigaltstack, SYS_rt_sigprocmask, SYS_seccomp,
	};
	struct builder b = { .prog = prog };

	prologue(&b);
	/* In order of frequency: guest system calls match none and pay for all. */
	allow_futex(&b, runner_wait_insn_end, SC_STATE + STATE_TURN, FUTEX_WAIT);
	allow_futex(&b, runner_wake_insn_end, SC_STATE + STATE_TURN, FUTEX_WAKE);
	allow_list(&b, agent_call_insn_end, calls, sizeof(calls) / sizeof(*calls));
	allow_pwrite(&b, agent_ack_insn_end);
	allow_futex(&b, agent_wait_insn_end, SC_CMD + CMD_SEQ, FUTEX_WAIT);
	allow_futex(&b, agent_wake_kernel_insn_end, SC_ACK, FUTEX_WAKE);
	allow_futex(&b, agent_wake_runner_insn_end, SC_STATE + STATE_TURN, FUTEX_WAKE);
	allow_pwrite(&b, agent_error_insn_end);
	allow(&b, agent_map_insn_end, SYS_mmap);
	allow(&b, agent_deathsig_insn_end, SYS_prctl);
	allow(&b, agent_getppid_insn_end, SYS_getppid);
	allow(&b, agent_exit_insn_end, SYS_exit_group);
	allow(&b, runner_deathsig_insn_end, SYS_prctl);
	allow(&b, runner_getppid_insn_end, SYS_getppid);
	allow_list(&b, runner_call_insn_end, runner_calls,
		   sizeof(runner_calls) / sizeof(*runner_calls));
	allow(&b, runner_exit_insn_end, SYS_exit_group);
	ret(&b, SECCOMP_RET_TRAP);
	return b.len;
}

unsigned int filter_runner(struct sock_filter *prog)
{
	struct builder b = { .prog = prog };

	prologue(&b);
	allow_futex(&b, runner_wait_insn_end, SC_STATE + STATE_TURN, FUTEX_WAIT);
	allow_futex(&b, runner_wake_insn_end, SC_STATE + STATE_TURN, FUTEX_WAKE);
	ret(&b, SECCOMP_RET_TRAP);
	return b.len;
}
