// SPDX-License-Identifier: GPL-2.0
/* Interrupts, kicks, limits, and every way to die. */
#include <sched.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "usermode_test.h"

static void on_alarm(int sig)
{
	host_boot_vcpu.pending |= 1 << UM_IRQ_TIMER;
}

GUEST(g_xmm, "movq %rdi, %xmm0; mov $39, %eax; syscall");

/* All on one CPU, so that each kick is there before the guest gets it. */
static void kicks_before_starts(void)
{
	unsigned char *fp = malloc(host_cpu.fp_size);
	int pids[1024], nr, kicks = 0, dead = 0;
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS], canary = 0x123456789abcdef;
	struct um_event ev;
	cpu_set_t all, one;

	LOAD(gp, g_xmm);
	gp[UM_RDI] = canary;
	run(mm, gp, &ev);
	nr = stub_pids(pids, 1024, getpid());
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	for (int i = 0; i < nr; i++)
		sched_setaffinity(pids[i], sizeof(one), &one);
	sched_setaffinity(0, sizeof(one), &one);
	gp[UM_RIP] = CODE + 5;
	for (int i = 0; i < 300; i++) {
		host_usermode->resume(mm, gp, 0);
		host_usermode->kick(mm);
		finish(mm, gp, &ev);
		if (ev.kind == UM_EV_SYSCALL)
			gp[UM_RIP] = CODE + 5;
		kicks += ev.kind == UM_EV_KICKED;
		dead += ev.kind == UM_EV_DEAD;
	}
	for (int i = 0; i < nr; i++)
		sched_setaffinity(pids[i], sizeof(all), &all);
	sched_setaffinity(0, sizeof(all), &all);
	check(kicks && !dead, "300 kicks before the guest can start, %d in time", kicks);
	check(!host_usermode->fp_get(mm, fp) && !memcmp(fp + 160, &canary, sizeof(canary)),
	      "xmm0 survives them");
	free(fp);
	host_usermode->mm_destroy(mm);
}

void test_interrupts(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS], before;
	struct um_event ev;
	struct itimerval tick = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	int interrupts = 0, kicked = 0, other = 0;

	signal(SIGALRM, SIG_DFL);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	LOAD(gp, g_loop);
	host_usermode->resume(mm, gp, 0);
	while (interrupts < 20) {
		host_usermode->wait(mm, gp, &ev);
		host_boot_vcpu.pending = 0;
		interrupts += ev.kind == UM_EV_INTERRUPT;
		other += ev.kind != UM_EV_INTERRUPT;
		if (other > 3)
			break;
	}
	check(interrupts == 20 && !other, "interrupts while the guest runs");
	host_usermode->kick(mm);
	host_usermode->kick(mm);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_KICKED && gp[UM_RAX] > 1000, "kick");
	before = gp[UM_RAX];
	host_usermode->resume(mm, gp, 0);
	host_boot_vcpu.pending = 0;
	host_usermode->wait(mm, gp, &ev);
	check(ev.kind == UM_EV_INTERRUPT, "one kick is reported once");
	host_usermode->kick(mm);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_KICKED && gp[UM_RAX] >= before, "registers survive a kick");

	/* Kicks that come too late must not be seen, nor disturb map. */
	other = 0;
	LOAD(gp, g_call);
	for (int i = 0; i < 3000; i++) {
		struct um_map_op op = { i & 1 ? UM_MAP : UM_UNMAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

		host_usermode->resume(mm, gp, 0);
		for (volatile int spin = 0; spin < (i % 50) * 100; spin++)
			;
		host_usermode->kick(mm);
		finish(mm, gp, &ev);
		kicked += ev.kind == UM_EV_KICKED;
		if (ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39)
			gp[UM_RAX] = 0;
		else if (ev.kind != UM_EV_KICKED)
			other++;
		if (i % 3 == 0 && host_usermode->map(mm, &op, 1))
			other++;
		if (i % 5 == 0) {
			run(mm, gp, &ev);
			if (ev.kind != UM_EV_SYSCALL)
				other++;
		}
	}
	check(!other && kicked, "kicks against system calls (%d of 3000 hit)", kicked);
	setitimer(ITIMER_REAL, &off, NULL);
	host_usermode->mm_destroy(mm);
	kicks_before_starts();
}

