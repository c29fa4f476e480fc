// SPDX-License-Identifier: GPL-2.0
/* Running an attacker, who may never stop by itself. */
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include "attack.h"

static void on_tick(int sig)
{
	host_boot_vcpu.pending |= 1 << UM_IRQ_TIMER;
}

void ticks(void)
{
	static const struct itimerval tick = { { 0, 1000 }, { 0, 1000 } };

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_tick }, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
}

int glance(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int looks)
{
	do {
		host_boot_vcpu.pending = 0;
		memset(ev, 0, sizeof(*ev));
		host_usermode->wait(mm, gp, ev);
	} while (ev->kind == UM_EV_INTERRUPT && --looks > 0);
	return ev->kind != UM_EV_INTERRUPT;
}

void brief(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags, int looks)
{
	host_usermode->resume(mm, gp, flags);
	if (glance(mm, gp, ev, looks))
		return;
	host_usermode->kick(mm);
	finish(mm, gp, ev);
}

unsigned long long runner_ns(struct um_mm *mm)
{
	struct timespec t = { 0 };
	clockid_t clock;

	if (!clock_getcpuclockid(mm->runner, &clock))
		clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

unsigned long find_code(const char *bytes, int len)
{
	const char *p = memmem(sc_image, PAGE, bytes, len);

	if (!p) {
		printf("Bail out! the stub has changed: look for other code\n");
		exit(1);
	}
	return SC_ADDR(p);
}

struct um_mm *new_attacker(void)
{
	struct um_map_op op = { UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, PREY, PAGE, PREY_OFF };
	struct um_mm *mm = new_mm();

	memset(mem + DATA_OFF, 0, PAGE);
	snprintf(mem + DATA_OFF + PATH, 64, "/tmp/um-attack-%d", getpid());
	memset(mem + PREY_OFF, 0, PAGE);
	host_usermode->map(mm, &op, 1);
	return mm;
}

void endless_frame(void *uc, unsigned long addr, unsigned long to)
{
	unsigned long *word = uc;

	word[136 / 8] = addr;		/* rdx */
	word[160 / 8] = STACK_TOP;	/* rsp */
	word[168 / 8] = to;		/* rip */
	word[176 / 8] = 0x202;
	word[224 / 8] = addr + 0x400;	/* extended state: none */
	*(unsigned int *)((char *)uc + 0x400 + 24) = 0x1f80;
}
