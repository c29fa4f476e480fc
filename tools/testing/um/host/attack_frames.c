// SPDX-License-Identifier: GPL-2.0
/* What the kernel process reads from STATE and the signal stack. */
#include <ucontext.h>
#include "attack.h"

#define TOCTOU_ROUNDS	4000

/* One true stop; then "stopped" again, with three addresses of its choice. */
GUEST(a_frame,
	"mov $39, %eax; syscall\n"
	"mov 0x10(%rdi), %rax; test %r10, %r10; jz 1f; mov %r10, (%rax,%r12)\n"
	"1: test %rsi, %rsi; jz 1f; mov %rsi, 0x10(%rdi)\n"
	"1: test %rdx, %rdx; jz 1f; mov %rdx, 0x18(%rdi)\n"
	"1: mov %r8d, 0x20(%rdi); mov %r9d, 8(%rdi)\n"
	"movl $2, (%rdi)\n"
	"1: pause; jmp 1b");

#define UC_CS		184
#define UC_FPSTATE	224

static void frame_word(unsigned long uc, unsigned long info, unsigned long offset,
		       unsigned long word, int signo, int kind)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, a_frame);
	gp[UM_RDI] = SC_STATE;
	gp[UM_RSI] = uc;
	gp[UM_RDX] = info;
	gp[UM_R10] = word;
	gp[UM_R12] = offset;
	gp[UM_R8] = signo;
	gp[UM_R9] = kind;
	run(mm, gp, &ev);
	host_usermode->resume(mm, gp, 0);
	if (glance(mm, gp, &ev, 30)) {
		/* Whatever that was, its extended state is asked for, and it goes on. */
		void *buf = aligned_alloc(64, host_cpu.fp_size);

		if (!host_usermode->fp_get(mm, buf))
			host_usermode->fp_set(mm, buf);
		free(buf);
		for (int r = 0; r < UM_NR_REGS; r++)
			expect(gp[r] != SECRET, "frame %lx: the victim's register %d", uc, r);
		expect((gp[UM_CS] & 3) == 3, "code segment %lx: no user's", gp[UM_CS]);
		brief(mm, gp, &ev, 0, 3);
	}
	host_usermode->mm_destroy(mm);
}

static void frame(unsigned long uc, unsigned long info, unsigned long fp, int signo, int kind)
{
	frame_word(uc, info, UC_FPSTATE, fp, signo, kind);
}

/* The frame of the victim, as seen from an attacker whose check is missing. */
static unsigned long victims(struct um_mm *mm, unsigned long addr)
{
	return addr + (unsigned long)sc_state(victim) - (unsigned long)sc_state(mm);
}

void attack_frames(void)
{
	static const int signals[] = { 0, 4, 5, 7, 8, 11, 14, 31, 64, -1 };
	unsigned long end = SC_STACK + sc_info.stack_size, near[14], n = 0;
	struct um_mm *mm = new_attacker();
	unsigned long uc = sc_state(victim)->frame, info = sc_state(victim)->info;

	/* The next attacker gets this slot or the one after it. */
	for (int step = 0; step < 3; step++)
		frame(victims(mm, uc) - step * sc_info.slot_size,
		      victims(mm, info) - step * sc_info.slot_size, 0, 31, KIND_SIGNAL);
	near[n++] = end - 8;
	near[n++] = end - offsetof(ucontext_t, __fpregs_mem);
	near[n++] = end - offsetof(ucontext_t, __fpregs_mem) + 8;
	near[n++] = end;
	near[n++] = SC_STACK;
	near[n++] = SC_STACK - 8;
	near[n++] = SC_STATE;
	near[n++] = SC_CMD;
	near[n++] = SC_CODE;
	near[n++] = DATA;
	near[n++] = SC_STACK + 0x1001;
	near[n++] = 0x4000000000UL;
	near[n++] = 0x8000000000000000UL;
	near[n++] = -8UL;
	for (unsigned int i = 0; i < n; i++) {
		frame(near[i], 0, 0, 31, KIND_SIGNAL);
		frame(0, near[i], 0, 31, KIND_SIGNAL);
		frame(0, 0, near[i], 31, KIND_SIGNAL);
		frame(0, 0, near[i] & ~63UL, 11, KIND_AGAIN);
		frame(near[i], near[i], near[i], 11, KIND_SIGNAL);
	}
	for (unsigned long cs = 1; cs < 0x100; cs += 5)
		frame_word(0, 0, UC_CS, cs, 11, KIND_SIGNAL);
	/* Frames that overlap each other and themselves. */
	for (unsigned long at = SC_STACK; at < SC_STACK + 0x1000; at += 0x188)
		frame(at & ~7UL, at & ~7UL, at & ~63UL, 31, KIND_SIGNAL);
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		for (int kind = -1; kind < 5; kind++)
			frame(0, 0, 0, signals[i], kind);
	host_usermode->mm_destroy(mm);
}

