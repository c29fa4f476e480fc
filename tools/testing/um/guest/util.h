/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers that several guest programs share: raw system calls (no errno, no
 * libc in the way), running a function in a child, memory, files, and time.
 */
#ifndef UM_TEST_UTIL_H
#define UM_TEST_UTIL_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define RW (PROT_READ | PROT_WRITE)

/* raw() - system call with six arguments; returns what the kernel returned. */
static inline long raw(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

#define raw0(nr) raw(nr, 0, 0, 0, 0, 0, 0)

/* now_ns() - CLOCK_MONOTONIC by the real system call, not the vDSO. */
static inline int64_t now_ns(void)
{
	struct timespec ts;

	raw(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0, 0, 0);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline void sleep_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* in_child() - run fn(arg) in a child; returns its wait status, -1 on error. */
static inline int in_child(int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid)
		_exit(fn(arg));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static inline int exited_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static inline int killed_by(int status, int sig)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

/* map_pages() - anonymous private memory of @n pages, or exit. */
static inline char *map_pages(int n, int prot)
{
	char *p = mmap(NULL, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(97);
	return p;
}

/* temp_file() - a file of @size bytes that has no name any more, or exit. */
static inline int temp_file(off_t size)
{
	char name[] = "/tmp/guestXXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	if (fd < 0 || ftruncate(fd, size)) {
		perror("temporary file");
		_exit(95);
	}
	return fd;
}

/* lcg() - the next of a series of random numbers; its upper bits are the good ones. */
static inline uint64_t lcg(uint64_t *state)
{
	return *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
}

/* on_signal() - sigaction with an SA_SIGINFO handler. */
static inline void on_signal(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa;

	sigemptyset(&sa.sa_mask);
	sa.sa_sigaction = fn;
	sa.sa_flags = SA_SIGINFO | flags;
	if (sigaction(sig, &sa, NULL))
		_exit(96);
}

#endif
