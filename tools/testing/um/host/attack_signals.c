// SPDX-License-Identifier: GPL-2.0
/* Signals: from outside, swallowed, and without room for a frame. */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "attack.h"

/* CPU time after which a runner that was kicked is a nuisance. */
#define DEAF_NS		8000000000ULL

static void must_end(struct um_mm *mm, unsigned long *gp, const char *name)
{
	unsigned long long start;
	struct um_event ev;

	host_usermode->resume(mm, gp, 0);
	if (!glance(mm, gp, &ev, 10)) {
		start = runner_ns(mm);
		host_usermode->kick(mm);
		do {
			glance(mm, gp, &ev, 1);
		} while (ev.kind == UM_EV_INTERRUPT && runner_ns(mm) < start + DEAF_NS);
	}
	expect(ev.kind != UM_EV_INTERRUPT, "%s: runs for ever", name);
	victim_check(name);
	host_usermode->mm_destroy(mm);
}

static void loop_in_return(void)
{
	unsigned long to = find_code(RUNNER_RETURN);
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];

	endless_frame(mem + PREY_OFF, PREY, to);
	LOAD(gp, g_jump);
	gp[UM_RDI] = to;
	gp[UM_RDX] = PREY;
	must_end(mm, gp, "a loop in runner_return");
}

/*
 * Stops without end that mean nothing: a frame whose code says "sent" and whose
 * registers lead to where the runner publishes it.
 */
GUEST(a_nothing,
	"movl $-1, 4(%rdi); movl $0, 8(%rdi)\n"
	"lea 0x1000(%rsi), %rax; mov %rax, 0x10(%rdi); lea 0x800(%rsi), %rax; mov %rax, 0x18(%rdi)\n"
	"movl $10, 0x20(%rdi); movl $0, 0x808(%rsi)\n"
	"mov %rdx, 0x10a8(%rsi); mov %rcx, 0x10a0(%rsi); movq $0x202, 0x10b0(%rsi)\n"
	"movq $0x33, 0x10b8(%rsi); lea 0x1400(%rsi), %rax; mov %rax, 0x10e0(%rsi)\n"
	"movl $0x1f80, 0x1418(%rsi); jmp *%rdx");

static void loop_of_nothing(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];

	LOAD(gp, a_nothing);
	gp[UM_RDI] = SC_STATE;
	gp[UM_RSI] = SC_STACK;
	gp[UM_RDX] = find_code("\xb8\x02\x00\x00\x00\x87", 6);	/* runner_publish */
	gp[UM_RCX] = STACK_TOP;
	must_end(mm, gp, "stops that mean nothing");
}

/* In the stub with the turn word saying that nobody waits. */
GUEST(a_spin, "1: movl $2, (%rdi); movl $1, (%rdi); jmp 1b");

void attack_deaf(void)
{
	struct um_mm *mm;
	unsigned long gp[UM_NR_REGS];

	loop_in_return();
	loop_of_nothing();
	mm = new_attacker();
	LOAD(gp, a_spin);
	gp[UM_RDI] = SC_STATE;
	must_end(mm, gp, "a turn word that toggles");
	for (unsigned long at = 0x100; at < PAGE; at += 0x7c) {
		mm = new_attacker();
		LOAD(gp, g_jump);
		gp[UM_RIP] = SC_CODE + at;
		gp[UM_RDX] = SC_STACK + 0x1000;
		gp[UM_RSP] = SC_STACK + 0x8000;
		must_end(mm, gp, "a jump into the stub");
	}
}

GUEST(a_low, "mov %rdi, %rsp; 1: jmp 1b");
GUEST(a_low_call, "mov %rdi, %rsp; mov $39, %eax; syscall; 1: jmp 1b");
GUEST(a_low_fault, "mov %rdi, %rsp; mov (%rsi), %rax; 1: jmp 1b");

void attack_low_stack(void)
{
	unsigned long gp[UM_NR_REGS];
	struct um_mm *mm;

	for (unsigned long sp = 0; sp <= 0x2000; sp += 0x1f8) {
		mm = new_attacker();
		LOAD(gp, a_low);
		gp[UM_RDI] = SC_STACK + sp;
		must_end(mm, gp, "a loop low on the stack");
		mm = new_attacker();
		LOAD(gp, a_low_call);
		gp[UM_RDI] = SC_STACK + sp;
		must_end(mm, gp, "a call low on the stack");
		mm = new_attacker();
		LOAD(gp, a_low_fault);
		gp[UM_RDI] = SC_STACK + sp;
		gp[UM_RSI] = HOLE;
		must_end(mm, gp, "a fault low on the stack");
	}
}

GUEST(a_work, "1: mov $500000, %ecx; 2: dec %ecx; jnz 2b; mov $39, %eax; syscall; jmp 1b");

/* Whatever is sent to either process, guest code does not see it. */
void attack_signals(void)
{
	static const int sent[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS, SIGTERM, SIGHUP,
		SIGSTOP, SIGTSTP, SIGCONT, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE, 34, 64 };
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, PAGE, RO_OFF };
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	int killer, calls = 0, status;
	struct um_event ev;

	killer = fork();
	if (!killer) {
		for (int i = 0; i < 3000; i++) {
			kill(i & 1 ? mm->agent : mm->runner, sent[i / 2 % (sizeof(sent) / sizeof(*sent))]);
			usleep(50);
		}
		_exit(0);
	}
	LOAD(gp, a_work);
	while (!waitpid(killer, &status, WNOHANG)) {
		run(mm, gp, &ev);
		if (!expect(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39, "event %d signal %d",
			    ev.kind, ev.signo))
			break;
		op.kind = ++calls & 1 ? UM_MAP : UM_UNMAP;
		expect(!host_usermode->map(mm, &op, 1), "map()");
	}
	host_usermode->mm_destroy(mm);
}

/* Someone kills or stops one of the processes; nobody waits for it for ever. */
void attack_killed(void)
{
	static const int sent[] = { SIGKILL, SIGSTOP };
	struct um_map_op op = { UM_UNMAP, 0, PREY, PAGE, 0 };
	char *fp = aligned_alloc(64, host_cpu.fp_size);
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_mm *mm;

	for (int i = 0; i < 24; i++) {
		mm = new_attacker();
		LOAD(gp, g_call);
		if (i & 4)
			run(mm, gp, &ev);
		kill(i & 2 ? mm->agent : mm->runner, sent[i & 1]);
		if (i % 3 == 0)
			host_usermode->map(mm, &op, 1);
		if (i % 3 == 1)
			host_usermode->fp_get(mm, fp);
		brief(mm, gp, &ev, 0, 3);
		host_usermode->mm_destroy(mm);
		/* Nor for the one that makes them. */
		kill(nursery.agent, sent[i & 1]);
	}
	free(fp);
}
