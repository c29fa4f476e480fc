// SPDX-License-Identifier: GPL-2.0
/*
 * Timers of every kind.  A timer may be late on a busy machine, never early,
 * and never absurdly late: each is held between what was asked for and that
 * plus SLACK.  What a machine can do only while it has time for us is tried for
 * PATIENCE.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>

#include "tap.h"
#include "util.h"

#define MS 1000000LL
#define SLACK (20000 * MS)
#define PATIENCE (30000 * MS)

static volatile int hits;
static volatile siginfo_t last;
static volatile int overrun;		/* the most of any signal */

static void count(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)uc;
	last = *si;
	if (si->si_code == SI_TIMER && si->si_overrun > overrun)
		overrun = si->si_overrun;
	hits++;
}

static int between(int64_t took, int64_t want)
{
	if (took >= want && took < want + SLACK)
		return 1;
	diag("took %lld us, asked for %lld us", (long long)took / 1000, (long long)want / 1000);
	return 0;
}

static void sleeps(void)
{
	static const int ms[] = { 0, 1, 2, 5, 10, 50, 150 };
	int64_t t0, took, end, best = 1000 * MS;
	struct timespec ts, at;
	unsigned int i;

	for (i = 0; i < sizeof(ms) / sizeof(*ms); i++) {
		ts.tv_sec = 0;
		ts.tv_nsec = ms[i] * MS;
		t0 = now_ns();
		nanosleep(&ts, NULL);
		ok(between(now_ns() - t0, ms[i] * MS), "nanosleep of %d ms", ms[i]);
	}
	end = now_ns() + PATIENCE;
	for (i = 0; i < 50 || (best >= 4 * MS && now_ns() < end); i++) {
		ts.tv_nsec = MS;
		t0 = now_ns();
		nanosleep(&ts, NULL);
		took = now_ns() - t0;
		best = took < best ? took : best;
	}
	ok(best >= MS && best < 4 * MS, "the best of %u sleeps of 1 ms took %lld us", i,
	   (long long)best / 1000);
	clock_gettime(CLOCK_MONOTONIC, &at);
	t0 = at.tv_sec * 1000 * MS + at.tv_nsec;
	at.tv_nsec += 100 * MS;
	if (at.tv_nsec >= 1000 * MS) {
		at.tv_nsec -= 1000 * MS;
		at.tv_sec++;
	}
	is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL), 0,
	   "clock_nanosleep to an absolute time");
	ok(between(now_ns() - t0, 100 * MS), "wakes at it");
	at.tv_sec = 1;
	is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL), 0,
	   "an absolute time of 1970 returns at once");
	ts.tv_nsec = 1000 * MS;
	is(nanosleep(&ts, NULL) ? errno : 0, EINVAL, "1e9 ns: EINVAL");
}

static void wait_hits(int n)
{
	int64_t end = now_ns() + PATIENCE;

	while (hits < n && now_ns() < end)
		sleep_ms(1);
}

static void intervals(void)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } }, cur;
	int64_t t0, sum = 0;

	on_signal(SIGALRM, count, SA_RESTART);
	hits = 0;
	t0 = now_ns();
	setitimer(ITIMER_REAL, &it, NULL);
	wait_hits(5);
	t0 = now_ns() - t0;
	getitimer(ITIMER_REAL, &cur);
	ok(cur.it_value.tv_usec <= 20000 && cur.it_interval.tv_usec == 20000, "getitimer");
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
	ok(between(t0, 100 * MS), "setitimer: five periods of 20 ms");
	hits = 0;
	t0 = now_ns();
	alarm(1);
	wait_hits(1);
	ok(between(now_ns() - t0, 1000 * MS), "alarm(1)");

	/* CPU time: spinning counts, sleeping does not. */
	on_signal(SIGVTALRM, count, 0);
	on_signal(SIGPROF, count, 0);
	it.it_value.tv_sec = 1;
	hits = 0;
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	sleep_ms(1200);
	is(hits, 0, "ITIMER_VIRTUAL doesn't run while sleeping");
	it.it_value.tv_sec = 0;
	it.it_value.tv_usec = 50000;
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	for (t0 = now_ns(); !hits && now_ns() - t0 < PATIENCE;)
		for (int i = 0; i < 100000; i++)
			asm volatile("" : "+r"(sum));
	is(hits, 1, "it runs while computing");
	hits = 0;
	setitimer(ITIMER_PROF, &it, NULL);
	for (t0 = now_ns(); !hits && now_ns() - t0 < PATIENCE;)
		raw0(SYS_getppid);
	is(hits, 1, "ITIMER_PROF counts system time as well");
}

