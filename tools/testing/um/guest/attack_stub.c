// SPDX-License-Identifier: GPL-2.0
/*
 * The stub's pages as an attacker inside the guest sees them: jumping into them,
 * writing them, and having the guest kernel do either.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "attack.h"

static const unsigned long pages[] = { SC_CODE, SC_CMD, SC_ACK, SC_STATE, SC_STACK, SC_VDSO,
	SC_PATCH };

#define NR_PAGES	((int)(sizeof(pages) / sizeof(*pages)))

static const struct {
	long nr, a, b, c, d, e, f;
} calls[] = {
	{ SYS_mkdir, (long)HOST_PATH, 0700, 0, 0, 0, 0 },
	{ SYS_mmap, 0x10000000, PAGE, 3, MAP_SHARED | MAP_FIXED, 0, 0x100000 },
	{ SYS_mmap, 0x10000000, PAGE, 3, MAP_SHARED | MAP_FIXED, 1, 0 },
	{ SYS_pwrite64, 1, SC_CODE, 4, PAGE, 0, 0 },
	{ SYS_dup, 0, 0, 0, 0, 0, 0 },
	{ SYS_mprotect, SC_CMD, 2 * PAGE, 3, 0, 0, 0 },
	{ SYS_clone, SIGCHLD, 0, 0, 0, 0, 0 },
};

#define NR_CALLS	((int)(sizeof(calls) / sizeof(*calls)))

static int which;

/* Registers for a call, then to wherever. Who comes back did no call. */
static void jump(unsigned long to)
{
	register long r10 asm("r10") = calls[which].d;
	register long r8 asm("r8") = calls[which].e;
	register long r9 asm("r9") = calls[which].f;

	asm volatile("mov %0, %%rcx; push $0; jmp *%%rcx"
		     : : "r"(to), "a"(calls[which].nr), "D"(calls[which].a), "S"(calls[which].b),
		     "d"(calls[which].c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
}

static void stub_calls(void)
{
	int n = 0, lived = 0;
	unsigned long at;

	for (at = SC_CODE; at < SC_CODE + PAGE - 1; at++) {
		if (memcmp((void *)at, "\x0f\5", 2))
			continue;
		for (which = 0; which < NR_CALLS; which++, n++)
			lived += attempt(jump, at, 20) == 0;
	}
	/* Not by the host: the harness looks. The guest kernel may serve them. */
	diag("%d calls by the stub's own instructions, %d lived", n, lived);
	rmdir(HOST_PATH);
}

static void jumps(void)
{
	unsigned long at;
	int i;

	which = 0;
	for (at = SC_CODE; at < SC_CODE + PAGE; at += 9)
		attempt(jump, at, 10);
	for (i = 1; i < NR_PAGES; i++)
		attempt(jump, pages[i] + 0x40, 10);
	diag("jumps into the stub");
	rmdir(HOST_PATH);
}

static void store(unsigned long at)
{
	*(volatile int *)at = 1;
}

static void stores(void)
{
	int i;

	for (i = 0; i < NR_PAGES; i++) {
		if (pages[i] == SC_STATE || pages[i] == SC_STACK)
			continue;
		ok(killed_by(attempt(store, pages[i] + 0x80, 1000), SIGSEGV), "a store to %lx",
		   pages[i]);
	}
}

/* By the kernel, for which these addresses are beyond the end of memory. */
static void by_kernel(unsigned long at)
{
	struct iovec local, remote = { (void *)at, 8 };
	char buf[8] = "";
	int fd[2], mem = open("/proc/self/mem", O_RDWR);
	int bad = 0;
	stack_t ss = { .ss_sp = (void *)at, .ss_size = 0x4000 };

	if (pipe(fd))
		die("pipe");
	local = (struct iovec){ buf, 8 };
	bad += write(fd[1], (void *)at, 8) > 0;
	bad += write(fd[1], buf, 8) != 8 || read(fd[0], (void *)at, 8) > 0;
	bad += pread(mem, buf, 8, at) > 0;
	bad += pwrite(mem, buf, 8, at) > 0;
	bad += process_vm_readv(getpid(), &local, 1, &remote, 1, 0) > 0;
	bad += process_vm_writev(getpid(), &local, 1, &remote, 1, 0) > 0;
	bad += mmap((void *)at, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
	bad += mremap(map_pages(1, 3), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) != MAP_FAILED;
	bad += !mprotect((void *)at, PAGE, 7);
	bad += !munmap((void *)at, PAGE);
	bad += !madvise((void *)at, PAGE, MADV_DONTNEED);
	bad += !mlock((void *)at, PAGE);
	bad += raw(SYS_futex, at, FUTEX_WAKE, 1, 0, 0, 0) > 0;
	bad += raw(SYS_getrandom, at, 8, 0, 0, 0, 0) > 0;
	bad += raw(SYS_arch_prctl, 0x1003, at, 0, 0, 0, 0) == 0;	/* ARCH_GET_FS */
	ok(!bad, "the guest kernel does not touch %lx (%d)", at, bad);
	sigaltstack(&ss, NULL);
	ss = (stack_t){ .ss_flags = SS_DISABLE };
	sigaltstack(&ss, NULL);
	close(fd[0]);
	close(fd[1]);
	close(mem);
}

static void handler(int sig)
{
	(void)sig;
}

/* A signal whose frame is to be written there. */
static void signal_there(unsigned long at)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	stack_t ss = { .ss_sp = (void *)at, .ss_size = 0x4000 };

	if (sigaltstack(&ss, NULL))
		_exit(1);
	sigaction(SIGUSR1, &sa, NULL);
	kill(getpid(), SIGUSR1);
}

static void traced(void)
{
	int bad = 0, i, status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	for (i = 0; i < NR_PAGES; i++) {
		errno = 0;
		bad += ptrace(PTRACE_PEEKDATA, pid, pages[i] + 8, 0) != -1 || !errno;
		bad += ptrace(PTRACE_POKEDATA, pid, pages[i] + 8, 0) == 0;
		bad += ptrace(PTRACE_POKEUSER, pid, 8L * 107 + 8 * (i & 3), pages[i]) == 0 && i < 0;
	}
	is(bad, 0, "a debugger neither reads nor writes the stub");
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
}

int main(void)
{
	int i, status;

	if (!have_stub())
		return tap_done();
	victim_start();
	stub_calls();
	jumps();
	victim_check("after jumps");
	stores();
	for (i = 0; i < NR_PAGES; i++)
		by_kernel(pages[i]);
	for (i = 0; i < NR_PAGES; i++) {
		status = attempt(signal_there, pages[i], 1000);
		ok(WIFSIGNALED(status) || exited_with(status, 1), "a signal stack at %lx: %#x",
		   pages[i], status);
	}
	traced();
	victim_check("at the end");
	victim_stop();
	return tap_done();
}
