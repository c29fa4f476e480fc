// SPDX-License-Identifier: GPL-2.0
/* The agent's orders and answers, under attack by a liar in the same memory. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include "attack.h"

#define LOOPS	(mem + DATA_OFF + 8)
#define LIE	"mov $39, %eax; syscall; movl $2, (%rdi)\n"

/* The last order's number, to be read by anybody, to all of STATE that is free. */
GUEST(a_answer,
	LIE
	"1: mov (%rsi), %eax\n"
	"mov %eax, 0x30(%rdi); mov %eax, 0x34(%rdi); mov %eax, 0x38(%rdi); mov %eax, 0x3c(%rdi)\n"
	"mov %eax, 0x68(%rdi); mov %eax, 0x6c(%rdi); mov %eax, 0x70(%rdi); mov %eax, 0x74(%rdi)\n"
	"mov (%r8), %rax; mov %rax, (%rdx); incq 8(%rdx); jmp 1b");

static unsigned long word(const void *p)
{
	return *(const volatile unsigned long *)p;
}

static struct um_mm *start_liar(const char *from, const char *to)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	load_code(gp, from, to);
	gp[UM_RDI] = SC_STATE;
	gp[UM_RSI] = SC_CMD + CMD_SEQ;
	gp[UM_RDX] = DATA;
	gp[UM_R8] = PREY;
	run(mm, gp, &ev);
	run(mm, gp, &ev);
	for (int i = 0; i < 100000 && ev.kind == UM_EV_SYSCALL && !word(LOOPS); i++)
		usleep(50);
	expect(ev.kind == UM_EV_SYSCALL && word(LOOPS), "no liar: event %d", ev.kind);
	return mm;
}

void attack_answers(void)
{
	struct um_map_op take = { UM_UNMAP, 0, PREY, PAGE, 0 };
	struct um_mm *mm;

	for (int i = 0; i < 100; i++) {
		mm = start_liar(a_answer, a_answer_end);
		expect(!host_usermode->map(mm, &take, 1), "map()");
		if (!expect(sc_ack(mm)->seq == mm->seq, "an answer the agent has not given"))
			return;
		host_usermode->mm_destroy(mm);
	}
}

/*
 * An order of its own: the secrets, please. Where the store is refused that is
 * the end; else the agent obeys as soon as it is woken.
 */
GUEST(a_order,
	"movq $9, (%rsi)\n"
	"mov %r8, 8(%rsi); movq $4096, 16(%rsi); movq $3, 24(%rsi); movq $0x11, 32(%rsi)\n"
	"movq $0, 40(%rsi); mov %r9, 48(%rsi)\n"
	"movl $1, -1020(%rsi); incl -1024(%rsi)\n"
	"1: pause; jmp 1b");

void attack_orders(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, a_order);
	gp[UM_RSI] = SC_CMD + CMD_OPS;
	gp[UM_R8] = PREY;
	gp[UM_R9] = SECRET_OFF;
	host_usermode->resume(mm, gp, 0);
	glance(mm, gp, &ev, 20);
	expect(ev.kind == UM_EV_FAULT, "writing an order: event %d", ev.kind);
	expect(sc_cmd(mm)->seq == mm->seq && sc_cmd(mm)->ops[0].arg[5] != SECRET_OFF,
	       "it has given an order");
	host_usermode->mm_destroy(mm);
}

/* Everything it can write, all the time, but for what makes it run. */
GUEST(a_trash,
	LIE
	"0: cmpq $0, 16(%r8); je 0b\n"		/* until the lie is believed */
	"1: mov %r9, %rcx\n"
	"2: rdtsc; imul $0x9e3779b1, %eax, %eax; mov %rax, (%rcx); add $8, %rcx; cmp %r10, %rcx; jne 3f\n"
	"mov %r9, %rcx\n"
	"3: cmp %r12, %rcx; jne 4f\n"
	"mov %r13, %rcx\n"
	"4: incq (%r8); jmp 2b");

void attack_trash(void)
{
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, PAGE, RO_OFF };
	struct um_mm *mm;
	char line[300];
	int err = 0;

	mm = new_attacker();
	{
		unsigned long gp[UM_NR_REGS];
		struct um_event ev;

		LOAD(gp, a_trash);
		gp[UM_RDI] = SC_STATE;
		gp[UM_R8] = PREY;
		gp[UM_R9] = SC_STATE + STATE_FRAME;
		gp[UM_R10] = SC_STACK + sc_info.stack_size;
		gp[UM_R12] = SC_STATE + sc_info.state_size;
		gp[UM_R13] = SC_STACK;
		run(mm, gp, &ev);
		run(mm, gp, &ev);
		expect(ev.kind == UM_EV_SYSCALL, "no liar: event %d", ev.kind);
		*(volatile long *)(mem + PREY_OFF + 16) = 1;
		for (int i = 0; i < 100000 && !word(mem + PREY_OFF); i++)
			usleep(50);
	}
	for (int i = 0; i < 2000 && !err; i++) {
		op.kind = i & 1 ? UM_UNMAP : UM_MAP;
		err = host_usermode->map(mm, &op, 1);
		expect(!err, "order %d: %d", i, err);
		if (i % 100 > 1 || !mm->runner)
			continue;
		mapping_at(mm, HOLE, line, sizeof(line));
		expect((*line == 0) == (i & 1), "order %d was not obeyed: %s", i, line);
	}
	expect(mm->agent && !process_gone(mm->agent), "the agent died");
	host_usermode->mm_destroy(mm);
}
