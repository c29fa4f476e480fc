// SPDX-License-Identifier: GPL-2.0
/*
 * Liars: processes that tell the guest kernel they have made a system call, by
 * writing a signal frame and the turn word themselves, and go on.  The call
 * takes memory away from them or lets another process do so; what the next
 * owner of that memory writes must not be seen, what it has must not change.
 */
#include <fcntl.h>

#include "attack.h"

#define NR_GRAB		512
#define NR_OTHERS	40
#define ROUNDS		12

struct report {
	volatile unsigned long seen, loops, changed;
};

static struct report *report;
static volatile unsigned long *prey;
static char *others;
static int file;
static long lie_nr, lie_a, lie_b;

/* Born by a lie: what fork() gave us must stay as it is. */
static void newborn(void)
{
	unsigned long first = *prey;
	int i;

	for (i = 0; i < 200; i++) {
		report->changed += *prey != first;
		sched_yield();
	}
	_exit(0);
}

/*
 * The last true stop's frame becomes another call's.  The kernel may sleep until
 * it is woken, and who wakes it by the stub leaves the stub with the registers
 * that were loaded last: so that call returns twice.  No calls from here on.
 */
static inline __attribute__((always_inline)) void lie(long nr, long a, long b)
{
	static volatile int again;

	again = 0;
	if (!raw0(SYS_getppid))
		newborn();
	if (!again++) {
		put(*FRAME + UC_RDI, a);
		put(*FRAME + UC_RSI, b);
		put(*FRAME + UC_RDX, 0);
		put(*FRAME + UC_RAX, nr);
		*(volatile int *)(*INFO + INFO_CALL) = nr;
		*TURN = TURN_RUN;
		wake_and_leave();
	}
	*TURN = TURN_STOPPED;
}

static void reader(unsigned long unused)
{
	(void)unused;
	/* A first touch would be a true stop. */
	report->seen = *prey;
	lie(lie_nr, lie_a, lie_b);
	for (;;) {
		report->seen = *prey;
		report->loops++;
	}
}

static void writer(unsigned long unused)
{
	int i;

	(void)unused;
	report->seen = ++*prey;
	/* The last pages written after fork() are not shared by the next: see mm/cow.c. */
	for (i = 0; i < NR_OTHERS; i++)
		others[i * PAGE]++;
	lie(lie_nr, lie_a, lie_b);
	for (;;) {
		++*prey;
		report->loops++;
	}
}

static pid_t start(void (*fn)(unsigned long))
{
	siginfo_t info = { 0 };
	pid_t pid;
	int i;

	memset(report, 0, sizeof(*report));
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(0);
		_exit(0);
	}
	/* Where the lie is not understood, or kills, there is nothing to wait for. */
	for (i = 0; i < 100 && !report->loops && !info.si_pid; i++) {
		sleep_ms(1);
		waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Each may be one that somebody has just lost: in a larger piece it would not. */
static char *single_pages(unsigned int nr)
{
	char *pages = map_pages(nr, PROT_READ | PROT_WRITE);

	madvise(pages, nr * PAGE, MADV_NOHUGEPAGE);
	return pages;
}

/* Become the next owner of what was just freed, and tell it a secret. */
static int reads_secret(void)
{
	unsigned long *page = (unsigned long *)single_pages(NR_GRAB);
	int i, leak = 0;

	for (i = 0; i < NR_GRAB; i++)
		page[i * PAGE / 8] = SECRET;
	for (i = 0; i < 20 && !leak; i++) {
		sleep_ms(1);
		leak = report->seen == SECRET;
	}
	munmap(page, NR_GRAB * PAGE);
	return leak;
}

static int writes_secret(void)
{
	unsigned long *page = (unsigned long *)single_pages(NR_GRAB);
	int i, changed = 0;

	for (i = 0; i < NR_GRAB; i++)
		page[i * PAGE / 8] = SECRET;
	sleep_ms(10);
	for (i = 0; i < NR_GRAB; i++)
		changed += page[i * PAGE / 8] != SECRET;
	munmap(page, NR_GRAB * PAGE);
	return changed;
}

/* It "sleeps" while the file it has mapped is truncated. */
static void truncated(const char *what, void (*fn)(unsigned long), int (*check)(void))
{
	int round, bad = 0, going = 0;
	pid_t pid;

	for (round = 0; round < ROUNDS && !bad; round++) {
		if (ftruncate(file, PAGE))
			die("ftruncate");
		prey = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		*prey = 1;
		lie_nr = SYS_pause;
		pid = start(fn);
		going += report->loops > 0;
		munmap((void *)prey, PAGE);
		if (ftruncate(file, 0))
			die("ftruncate");
		bad = check();
		end(pid);
	}
	diag("%d of %d liars were at work", going, round);
	ok(!bad, "a liar %s a page of a file that was truncated", what);
}

/* Its own page, taken by the call that it claims to make: munmap, exit. */
static void own_page(const char *what, long nr, int (*check)(void))
{
	int round, bad = 0;
	pid_t pid;

	prey = (volatile unsigned long *)single_pages(1);
	for (round = 0; round < ROUNDS && !bad; round++) {
		*prey = round;
		lie_nr = nr;
		lie_a = nr == SYS_munmap ? (long)prey : 0;
		lie_b = PAGE;
		pid = start(check == reads_secret ? reader : writer);
		bad = check();
		end(pid);
	}
	munmap((void *)prey, PAGE);
	ok(!bad, "a liar %s", what);
}

/* After fork() a page is shared until somebody writes: a liar must not. */
static void forked(void)
{
	unsigned long changed = 0;
	int round;
	pid_t pid;

	prey = (volatile unsigned long *)single_pages(1);
	for (round = 0; round < ROUNDS; round++) {
		*prey = round;
		lie_nr = SYS_fork;
		pid = start(writer);
		sleep_ms(5);
		changed += report->changed;
		end(pid);
	}
	munmap((void *)prey, PAGE);
	is(changed, 0, "a liar writes what it shares since fork()");
}

int main(void)
{
	if (!have_stub())
		return tap_done();
	report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file = memfd_create("prey", 0);
	if (report == MAP_FAILED || file < 0)
		die("set-up");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	others = single_pages(NR_OTHERS);
	memset(others, 1, NR_OTHERS * PAGE);
	victim_start();
	truncated("reads", reader, reads_secret);
	truncated("writes", writer, writes_secret);
	own_page("reads what it unmapped", SYS_munmap, reads_secret);
	own_page("writes what it unmapped", SYS_munmap, writes_secret);
	own_page("reads on after its exit", SYS_exit_group, reads_secret);
	own_page("writes on after its exit", SYS_exit_group, writes_secret);
	forked();
	victim_check("after liars");
	victim_stop();
	/* The newborn are ours to wait for. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	return tap_done();
}