/* A tick that comes more often than the backend has a look. */
static void death_while_ticking(void)
{
	struct itimerval tick = { { 0, 4000 }, { 0, 4000 } }, off = { 0 };
	struct um_map_op op = { UM_UNMAP, 0, DATA, 4096, 0 };
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	setitimer(ITIMER_REAL, &tick, NULL);
	for (int n = 0; n < processes_of(NULL, NULL); n++) {
		void *fp = malloc(host_cpu.fp_size);
		struct um_mm *mm = new_mm();
		int pids[2];

		LOAD(gp, g_call);
		run(mm, gp, &ev);
		processes_of(mm, pids);
		kill(pids[n], SIGKILL);
		check(!host_usermode->map(mm, &op, 1), "ticks, map, process %d killed", n);
		host_usermode->fp_get(mm, fp);
		gp[UM_RIP] = CODE;
		run(mm, gp, &ev);
		check(ev.kind == UM_EV_DEAD, "ticks, run, process %d killed", n);
		free(fp);
		host_usermode->mm_destroy(mm);
	}
	setitimer(ITIMER_REAL, &off, NULL);
}

/* Who is dying still looks alive to who is asked for a stub. */
static void kill_for_good(int pid)
{
	siginfo_t info;

	kill(pid, SIGKILL);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL);
}

/* Orders of one address space are nothing to the next that has its place. */
static void places_used_again(void)
{
	static const struct um_map_op ops[] = {
		{ UM_MAP, HOST_PROT_READ, RO, 4096, RO_OFF },
		{ UM_PROTECT, HOST_PROT_READ, DATA, 4096, DATA_OFF },
		{ UM_PROTECT, HOST_PROT_READ, STACK, STACK_SIZE, UM_SCATTERED },
	};
	int bad = 0;

	for (int i = 0; i < 40; i++) {
		struct um_mm *mm = new_mm();

		bad += host_usermode->map(mm, ops, 3) || host_usermode->map(mm, NULL, 0);
		host_usermode->mm_destroy(mm);
	}
	check(!bad, "forty address spaces with other rights at last");
}

void test_death(void)
{
	struct um_mm *mm = new_mm(), *mm2;
	int stub = stub_of(mm), pids[64];
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_map_op op = { UM_UNMAP, 0, DATA, 4096, 0 };

	LOAD(gp, g_loop);
	host_usermode->resume(mm, gp, 0);
	kill(stub, SIGKILL);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "stub killed while it ran");
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "it stays dead");
	check(!host_usermode->map(mm, &op, 1) &&
	      host_usermode->fp_get(mm, malloc(host_cpu.fp_size)) == -ESRCH, "operations on the dead");
	host_usermode->kick(mm);
	host_usermode->mm_destroy(mm);

	mm = new_mm();
	kill(stub_of(mm), SIGKILL);
	check(!host_usermode->map(mm, &op, 1), "map of a stopped stub that was killed");
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "stub killed while it was stopped");
	host_usermode->mm_destroy(mm);
	death_while_ticking();

	mm = new_mm();
	for (int i = stub_pids(pids, 64, getpid()) - 1; i >= 0; i--)
		if (pids[i] != stub_of(mm))
			kill_for_good(pids[i]);
	mm2 = new_mm();
	LOAD(gp, g_syscall);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "a stub outlives the zygote");
	gp[UM_RIP] = CODE;
	run(mm2, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "the zygote is replaced");
	host_usermode->mm_destroy(mm);
	host_usermode->mm_destroy(mm2);
	places_used_again();
}

GUEST(g_private, "mov %rdi, (%rsi); mov $39, %eax; syscall; mov (%rsi), %rdi; mov $40, %eax; syscall");

