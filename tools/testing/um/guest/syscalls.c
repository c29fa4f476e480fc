// SPDX-License-Identifier: GPL-2.0
/*
 * The system call path itself: numbers, the six arguments, which registers
 * survive, faults while copying, and every kind of restart.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/utsname.h>

#include "tap.h"
#include "util.h"

static volatile int hits;

static void count(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)si; (void)uc;
	hits++;
}

static void numbers(void)
{
	is(raw0(999), -ENOSYS, "an unused number gives ENOSYS");
	is(raw0(-1), -ENOSYS, "number -1 gives ENOSYS");
	is(raw0(INT_MAX), -ENOSYS, "INT_MAX gives ENOSYS");
	is(raw0(0xdead00000000L | SYS_getpid), getpid(),
	   "the upper half of rax is ignored");
	is(raw0(SYS_getpid), getpid(), "getpid");
}

static void six_arguments(void)
{
	int fd = temp_file(3 * PAGE);
	char *hint = map_pages(4, PROT_NONE);
	long got;

	if (pwrite(fd, "third", 5, 2 * PAGE) != 5)
		die("temporary file");
	got = raw(SYS_mmap, (long)hint, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 8192);
	is(got, (long)hint, "mmap with all six arguments");
	ok(got == (long)hint && !memcmp(hint, "third", 5), "the sixth one counted");
	is(raw(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 1), -EINVAL,
	   "and an odd offset is refused");
	close(fd);
}

/* Fill every register that a system call must keep, call getppid, compare. */
static void registers(void)
{
	static unsigned long in[12], out[12], rcx, r11, here;
	unsigned int i, bad = 0;

	for (i = 0; i < 12; i++)
		in[i] = 0x1111111111111111UL * (i + 1) ^ 0xa5;
	/* Statics are addressed by rip here: no operand needs a register. */
	asm volatile("push %%rbp; push %%rbx\n"
		     "mov 0+%[in], %%rbx; mov 8+%[in], %%rdx; mov 16+%[in], %%rsi\n"
		     "mov 24+%[in], %%rdi; mov 32+%[in], %%rbp; mov 40+%[in], %%r8\n"
		     "mov 48+%[in], %%r9; mov 56+%[in], %%r10; mov 64+%[in], %%r12\n"
		     "mov 72+%[in], %%r13; mov 80+%[in], %%r14; mov 88+%[in], %%r15\n"
		     "mov $110, %%eax; syscall\n"
		     "mov %%rbx, 0+%[out]; mov %%rdx, 8+%[out]; mov %%rsi, 16+%[out]\n"
		     "mov %%rdi, 24+%[out]; mov %%rbp, 32+%[out]; mov %%r8, 40+%[out]\n"
		     "mov %%r9, 48+%[out]; mov %%r10, 56+%[out]; mov %%r12, 64+%[out]\n"
		     "mov %%r13, 72+%[out]; mov %%r14, 80+%[out]; mov %%r15, 88+%[out]\n"
		     "pop %%rbx; pop %%rbp\n"
		     : [out] "=m"(out) : [in] "m"(in)
		     : "rax", "rcx", "r11", "rdx", "rsi", "rdi", "r8", "r9", "r10",
		     "r12", "r13", "r14", "r15", "memory");
	for (i = 0; i < 12; i++)
		if (in[i] != out[i]) {
			diag("register %u: %#lx became %#lx", i, in[i], out[i]);
			bad++;
		}
	is(bad, 0, "a system call keeps twelve registers");

	asm volatile("mov $110, %%eax; syscall\n1: mov %%rcx, %0; mov %%r11, %1\n"
		     "lea 1b(%%rip), %%rcx; mov %%rcx, %2\n"
		     : "=m"(rcx), "=m"(r11), "=m"(here)
		     : : "rax", "rcx", "r11", "memory");
	is(rcx, here, "rcx holds the return address");
	ok((r11 & ~0xcd5UL) == 0x202, "r11 holds the flags (%#lx)", r11);
}

