// SPDX-License-Identifier: GPL-2.0
/*
 * The zygote: a stub that never runs guest code and is cloned for every new
 * address space.
 *
 * It is an ordinary process after exec, which the tracer turns into a stub by
 * making it execute system calls: move the vDSO, unmap everything else, set up
 * the signal stack and handlers, and give up what it could do. The clones
 * inherit all of that; each only maps its own CMD page and asks to die with
 * us.
 *
 * Guest code can't make system calls because SYSEMU stops at every one. Behind
 * that stands the seccomp filter: it allows system calls only from the stub's
 * code page, so it also catches the vsyscall page.
 *
 * CMD pages come from one control memory file. A window of it is mapped in the
 * kernel process once; pages nobody used cost nothing.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "trace.h"

#define TRACE_OPTIONS	(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK)

/* struct k_sigaction */
#define SA_RESTORER	0x04000000
struct stub_sigaction {
	unsigned long handler, flags, restorer, mask;
};

/* Where set-up puts what system calls point to, in the zygote's CMD page. */
#define DATA_OFFSET	2048

struct stub_setup {
	struct stub_sigaction sa;
	stack_t stack;
	unsigned long mask;
	struct rlimit core;
	struct sock_fprog prog;
	struct sock_filter filter[9];
	char name[16];
};

_Static_assert(DATA_OFFSET + sizeof(struct stub_setup) <= UM_PAGE_SIZE, "setup");
#define SETUP_ADDR(field) (STUB_CMD + DATA_OFFSET + offsetof(struct stub_setup, field))

#define START_TRIES	16
#define READY_WAIT_MS	1
#define READY_TRIES	10000
#define SYNC_SIGNALS	(1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1) | 1UL << (SIGILL - 1) | \
			 1UL << (SIGFPE - 1) | 1UL << (SIGTRAP - 1) | 1UL << (SIGSYS - 1))

struct stub_info stub_info = { .memory_fd = -1, .control_fd = -1 };
struct um_mm zygote;

static unsigned int nr_ops;

/* Batches of set-up operations: add until the page's first half is full. */
static int flush_ops(void)
{
	int err = nr_ops ? trace_batch(&zygote, nr_ops) : 0;

	nr_ops = 0;
	return err;
}

static int add_op(long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		  unsigned long a4, unsigned long a5)
{
	struct stub_op *op = zygote_page(0) + nr_ops++;

	*op = (struct stub_op){ nr, { a1, a2, a3, a4, a5, 0 } };
	return (nr_ops + 1) * STUB_OP_SIZE > DATA_OFFSET ? flush_ops() : 0;
}

/*
 * Attach, and wait until the process executes the stub's code. Normally it
 * does so already.
 */
static int seize(void)
{
	unsigned long regs[UM_NR_REGS];
	struct timespec pause = { 0, READY_WAIT_MS * 1000000 };
	int stop, err;

	err = trace_ptrace(PTRACE_SEIZE, zygote.pid, 0, TRACE_OPTIONS);
	if (err)
		return err;
	for (int i = 0; i < READY_TRIES; i++) {
		trace_ptrace(PTRACE_INTERRUPT, zygote.pid, 0, 0);
		err = trace_wait(&zygote, &stop);
		if (err)
			return err;
		err = trace_ptrace(PTRACE_GETREGS, zygote.pid, 0, (unsigned long)regs);
		if (!err && regs[UM_RIP] - STUB_CODE < UM_PAGE_SIZE)
			return 0;
		trace_ptrace(PTRACE_CONT, zygote.pid, 0, 0);
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

static long space_call(long nr, unsigned long a1, unsigned long a2, unsigned long a3,
		       unsigned long a4, unsigned long a5)
{
	return trace_call(&zygote, nr, a1, a2, a3, a4, a5, 0);
}

static void fill_setup(struct stub_setup *s)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STUB_CODE >> 32, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned int)STUB_CODE, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned int)STUB_CMD, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};

	_Static_assert(sizeof(filter) == sizeof(s->filter), "filter");
	s->sa.handler = cpu_has_xsave() ? STUB_ADDR(stub_fault) : STUB_ADDR(stub_fault_fxsr);
	s->sa.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER;
	/* Never returned to, but the host insists. */
	s->sa.restorer = STUB_ADDR(stub_fault_trap);
	s->sa.mask = 0;
	s->stack = (stack_t){ .ss_sp = (void *)STUB_STACK, .ss_size = stub_info.stack_size };
	s->mask = ~SYNC_SIGNALS;
	/* Zero would not stop a core_pattern that names a program. */
	s->core = (struct rlimit){ 1, 1 };
	memcpy(s->filter, filter, sizeof(filter));
	s->prog.len = sizeof(filter) / sizeof(filter[0]);
	s->prog.filter = (struct sock_filter *)SETUP_ADDR(filter);
	strcpy(s->name, "uml-guest");
}

