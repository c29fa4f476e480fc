// SPDX-License-Identifier: GPL-2.0
/*
 * Whether those who are waited for will ever answer.
 *
 * Somebody may kill a host process, which is noticed by looking; or stop it,
 * which is undone. Guest code may arrange for its stub to take signals and do
 * nothing about them. How long an honest runner takes to answer a kick depends
 * on how busy the host is, but not how often it runs before it has: hardly ever
 * more than once. So it is counted how often a runner was found to have used
 * CPU time since the last look, and who has too often is lost.
 *
 * Who has said that it stopped, and goes on, can't do harm by that but take CPU
 * time that nobody gave it. Now and then those who don't run are looked at; who
 * has used a good part of the time since is lost as well. An honest one watches
 * its turn for a moment and answers signals from outside.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "seccomp.h"

#define WATCH_NS	1000000		/* between two looks, at least */
#define WATCH_MAX	25
#define STOPPED_NS	2000000		/* CPU time that is worth a second look */
#define STOPPED_SHARE	4		/* or of the time that passed, one in so many */
#define STOPPED_MAX	3

int process_gone(int pid)
{
	siginfo_t info = { 0 };

	if (!pid)
		return 1;
	if (waitid(P_PID, pid, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT))
		return errno != EINTR;
	if (info.si_pid != pid)
		return 0;
	if (info.si_code != CLD_STOPPED && info.si_code != CLD_TRAPPED)
		return 1;
	kill(pid, SIGCONT);
	return 0;
}

static unsigned long runner_cpu_ns(struct um_mm *mm)
{
	clockid_t clock = ~(clockid_t)mm->runner << 3 | 2;	/* its process's CPU time */
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

void watch_start(struct um_mm *mm)
{
	mm->watch_cpu = runner_cpu_ns(mm);
	mm->watch_at = spin_now();
	mm->watched = 0;
}

int watch_again(struct um_mm *mm)
{
	unsigned long cpu, now = spin_now();

	if (now - mm->watch_at < spin_ticks(WATCH_NS))
		return 0;
	mm->watch_at = now;
	/* Not on our CPU, where it would delay the looks. */
	place_float(mm);
	cpu = runner_cpu_ns(mm);
	if (cpu == mm->watch_cpu)
		return 1;
	mm->watch_cpu = cpu;
	return ++mm->watched > WATCH_MAX ? -ESRCH : 1;
}

int watch_stopped(struct um_mm *mm)
{
	unsigned long now = spin_now(), cpu = runner_cpu_ns(mm);
	unsigned long used = cpu - mm->idle_cpu, passed = now - mm->idle_at;

	if (mm->idle_since == mm->stopped_at && used > STOPPED_NS &&
	    used / 1000 * spin_ticks(1000) > passed / STOPPED_SHARE) {
		mm->idle_busy++;
		mm->busy = 1;
		place_float(mm);
	} else {
		mm->idle_busy = 0;
	}
	mm->idle_since = mm->stopped_at;
	mm->idle_cpu = cpu;
	mm->idle_at = now;
	return mm->idle_busy > STOPPED_MAX ? -ESRCH : 0;
}