static void bad_pointers(void)
{
	char *page = map_pages(2, PROT_READ | PROT_WRITE);
	char *ro = map_pages(1, PROT_READ);
	int p[2], zero = open("/dev/zero", O_RDONLY);

	munmap(page + 4096, 4096);
	if (pipe(p))
		die("pipe");
	is(raw(SYS_uname, 0, 0, 0, 0, 0, 0), -EFAULT, "uname(NULL)");
	is(raw(SYS_uname, (long)ro, 0, 0, 0, 0, 0), -EFAULT, "uname to read-only memory");
	is(raw(SYS_read, zero, -4096L, 8, 0, 0, 0), -EFAULT, "read to a kernel address");
	is(raw(SYS_write, p[1], 0xffff800000000000L, 8, 0, 0, 0), -EFAULT,
	   "write from a kernel address");
	is(raw(SYS_write, p[1], 0x8000000000000000L, 8, 0, 0, 0), -EFAULT,
	   "write from a non-canonical address");
	is(raw(SYS_open, (long)(page + 4096), 0, 0, 0, 0, 0), -EFAULT, "open of a bad name");
	memset(page, 'x', 4096);
	is(raw(SYS_open, (long)(page + 4090), 0, 0, 0, 0, 0), -EFAULT,
	   "open of a name that runs off its page");
	is(raw(SYS_read, zero, (long)(page + 4092), 8, 0, 0, 0), 4,
	   "a read across the end of memory is short");
	is(raw(SYS_uname, (long)(page + 4000), 0, 0, 0, 0, 0), -EFAULT,
	   "uname across the end of memory");
	is(raw(SYS_read, 9999, (long)page, 1, 0, 0, 0), -EBADF, "read of a bad descriptor");
	close(zero);
	close(p[0]);
	close(p[1]);
}

static void alarm_in(int ms)
{
	timer_t t;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	struct itimerspec it = { .it_value = { ms / 1000, ms % 1000 * 1000000L } };

	if (timer_create(CLOCK_MONOTONIC, &ev, &t) || timer_settime(t, 0, &it, NULL))
		die("timer");
}

static void interrupted(void)
{
	struct timespec ts = { 2, 0 }, rem = { 0, 0 };
	struct pollfd pf;
	int64_t t0;
	char c;
	int p[2], ep, child, st, futex = 0;
	long ret;

	if (pipe(p))
		die("pipe");
	on_signal(SIGALRM, count, SA_RESTART);
	alarm_in(50);
	ret = raw(SYS_nanosleep, (long)&ts, (long)&rem, 0, 0, 0, 0);
	is(ret, -EINTR, "nanosleep is not restarted after a handler");
	ok(rem.tv_sec == 1 && rem.tv_nsec > 0, "and tells the time left (%ld.%09ld)",
	   rem.tv_sec, rem.tv_nsec);

	pf.fd = p[0];
	pf.events = POLLIN;
	alarm_in(50);
	is(raw(SYS_poll, (long)&pf, 1, 2000, 0, 0, 0), -EINTR, "poll: EINTR");
	ep = epoll_create1(0);
	alarm_in(50);
	is(raw(SYS_epoll_wait, ep, (long)&(struct epoll_event){ 0 }, 1, 2000, 0, 0), -EINTR,
	   "epoll_wait: EINTR in spite of SA_RESTART");
	alarm_in(50);
	is(raw(SYS_futex, (long)&futex, FUTEX_WAIT, 0, (long)&ts, 0, 0), -EINTR,
	   "futex with a time-out: EINTR");
	alarm_in(50);
	is(raw(SYS_pause, 0, 0, 0, 0, 0, 0), -EINTR, "pause: EINTR");

	/* A restarted read: the handler runs, the data comes later. */
	hits = 0;
	child = fork();
	if (!child) {
		sleep_ms(200);
		_exit(write(p[1], "x", 1) != 1);
	}
	alarm_in(50);
	t0 = now_ns();
	is(raw(SYS_read, p[0], (long)&c, 1, 0, 0, 0), 1, "read restarts with SA_RESTART");
	ok(hits == 1 && now_ns() - t0 > 100000000, "after its handler ran once");
	waitpid(child, &st, 0);

	on_signal(SIGALRM, count, 0);
	alarm_in(50);
	is(raw(SYS_read, p[0], (long)&c, 1, 0, 0, 0), -EINTR,
	   "read: EINTR without SA_RESTART");

	on_signal(SIGALRM, count, SA_RESTART);
	child = fork();
	if (!child) {
		sleep_ms(150);
		_exit(7);
	}
	alarm_in(50);
	is(raw(SYS_wait4, child, (long)&st, 0, 0, 0, 0), child, "wait4 restarts");
	ok(exited_with(st, 7), "with the child's status");
	close(ep);
	close(p[0]);
	close(p[1]);
}