static void posix(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
		.sigev_value.sival_int = 4711 };
	struct itimerspec it = { { 0, 0 }, { 0, 30 * MS } }, cur, far = { { 0, 0 }, { 1000, 0 } };
	sigset_t block, old;
	int64_t t0;
	timer_t t;

	on_signal(SIGUSR1, count, 0);
	is(timer_create(CLOCK_MONOTONIC, &ev, &t), 0, "timer_create");
	timer_settime(t, 0, &far, NULL);
	timer_gettime(t, &cur);
	ok(cur.it_value.tv_sec > 900 && cur.it_value.tv_sec <= 1000, "timer_gettime");
	hits = 0;
	t0 = now_ns();
	timer_settime(t, 0, &it, NULL);
	wait_hits(1);
	ok(between(now_ns() - t0, 30 * MS), "one shot of 30 ms");
	ok(last.si_code == SI_TIMER && last.si_value.sival_int == 4711, "SI_TIMER with its value");
	it.it_interval.tv_nsec = MS;
	it.it_value.tv_nsec = MS;
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	hits = 0;
	timer_settime(t, 0, &it, NULL);
	sleep_ms(60);
	sigprocmask(SIG_SETMASK, &old, NULL);
	ok(hits >= 1 && overrun > 10, "a blocked timer counts overruns (%d)", overrun);
	timer_delete(t);
	hits = 0;
	sleep_ms(20);
	is(hits, 0, "a deleted timer is silent");
	ev.sigev_signo = SIGUSR2;
	on_signal(SIGUSR2, count, 0);
	is(timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &t), 0, "a CPU-time timer");
	it.it_value.tv_nsec = 20 * MS;
	it.it_interval.tv_nsec = 0;
	hits = 0;
	timer_settime(t, 0, &it, NULL);
	for (t0 = now_ns(); !hits && now_ns() - t0 < PATIENCE;)
		;
	is(hits, 1, "fires while its thread runs");
	timer_delete(t);
}

static void descriptors(void)
{
	struct itimerspec it = { { 0, 10 * MS }, { 0, 10 * MS } };
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), ep = epoll_create1(0);
	uint64_t n = 0;
	int64_t t0;

	is(read(fd, &n, 8) == -1 ? errno : 0, EAGAIN, "an idle timerfd has nothing");
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	t0 = now_ns();
	timerfd_settime(fd, 0, &it, NULL);
	is(epoll_wait(ep, &ev, 1, 5000), 1, "timerfd wakes epoll");
	ok(between(now_ns() - t0, 10 * MS), "in time");
	sleep_ms(50);
	is(read(fd, &n, 8), 8, "timerfd reads");
	ok(n >= 5, "it counts periods (%llu)", (unsigned long long)n);
	close(fd);
	t0 = now_ns();
	is(poll(NULL, 0, 70), 0, "poll as a sleep");
	ok(between(now_ns() - t0, 70 * MS), "of 70 ms");
	t0 = now_ns();
	is(epoll_wait(ep, &ev, 1, 30), 0, "epoll_wait runs out");
	ok(between(now_ns() - t0, 30 * MS), "after 30 ms");
	close(ep);
}

static void usage(void)
{
	struct timespec a, b;
	volatile unsigned long x = 0;
	int64_t t0, cpu, end;

	/* A guest does not know when its host took the CPU away: that looks like work. */
	end = now_ns() + PATIENCE;
	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		sleep_ms(100);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		cpu = (b.tv_sec - a.tv_sec) * 1000 * MS + b.tv_nsec - a.tv_nsec;
	} while (cpu >= 50 * MS && now_ns() < end);
	ok(cpu >= 0 && cpu < 50 * MS, "sleeping costs no CPU time (%lld us)", (long long)cpu / 1000);
	t0 = now_ns();
	do {
		while ((now_ns() - t0) % (200 * MS) < 199 * MS)
			x++;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		cpu = (a.tv_sec - b.tv_sec) * 1000 * MS + a.tv_nsec - b.tv_nsec;
	} while (cpu <= 10 * MS && now_ns() < end + PATIENCE);
	ok(cpu > 10 * MS && cpu < SLACK, "computing does (%lld us)", (long long)cpu / 1000);
}

int main(void)
{
	sleeps();
	intervals();
	posix();
	descriptors();
	usage();
	return tap_done();
}