void test_many(void)
{
	/* The zygote, and a pool of eight that have two. */
	enum { N = 200, LEFT_MAX = 1 + 2 * 8 };
	struct um_mm *mm[N];
	static unsigned long gp[N][UM_NR_REGS];
	static struct um_map_op ops[500];
	struct um_event ev;
	unsigned long long start = now_ns();
	int bad = 0, pids[N + 10], n;

	for (int i = 0; i < N; i++) {
		struct um_map_op op = { UM_MAP, 3, HOLE, 4096, 0x400000 + i * 4096 };

		mm[i] = new_mm();
		host_usermode->map(mm[i], &op, 1);
	}
	printf("# %d address spaces: %llu us each\n", N, (now_ns() - start) / 1000 / N);
	for (int i = 0; i < N; i++) {
		LOAD(gp[i], g_private);
		gp[i][UM_RDI] = i;
		gp[i][UM_RSI] = HOLE;
		run(mm[i], gp[i], &ev);
		bad += ev.kind != UM_EV_SYSCALL || gp[i][UM_ORIG_RAX] != 39;
	}
	for (int i = 0; i < N; i++) {
		run(mm[i], gp[i], &ev);
		bad += ev.kind != UM_EV_SYSCALL || gp[i][UM_RDI] != (unsigned long)i;
	}
	check(!bad, "200 address spaces with memory of their own");
	for (int i = 0; i < 500; i++)
		ops[i] = (struct um_map_op){ UM_MAP, 1, 0x10000000UL + i * 8192, 4096, i * 4096 };
	check(!host_usermode->map(mm[0], ops, 500), "batch of 500 operations");
	for (int i = 0; i < N; i++)
		host_usermode->mm_destroy(mm[i]);
	for (int i = 0; i < 100; i++) {
		usleep(10000);
		mm[0] = new_mm();
		LOAD(gp[0], g_syscall);
		run(mm[0], gp[0], &ev);
		host_usermode->mm_destroy(mm[0]);
		n = stub_pids(pids, N + 10, getpid());
		if (n <= LEFT_MAX)
			break;
	}
	check(n <= LEFT_MAX, "destroyed stubs are gone (%d left with the zygote)", n);
}

/* The host allows 65530 mappings; the error must be clean. */
void test_limits(void)
{
	static struct um_map_op ops[1000];
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	int err = 0;

	for (int round = 0; round < 80 && !err; round++) {
		for (int i = 0; i < 1000; i++)
			ops[i] = (struct um_map_op){ UM_MAP, 1,
				0x10000000UL + (round * 1000UL + i) * 8192, 4096, i * 4096 };
		err = host_usermode->map(mm, ops, 1000);
	}
	check(err == -ENOMEM, "too many mappings: %s", strerror(-err));
	ops[0] = (struct um_map_op){ UM_UNMAP, 0, 0x10000000UL, 0x20000000, 0 };
	err = host_usermode->map(mm, ops, 1);
	check(!err, "one unmap makes room: %s", strerror(-err));
	LOAD(gp, g_syscall);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "the stub still works");
	host_usermode->mm_destroy(mm);
}

/* Start a copy of this test that holds stubs, kill it, see what is left. */
void test_orphans(void)
{
	int child, pids[64], n = 0, left = 1, status;

	child = fork();
	if (!child) {
		execl("/proc/self/exe", "usermode_test", "--hold", NULL);
		_exit(1);
	}
	for (int i = 0; i < 500 && n < 4; i++) {
		usleep(10000);
		n = stub_pids(pids, 64, child);
	}
	check(n >= 4, "another kernel with %d stubs", n);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	for (int i = 0; i < 200 && left; i++) {
		left = 0;
		for (int k = 0; k < n; k++)
			left += !kill(pids[k], 0);
		usleep(10000);
	}
	for (int k = 0; k < n; k++)
		check(kill(pids[k], 0) < 0, "stub %d died with it", k);
}

void measure(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	unsigned long long start;
	enum { N = 20000 };

	LOAD(gp, g_call);
	start = now_ns();
	for (int i = 0; i < N; i++)
		run(mm, gp, &ev);
	printf("# system call: %llu ns\n", (now_ns() - start) / N);
	if (host_usermode->patch) {
		struct um_patch patch = { .ret = CODE + 7, .nr = 39 };

		LOAD(gp, g_patched_loop);
		host_usermode->patch(mm, 3, &patch);
		start = now_ns();
		for (int i = 0; i < N; i++)
			run(mm, gp, &ev);
		printf("# patched system call: %llu ns\n", (now_ns() - start) / N);
	}
	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE;
	start = now_ns();
	for (int i = 0; i < N; i++)
		run(mm, gp, &ev);
	printf("# fault: %llu ns\n", (now_ns() - start) / N);
	start = now_ns();
	for (int i = 0; i < N; i++) {
		struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, (i & 15) * 4096 };

		host_usermode->map(mm, &op, 1);
	}
	printf("# map: %llu ns\n", (now_ns() - start) / N);
	host_usermode->mm_destroy(mm);
}