/* Stop and continue: no handler, so every one of these goes on unnoticed. */
static int sleeper(void *how)
{
	struct timespec ts = { 0, 400000000 };
	int64_t t0 = now_ns();
	int futex = 0, p[2];
	long ret, want = 0;

	switch ((long)how) {
	case 0:
		ret = raw(SYS_nanosleep, (long)&ts, 0, 0, 0, 0, 0);
		break;
	case 1:
		if (pipe(p))
			return 10;
		ret = raw(SYS_poll, (long)&(struct pollfd){ p[0], POLLIN, 0 }, 1, 400, 0, 0, 0);
		break;
	case 2:
		ret = raw(SYS_futex, (long)&futex, FUTEX_WAIT, 0, (long)&ts, 0, 0);
		want = -ETIMEDOUT;
		break;
	default:
		ret = raw(SYS_clock_nanosleep, CLOCK_REALTIME, 0, (long)&ts, 0, 0, 0);
		break;
	}
	if (ret != want) {
		diag("restart block %ld returned %ld", (long)how, ret);
		return 11;
	}
	return now_ns() - t0 < 400000000 ? 12 : 0;
}

static void stopped(void)
{
	static const char * const name[] = { "nanosleep", "poll", "futex", "clock_nanosleep" };
	long i;
	int st;

	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(sleeper((void *)i));
		sleep_ms(100);
		kill(pid, SIGSTOP);
		ok(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st),
		   "%s: stopped", name[i]);
		sleep_ms(50);
		kill(pid, SIGCONT);
		waitpid(pid, &st, 0);
		is(st, 0, "%s sleeps to its end over a stop", name[i]);
	}
}

static void masks(void)
{
	struct timespec ts = { 1, 0 };
	sigset_t block, none, cur;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	on_signal(SIGUSR1, count, 0);
	hits = 0;
	kill(getpid(), SIGUSR1);
	is(hits, 0, "a blocked signal waits");
	is(ppoll(NULL, 0, &ts, &none) == -1 ? errno : 0, EINTR, "ppoll lets it in");
	is(hits, 1, "its handler ran");
	sigprocmask(SIG_BLOCK, NULL, &cur);
	ok(sigismember(&cur, SIGUSR1), "and the mask is back");
	kill(getpid(), SIGUSR1);
	is(sigsuspend(&none) == -1 ? errno : 0, EINTR, "sigsuspend lets it in");
	is(hits, 2, "its handler ran, too");
	sigprocmask(SIG_UNBLOCK, &block, NULL);

	signal(SIGUSR2, SIG_IGN);
	ts.tv_sec = 0;
	ts.tv_nsec = 100000000;
	if (!fork()) {
		kill(getppid(), SIGUSR2);
		_exit(0);
	}
	is(raw(SYS_nanosleep, (long)&ts, 0, 0, 0, 0, 0), 0,
	   "an ignored signal and SIGCHLD don't wake a sleeper");
	wait(NULL);
}

int main(void)
{
	struct utsname u;

	numbers();
	six_arguments();
	registers();
	bad_pointers();
	interrupted();
	stopped();
	masks();
	uname(&u);
	is(strcmp(u.machine, "x86_64"), 0, "uname says x86_64");
	return tap_done();
}
