// SPDX-License-Identifier: GPL-2.0
/*
 * fs and gs bases: arch_prctl, the FSGSBASE instructions, threads, signals,
 * fork, and values that must be refused.
 */
#include <asm/prctl.h>
#include <elf.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>

#include "tap.h"
#include "util.h"

static __thread unsigned long tls_word = 0x11;
static volatile unsigned long gs_in_handler, tls_in_handler;
static int fsgsbase;

static long prctl_arch(int code, unsigned long addr)
{
	return raw(SYS_arch_prctl, code, addr, 0, 0, 0, 0);
}

static unsigned long gs_base(void)
{
	unsigned long v = 0;

	prctl_arch(ARCH_GET_GS, (unsigned long)&v);
	return v;
}

static unsigned long gs_load(void)
{
	unsigned long v;

	asm volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static void handler(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)si; (void)uc;
	gs_in_handler = gs_load();
	tls_in_handler = tls_word;
}

static void bases(void)
{
	static unsigned long block[4] = { 0xabcdef, 2, 3, 4 };
	unsigned long fs = 0, self;

	is(prctl_arch(ARCH_GET_FS, (unsigned long)&fs), 0, "ARCH_GET_FS");
	asm volatile("mov %%fs:0, %0" : "=r"(self));
	is(fs, self, "agrees with the thread pointer");
	is(prctl_arch(ARCH_SET_GS, (unsigned long)block), 0, "ARCH_SET_GS");
	is(gs_load(), 0xabcdef, "gs addresses the block");
	is(gs_base(), (unsigned long)block, "ARCH_GET_GS");
	is(prctl_arch(ARCH_SET_GS, 0xffff800000000000UL), -EPERM, "a kernel address is refused");
	is(prctl_arch(ARCH_SET_FS, 0x8000000000000000UL), -EPERM, "a non-canonical one, too");
	is(prctl_arch(ARCH_GET_FS, 8), -EFAULT, "a bad pointer gives EFAULT");
	is(prctl_arch(0x7777, 0), -EINVAL, "an unknown code gives EINVAL");
	is(gs_load(), 0xabcdef, "gs is still what it was");
	on_signal(SIGUSR1, handler, 0);
	raise(SIGUSR1);
	is(gs_in_handler, 0xabcdef, "a handler sees gs");
	is(tls_in_handler, 0x11, "a handler sees TLS");
	is(gs_load(), 0xabcdef, "gs after a signal");
	sleep_ms(10);
	is(gs_load(), 0xabcdef, "gs after sleeping");
}

static void instructions(void)
{
	static unsigned long other[2] = { 0x5151, 0 };
	unsigned long v, fs;

	fsgsbase = !!(getauxval(AT_HWCAP2) & 2);
	if (!fsgsbase) {
		skip("wrgsbase", "AT_HWCAP2 has no FSGSBASE");
		return;
	}
	asm volatile("wrgsbase %0" : : "r"(other));
	is(gs_load(), 0x5151, "wrgsbase");
	is(gs_base(), (unsigned long)other, "the kernel sees it");
	raw0(SYS_getppid);
	sleep_ms(5);
	asm volatile("rdgsbase %0; rdfsbase %1" : "=r"(v), "=r"(fs));
	is(v, (unsigned long)other, "it stays over system calls");
	is(fs, (unsigned long)pthread_self(), "rdfsbase");
}

static int child_gs(void *want)
{
	return gs_base() != (unsigned long)want || tls_word != 0x11;
}

static int exec_self(void *arg)
{
	execl("/proc/self/exe", "tls", arg, NULL);
	return 90;
}

struct job {
	unsigned long block[2];
	int bad;
};

/* Every thread has its own gs base and TLS and yields a lot. */
static void *thread(void *arg)
{
	struct job *j = arg;
	int i;

	j->block[0] = (unsigned long)j;
	tls_word = (unsigned long)j;
	prctl_arch(ARCH_SET_GS, (unsigned long)j->block);
	for (i = 0; i < 500; i++) {
		sched_yield();
		if (gs_load() != (unsigned long)j || tls_word != (unsigned long)j)
			j->bad++;
		if (i % 100 == 0)
			sleep_ms(1);
	}
	return NULL;
}

static void threads(void)
{
	struct job job[8];
	pthread_t t[8];
	int i, bad = 0;

	memset(job, 0, sizeof(job));
	for (i = 0; i < 8; i++)
		if (pthread_create(&t[i], NULL, thread, &job[i]))
			die("pthread_create");
	for (i = 0; i < 8; i++) {
		pthread_join(t[i], NULL);
		bad += job[i].bad;
	}
	is(bad, 0, "eight threads keep their gs and TLS");
	is(tls_word, 0x11, "the main thread's TLS is untouched");
}

int main(int argc, char **argv)
{
	int st;

	if (argc > 1 && !strcmp(argv[1], "fresh"))
		return gs_base() ? 1 : 0;
	bases();
	instructions();
	is(in_child(child_gs, (void *)gs_base()), 0, "fork copies gs and TLS");
	threads();
	st = in_child(exec_self, "fresh");
	is(st, 0, "exec starts with gs base 0");
	return tap_done();
}
