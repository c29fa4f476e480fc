// SPDX-License-Identifier: GPL-2.0
/*
 * The tracer's primitives: making a stub execute its own code.
 *
 * A stopped stub is a machine that executes what its registers say. A run of
 * the stub's own code sets all registers, lets go with PTRACE_CONT (so that
 * system calls are real), and ends at an int3 which is recognised by its
 * address. Guest code never runs in between, and the guest's registers need no
 * restoring, because every resume of the guest loads all of them.
 *
 * Extended state is not touched by the stub's code.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

/* The host refuses segment bases from here on, the stub's code can set them. */
#define BASE_MAX		0x7ffffffff000UL
#define HWCAP2_FSGSBASE		2

long trace_ptrace(long request, int pid, unsigned long addr, unsigned long data)
{
	long ret = syscall(SYS_ptrace, request, pid, addr, data);

	return ret < 0 ? -errno : ret;
}

int trace_gone(struct um_mm *mm)
{
	mm->pid = 0;
	mm->mode = 0;
	return -ESRCH;
}

int trace_kill(struct um_mm *mm)
{
	int stop;

	if (mm->pid) {
		kill(mm->pid, SIGKILL);
		while (!trace_wait(mm, &stop))
			;
	}
	return -ESRCH;
}

int trace_wait(struct um_mm *mm, int *stop)
{
	int status, ret;

	if (!mm->pid)
		return -ESRCH;
	do {
		ret = wait4(mm->pid, &status, __WALL, NULL);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0 || !WIFSTOPPED(status))
		return trace_gone(mm);
	*stop = status >> 8;
	return 0;
}

/* Does this stop mean that the stub's own code is broken? */
static int is_fault(int pid, int stop)
{
	siginfo_t info;

	switch (stop) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGSYS:
		/* Only the host kernel makes positive codes. */
		return !trace_ptrace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info) &&
		       info.si_code > 0;
	}
	return 0;
}

int trace_finish(struct um_mm *mm, unsigned long *regs, unsigned long end)
{
	unsigned long now[UM_NR_REGS];
	int stop, err;

	if (!regs)
		regs = now;
	for (;;) {
		err = trace_wait(mm, &stop);
		if (err)
			return err;
		if (stop == SIGTRAP) {
			if (!trace_ptrace(PTRACE_GETREGS, mm->pid, 0, (unsigned long)regs) &&
			    regs[UM_RIP] == end + 1)
				return 0;
		} else if (is_fault(mm->pid, stop)) {
			return trace_kill(mm);
		}
		/* If this fails, the stub is dying, and the wait says so. */
		trace_ptrace(PTRACE_CONT, mm->pid, 0, 0);
	}
}

int trace_run(struct um_mm *mm, unsigned long *regs, unsigned long end)
{
	long err = trace_ptrace(PTRACE_SETREGS, mm->pid, 0, (unsigned long)regs);

	if (err)
		return trace_kill(mm);
	trace_ptrace(PTRACE_CONT, mm->pid, 0, 0);
	return trace_finish(mm, regs, end);
}

void trace_start_regs(unsigned long *regs, unsigned long ip)
{
	memset(regs, 0, UM_NR_REGS * sizeof(*regs));
	regs[UM_RIP] = ip;
	regs[UM_CS] = USER_CS;
	regs[UM_SS] = USER_DS;
	regs[UM_EFLAGS] = EFLAGS_START;
	regs[UM_ORIG_RAX] = -1UL;
}

long trace_call(struct um_mm *mm, long nr, unsigned long a1, unsigned long a2,
		unsigned long a3, unsigned long a4, unsigned long a5, unsigned long a6)
{
	unsigned long regs[UM_NR_REGS];
	int err;

	trace_start_regs(regs, STUB_ADDR(stub_call));
	regs[UM_RAX] = nr;
	regs[UM_RDI] = a1;
	regs[UM_RSI] = a2;
	regs[UM_RDX] = a3;
	regs[UM_R10] = a4;
	regs[UM_R8] = a5;
	regs[UM_R9] = a6;
	err = trace_run(mm, regs, STUB_ADDR(stub_call_trap));
	return err ? err : (long)regs[UM_RAX];
}

int trace_batch(struct um_mm *mm, unsigned int nr)
{
	unsigned long regs[UM_NR_REGS];
	int err;

	trace_start_regs(regs, STUB_ADDR(stub_batch));
	regs[UM_RBX] = STUB_CMD;
	regs[UM_R12] = STUB_CMD + nr * STUB_OP_SIZE;
	err = trace_run(mm, regs, STUB_ADDR(stub_batch_trap));
	if (err)
		return err;
	return regs[UM_RBX] == regs[UM_R12] ? 0 : (int)regs[UM_RAX];
}

/*
 * A guest may have loaded a kernel address into a segment base by wrfsbase.
 * PTRACE_SETREGS refuses to set it again: let the stub do it, then load the
 * registers before the bases a second time.
 */
static int load_wild_bases(struct um_mm *mm, unsigned long *regs,
			   unsigned long fs, unsigned long gs)
{
	unsigned long bases[UM_NR_REGS];
	struct iovec iov = { regs, UM_FS_BASE * sizeof(*regs) };
	int err;

	memcpy(bases, regs, sizeof(bases));
	bases[UM_RIP] = STUB_ADDR(stub_bases);
	bases[UM_CS] = USER_CS;
	bases[UM_EFLAGS] = EFLAGS_START;
	bases[UM_RAX] = fs;
	bases[UM_RDX] = gs;
	err = trace_run(mm, bases, STUB_ADDR(stub_bases_trap));
	if (err)
		return err;
	return trace_ptrace(PTRACE_SETREGSET, mm->pid, NT_PRSTATUS, (unsigned long)&iov);
}

int trace_load(struct um_mm *mm, const unsigned long *gp)
{
	unsigned long regs[UM_NR_REGS];
	unsigned long fs = gp[UM_FS_BASE], gs = gp[UM_GS_BASE];
	int wild = fs >= BASE_MAX || gs >= BASE_MAX;
	int err;

	memcpy(regs, gp, sizeof(regs));
	regs_sanitise(regs);
	/* The host must not restart a system call of its own. */
	regs[UM_ORIG_RAX] = -1UL;
	if (wild) {
		if (!(host_cpu.hwcap2 & HWCAP2_FSGSBASE) || !is_canonical(fs))
			fs = fs < BASE_MAX ? fs : 0;
		if (!(host_cpu.hwcap2 & HWCAP2_FSGSBASE) || !is_canonical(gs))
			gs = gs < BASE_MAX ? gs : 0;
		regs[UM_FS_BASE] = fs < BASE_MAX ? fs : 0;
		regs[UM_GS_BASE] = gs < BASE_MAX ? gs : 0;
		wild = fs >= BASE_MAX || gs >= BASE_MAX;
	}
	err = trace_ptrace(PTRACE_SETREGS, mm->pid, 0, (unsigned long)regs);
	if (!err && wild)
		err = load_wild_bases(mm, regs, fs, gs);
	return err;
}
