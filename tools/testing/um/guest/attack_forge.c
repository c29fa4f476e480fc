// SPDX-License-Identifier: GPL-2.0
/*
 * Forged events: a process makes up the signal frame by which the guest kernel
 * learns why it stopped.  Calls, page faults and traps that did not happen, with
 * numbers, addresses and codes that no CPU would give.
 */
#include "attack.h"

#define NR_FORGED	400

static unsigned long seed = 88172645463325252UL;

static unsigned long rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Often something that has a meaning, else anything. */
static unsigned long any(const unsigned long *list, int n)
{
	return rnd() % 4 ? list[rnd() % n] : rnd() >> rnd() % 64;
}

#define ANY(list)	any(list, sizeof(list) / sizeof(*(list)))

static void forge(unsigned long n)
{
	static const unsigned long addrs[] = { 0, 8, SC_CODE, SC_CODE - 8, SC_STATE, 0x7ffffffff000,
		0x800000000000, 0x40000000, 0x400000000000, 0xffff888000000000, 0xffffffffff600000,
		0xffffffffff600400, -8UL, 0x8000000000000000, 0x7fffffffffffffff };
	static const unsigned long signals[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS,
		SIGALRM, 0, 64 };
	static const unsigned long traps[] = { 0, 1, 3, 6, 8, 13, 14, 14, 14, 17, 19, 255 };
	static const unsigned long archs[] = { 0xc000003e, 0x40000003, 0 };
	static volatile int again;
	static char own;
	unsigned long addr;

	/* The same each time: what is found can be found again. */
	seed += n * 0x9e3779b97f4a7c15;
	addr = rnd() % 8 ? ANY(addrs) : (unsigned long)&own;
	again = 0;
	raw0(SYS_getppid);
	/* Twice the same page, for who counts. */
	if (again++ < 4 && *FRAME) {
		put(*FRAME + UC_ERR, rnd() >> rnd() % 64);
		put(*FRAME + UC_TRAPNO, ANY(traps));
		put(*FRAME + UC_CR2, addr);
		if (rnd() % 4 == 0)
			put(*FRAME + UC_RIP, ANY(addrs));
		if (rnd() % 4 == 0)
			put(*FRAME + UC_GREGS + 8 * (rnd() % 23), rnd());
		put(*INFO + INFO_ADDR, addr);
		*(volatile int *)(*INFO + INFO_CODE) = rnd() % 2 ? rnd() % 12 : rnd();
		*(volatile int *)(*INFO + INFO_CALL) = rnd();
		*(volatile int *)(*INFO + INFO_ARCH) = ANY(archs);
		*(volatile int *)(SC_STATE + STATE_SIGNO) = ANY(signals);
		*TURN = TURN_RUN;
		if (again < 2)
			wake_and_leave();
	}
	*TURN = TURN_STOPPED;
	for (;;)
		asm volatile("pause");
}

/* A fault of what is no user, who could not be killed. */
static void forge_kernel(unsigned long cs)
{
	raw0(SYS_getppid);
	put(*FRAME + UC_CSGSFS, cs);
	put(*FRAME + UC_RIP, 8);
	put(*FRAME + UC_ERR, 4);
	put(*FRAME + UC_TRAPNO, 14);
	put(*FRAME + UC_CR2, 8);
	*(volatile int *)(*INFO + INFO_CODE) = 1;
	*(volatile int *)(SC_STATE + STATE_SIGNO) = SIGSEGV;
	*(volatile int *)(SC_STATE + STATE_KIND) = KIND_SIGNAL;
	*TURN = TURN_STOPPED;
	for (;;)
		asm volatile("pause");
}

/* A fault that would be over once the page is mapped, again and again. */
static void forge_refill(unsigned long n)
{
	static unsigned long page[512] __attribute__((aligned(4096)));

	(void)n;
	page[0] = 1;
	raw0(SYS_getppid);
	for (;;) {
		put(*FRAME + UC_ERR, 4);
		put(*FRAME + UC_TRAPNO, 14);
		put(*FRAME + UC_CR2, (unsigned long)page);
		*(volatile int *)(*INFO + INFO_CODE) = 1;
		*(volatile int *)(SC_STATE + STATE_SIGNO) = SIGSEGV;
		*(volatile int *)(SC_STATE + STATE_KIND) = KIND_SIGNAL;
		*TURN = TURN_STOPPED;
	}
}

int main(void)
{
	static const unsigned long cs[] = { 0, 0x10, 0x18, 0x33, 0x23, 0x2b0033 };
	int i, lived = 0;

	if (!have_stub())
		return tap_done();
	victim_start();
	for (i = 0; i < NR_FORGED; i++)
		lived += attempt(forge, i, 10) == 0;
	diag("%d of %d lived", lived, NR_FORGED);
	victim_check("after forged events");
	for (i = 0; i < (int)(sizeof(cs) / sizeof(*cs)); i++)
		ok(WIFSIGNALED(attempt(forge_kernel, cs[i], 100)), "a fault by code segment %lx", cs[i]);
	victim_check("after faults of no user");
	for (i = 0; i < 5; i++)
		ok(WIFSIGNALED(attempt(forge_refill, 0, 300)), "who forges faults without end dies");
	victim_check("after faults without end");
	victim_stop();
	return tap_done();
}