/* Frame and information now here, now where nothing is. */
GUEST(a_flip,
	"mov $39, %eax; syscall\n"
	"mov 0x10(%rdi), %r8; mov 0x18(%rdi), %r9; mov 0xe0(%r8), %r10\n"
	"movl $0, 8(%rdi)\n"
	"1: mov %r8, 0x10(%rdi); mov %r9, 0x18(%rdi); mov %r10, 0xe0(%r8)\n"
	"movl $2, (%rdi)\n"
	"mov %rsi, 0x10(%rdi); mov %rsi, 0x18(%rdi); mov %rsi, 0xe0(%r8)\n"
	"jmp 1b");

void attack_toctou(void)
{
	static const unsigned long evil[] = {
		0x4000000000UL, -8UL, SC_STACK - 0x200000000UL, 0x8000000000000000UL,
	};
	unsigned long gp[UM_NR_REGS];
	struct um_mm *mm = NULL;
	struct um_event ev;
	void *buf = aligned_alloc(64, host_cpu.fp_size);

	for (int i = 0; i < TOCTOU_ROUNDS; i++) {
		if (!mm) {
			mm = new_attacker();
			LOAD(gp, a_flip);
			gp[UM_RDI] = SC_STATE;
			gp[UM_RSI] = evil[i % 4];
			run(mm, gp, &ev);
		}
		brief(mm, gp, &ev, 0, 3);
		if (ev.kind != UM_EV_DEAD && i % 8 == 0)
			host_usermode->fp_get(mm, buf);
		if (ev.kind != UM_EV_DEAD)
			continue;
		host_usermode->mm_destroy(mm);
		mm = NULL;
	}
	if (mm)
		host_usermode->mm_destroy(mm);
	free(buf);
}

/* Noise in the first 0x40 bytes of STATE; a system call now and then. */
GUEST(a_noise,
	"1: rdtsc; imul %r9, %rax; mov %rax, %rcx; shr $40, %rcx; and $0x3c, %ecx\n"
	"mov %rax, %rbx; shr $32, %rbx; test $3, %bl; jz 2f; and $7, %ebx\n"
	"2: mov %ebx, (%rdi,%rcx)\n"
	"test $0x38, %bl; jnz 3f; and $0x38, %ecx; mov %rax, (%rdi,%rcx)\n"
	"3: incl (%r8); testl $0xff, (%r8); jnz 1b\n"
	"mov $39, %eax; syscall; jmp 1b");

void attack_turn(void)
{
	struct um_map_op op = { UM_ADD, HOST_PROT_READ, HOLE, PAGE, RO_OFF };
	unsigned long gp[UM_NR_REGS];
	static const int kinds[] = { 4, 0x1000, 0x10000000, 0x7fffffff, -0x7fffffff, -1 };
	struct um_mm *mm = NULL;
	struct um_event ev;
	int dead = 0;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		frame(0, 0, 0, SIGSYS, kinds[i]);
	for (int i = 0; i < 3000; i++) {
		if (!mm) {
			mm = new_attacker();
			LOAD(gp, a_noise);
			gp[UM_RDI] = SC_STATE;
			gp[UM_R8] = DATA;
			gp[UM_R9] = 0x9e3779b97f4a7c15UL;
		}
		op.kind = i % 3 ? UM_ADD : UM_UNMAP;
		if (i % 2)
			expect(host_usermode->map(mm, &op, 1) != -EINVAL, "map()");
		brief(mm, gp, &ev, i % 5 ? 0 : UM_RUN_STEP, 2);
		if (i % 100 == 0)
			victim_check("beside noise");
		if (ev.kind != UM_EV_DEAD)
			continue;
		dead++;
		host_usermode->mm_destroy(mm);
		mm = NULL;
	}
	printf("# %d of them died\n", dead);
	if (mm)
		host_usermode->mm_destroy(mm);
}
