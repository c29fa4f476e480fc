// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers of a runner. The only way to them is ptrace, so a runner is
 * attached to for as long as it takes; the host keeps the registers after the
 * detach. Where the host refuses ptrace there are none, and a guest's debugger
 * is told so.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp.h"

static unsigned long offset_of(int n)
{
	return offsetof(struct user, u_debugreg) + n * sizeof(long);
}

static long trace(long request, int pid, unsigned long addr, unsigned long data)
{
	long ret = syscall(SYS_ptrace, request, pid, addr, data);

	return ret < 0 ? -errno : ret;
}

/* Stop the runner; @signo receives the signal that did it if it was not us. */
static int attach(struct um_mm *mm, int *signo)
{
	int status;
	long err;

	if (!mm->runner)
		return -ESRCH;
	err = trace(PTRACE_SEIZE, mm->runner, 0, 0);
	if (err)
		return err == -ESRCH ? -ESRCH : -EIO;
	trace(PTRACE_INTERRUPT, mm->runner, 0, 0);
	while (wait4(mm->runner, &status, __WALL, NULL) < 0)
		if (errno != EINTR)
			return -ESRCH;
	if (!WIFSTOPPED(status)) {
		mm->runner = 0;
		return -ESRCH;
	}
	*signo = status >> 16 ? 0 : WSTOPSIG(status);
	return 0;
}

static void detach(struct um_mm *mm, int signo)
{
	trace(PTRACE_DETACH, mm->runner, 0, signo);
}

int sc_debugreg_get(struct um_mm *mm, int n, unsigned long *value)
{
	int signo;
	long err = attach(mm, &signo);

	if (err)
		return err;
	err = trace(PTRACE_PEEKUSER, mm->runner, offset_of(n), (unsigned long)value);
	detach(mm, signo);
	return err;
}

int sc_debugreg_set(struct um_mm *mm, int n, unsigned long value)
{
	int signo;
	long err;

	/* The stub's own code must not stop. */
	if (n < 4 && value >= UM_STUB_START)
		return -EINVAL;
	err = attach(mm, &signo);
	if (err)
		return err;
	err = trace(PTRACE_POKEUSER, mm->runner, offset_of(n), value);
	detach(mm, signo);
	return err;
}