static int set_up(int last)
{
	static const unsigned long keep[] = { STUB_CODE, STUB_CMD, 0 };
	struct stub_setup *s = (struct stub_setup *)((char *)zygote_page(0) + DATA_OFFSET);
	static const int handled[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };
	long ret;
	int err;

	ret = trace_call(&zygote, SYS_mmap, STUB_CMD, UM_PAGE_SIZE, PROT_READ,
			 MAP_SHARED | MAP_FIXED, STUB_FD_CONTROL, 0);
	if (ret < 0)
		return ret;
	err = space_clear(zygote.pid, keep, STUB_VDSO, &stub_info.vdso, last, space_call);
	if (err)
		return err;
	fill_setup(s);
	ret = trace_call(&zygote, SYS_mmap, STUB_STACK, stub_info.stack_size,
			 PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (ret < 0)
		return ret;
	err = add_op(SYS_sigaltstack, SETUP_ADDR(stack), 0, 0, 0, 0);
	for (int i = 0; i < 4 && !err; i++)
		err = add_op(SYS_rt_sigaction, handled[i], SETUP_ADDR(sa), 0, 8, 0);
	if (!err)
		err = add_op(SYS_rt_sigprocmask, SIG_SETMASK, SETUP_ADDR(mask), 0, 8, 0);
	if (!err)
		err = add_op(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!err)
		err = add_op(SYS_prctl, PR_SET_NAME, SETUP_ADDR(name), 0, 0, 0);
	if (!err)
		err = add_op(SYS_prlimit64, 0, RLIMIT_CORE, SETUP_ADDR(core), 0, 0);
	if (!err)
		err = add_op(SYS_close, STUB_FD_IMAGE, 0, 0, 0, 0);
	if (!err)
		err = add_op(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!err)
		err = flush_ops();
	if (err)
		return err;
	/*
	 * Before 5.16 a filter would switch speculation off, which is slow. A
	 * host that has none lets the guest call its vsyscall page, which
	 * does no harm but tells the host's time.
	 */
	ret = trace_call(&zygote, SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_SPEC_ALLOW, SETUP_ADDR(prog), 0, 0, 0);
	return ret == -ESRCH ? ret : 0;
}

/**
 * zygote_start() - make the zygote
 *
 * Returns 0 or a negative errno value; -EPERM most likely means that the host
 * doesn't allow tracing.
 */
int zygote_start(void)
{
	int err = -ESRCH;

	for (int i = 0; i < START_TRIES && (err == -ESRCH || err == -EAGAIN); i++) {
		nr_ops = 0;
		zygote = (struct um_mm){ 0 };
		err = launch_stub(stub_info.memory_fd, stub_info.control_fd);
		if (err < 0)
			return err;
		zygote.pid = err;
		err = seize();
		if (!err)
			err = set_up(i == START_TRIES - 1);
		if (err)
			trace_kill(&zygote);
	}
	return err;
}

void zygote_stop(void)
{
	trace_kill(&zygote);
}

/* Let the zygote clone itself. Returns the child's pid. */
static int clone_zygote(void)
{
	unsigned long regs[UM_NR_REGS], pid;
	int stop, err;

	if (!zygote.pid) {
		err = zygote_start();
		if (err)
			return err;
	}
	if (zygote.settling) {
		zygote.settling = 0;
		err = trace_finish(&zygote, NULL, STUB_ADDR(stub_call_trap));
		if (err)
			return err;
	}
	trace_start_regs(regs, STUB_ADDR(stub_call));
	regs[UM_RAX] = SYS_clone;
	regs[UM_RDI] = CLONE_PARENT | SIGCHLD;
	if (trace_ptrace(PTRACE_SETREGS, zygote.pid, 0, (unsigned long)regs))
		return trace_kill(&zygote);
	for (;;) {
		trace_ptrace(PTRACE_CONT, zygote.pid, 0, 0);
		err = trace_wait(&zygote, &stop);
		if (err)
			return err;
		if (stop == STUB_STOP_FORK)
			break;
		/* A clone that failed goes straight to the int3. */
		if (stop == SIGTRAP &&
		    !trace_ptrace(PTRACE_GETREGS, zygote.pid, 0, (unsigned long)regs) &&
		    regs[UM_RIP] == STUB_ADDR(stub_call_trap) + 1)
			return (int)regs[UM_RAX];
	}
	if (trace_ptrace(PTRACE_GETEVENTMSG, zygote.pid, 0, (unsigned long)&pid))
		return trace_kill(&zygote);
	trace_ptrace(PTRACE_CONT, zygote.pid, 0, 0);
	zygote.settling = 1;
	return (int)pid;
}

/**
 * zygote_fork() - make a stub
 * @mm: receives the process; its slot is set
 *
 * A zygote that was killed is replaced. Returns 0 or a negative errno value.
 */
int zygote_fork(struct um_mm *mm)
{
	struct stub_op *op = zygote_page(0);
	int pid, stop, err;

	pid = clone_zygote();
	if (pid == -ESRCH)
		pid = clone_zygote();
	if (pid < 0)
		return pid == -ESRCH ? -EAGAIN : pid;
	mm->pid = pid;
	err = trace_wait(mm, &stop);
	if (!err) {
		op[0] = (struct stub_op){ SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL } };
		op[1] = (struct stub_op){ SYS_mmap, {
			STUB_CMD, UM_PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED,
			STUB_FD_CONTROL, mm->slot * UM_PAGE_SIZE } };
		err = trace_batch(mm, 2);
	}
	if (err) {
		trace_kill(mm);
		return err == -ESRCH ? -EAGAIN : err;
	}
	return 0;
}
