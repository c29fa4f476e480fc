/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What attackers inside a guest share: where the stub is, attempts in a child
 * that may die of them, and a victim that must not notice.
 *
 * A host has no stub: the programs say so and attack nothing there. In ptrace
 * mode the places are other ones; the attempts are as wild and as vain.
 */
#ifndef UM_TEST_ATTACK_H
#define UM_TEST_ATTACK_H

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include "tap.h"
#include "util.h"
#include "../../../../arch/um/os-Linux/usermode/seccomp/layout.h"

#define SECRET		0x5ec4e75ec4e70001UL
#define TURN		((volatile unsigned int *)(SC_STATE + STATE_TURN))
#define FRAME		((volatile unsigned long *)(SC_STATE + STATE_FRAME))
#define INFO		((volatile unsigned long *)(SC_STATE + STATE_INFO))

/* In the signal frame of the host, as stub.S has them, and its siginfo. */
#define UC_GREGS	40
#define UC_RDI		104
#define UC_RSI		112
#define UC_RDX		136
#define UC_RAX		144
#define UC_RIP		168
#define UC_CSGSFS	184
#define UC_ERR		192
#define UC_TRAPNO	200
#define UC_CR2		216
#define INFO_CODE	8
#define INFO_ADDR	16
#define INFO_CALL	24
#define INFO_ARCH	28

/* Made by an attacker's call if the host performs it; the harness looks there. */
#define HOST_PATH	"/tmp/um-guest-attack"

static sigjmp_buf attack_back;

static inline void attack_catch(int sig)
{
	siglongjmp(attack_back, sig);
}

/* readable() - can @addr be read? */
static inline int readable(unsigned long addr)
{
	volatile int good = 0;

	signal(SIGSEGV, attack_catch);
	signal(SIGBUS, attack_catch);
	if (!sigsetjmp(attack_back, 1)) {
		(void)*(volatile char *)addr;
		good = 1;
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return good;
}

/* have_stub() - is there something to attack? If not, that is the result. */
static inline int have_stub(void)
{
	if (readable(SC_CODE) && !memcmp((void *)SC_CODE, "\177ELF", 4))
		return 1;
	skip("attacks on the stub", "no stub here: not in a guest");
	return 0;
}

/*
 * attempt() - run @fn(@arg) in a child, which may die, but must not be there for
 * ever: when it is killed, it has to go.  Returns the wait status.
 */
static inline int attempt(void (*fn)(unsigned long), unsigned long arg, int ms)
{
	int64_t end = now_ns() + ms * 1000000LL;
	int status = -1;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn(arg);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		if (now_ns() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			break;
		}
		sched_yield();
	}
	/* Its children, where the guest kernel served a fork. */
	kill(-pid, SIGKILL);
	return status;
}

static inline void put(unsigned long at, unsigned long value)
{
	*(volatile unsigned long *)at = value;
}

/* The last instruction in the stub that wakes whoever waits for the turn. */
static inline unsigned long wake_insn(void)
{
	unsigned long at, found = 0;

	for (at = SC_CODE; at < SC_CODE + PAGE - 7; at++)
		if (!memcmp((void *)at, "\xba\1\0\0\0\x0f\5", 7))
			found = at + 5;
	return found;
}

/*
 * wake_and_leave() - wake the kernel by the stub
 *
 * Who does that leaves the stub with the registers that were loaded last: the
 * last true call returns once more.  TURN must say that we run.
 */
static inline __attribute__((always_inline)) void wake_and_leave(void)
{
	asm volatile("jmp *%0" : : "r"(wake_insn()), "a"(SYS_futex),
		     "D"(SC_STATE + STATE_TURN), "S"(1), "d"(1));
}

/* A process that watches its memory, its registers and its calls. */
struct attack_victim {
	volatile unsigned long rounds, errors;
	pid_t pid;
};

static struct attack_victim *attack_victim;

static inline void victim_run(struct attack_victim *v)
{
	unsigned long *page = (unsigned long *)map_pages(4, PROT_READ | PROT_WRITE);
	unsigned long i, n = 4 * PAGE / 8;
	pid_t self = getpid();

	for (i = 0; i < n; i++)
		page[i] = SECRET + i;
	for (;;) {
		register unsigned long held asm("r12") = SECRET ^ v->rounds;

		asm volatile("" : "+r"(held));
		v->errors += raw0(SYS_getpid) != self;
		asm volatile("" : "+r"(held));
		v->errors += held != (SECRET ^ v->rounds);
		for (i = 0; i < n; i++)
			v->errors += page[i] != SECRET + i;
		v->rounds++;
		sched_yield();
	}
}

static inline void victim_start(void)
{
	pid_t pid;

	attack_victim = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (attack_victim == MAP_FAILED)
		die("victim");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		victim_run(attack_victim);
	}
	if (pid < 0)
		die("fork");
	attack_victim->pid = pid;
}

/* victim_check() - one result: it lives and has seen nothing odd. */
static inline void victim_check(const char *after)
{
	unsigned long before = attack_victim->rounds;
	int status = 0, i;

	for (i = 0; i < 10000 && attack_victim->rounds < before + 3; i++)
		sleep_ms(1);
	ok(!waitpid(attack_victim->pid, &status, WNOHANG) && !attack_victim->errors &&
	   attack_victim->rounds >= before + 3, "%s: the victim has noticed nothing", after);
}

static inline void victim_stop(void)
{
	kill(attack_victim->pid, SIGKILL);
	waitpid(attack_victim->pid, NULL, 0);
}

#endif
