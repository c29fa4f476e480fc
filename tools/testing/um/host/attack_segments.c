// SPDX-License-Identifier: GPL-2.0
/* Segments, and extended state that the stub did not expect. */
#include <cpuid.h>
#include "attack.h"

GUEST(a_load,
	"mov %eax, %ds; mov %eax, %es; mov %eax, %fs; mov %eax, %gs\n"
	"mov $39, %eax; syscall; mov $40, %eax; syscall");
GUEST(a_bases, "wrfsbase %rdi; wrgsbase %rsi; mov $39, %eax; syscall\n"
	"rdfsbase %rbx; rdgsbase %rcx; mov $40, %eax; mov %rcx, %r8; syscall");
GUEST(a_use, "wrgsbase %rdi; mov %gs:0, %rax; mov $39, %eax; syscall");
GUEST(a_far, "push %rdi; push %rsi; lretq");
GUEST(a_iret, "push $0x2b; push %rsp; pushf; push %rdi; push %rsi; iretq");
GUEST(a_far32, "push $0x23; lea 1f(%rip), %rcx; push %rcx; lretq\n"
	".code32\n1: mov %eax, %ds; mov %eax, %es; jmp 1b\n.code64");

static struct um_mm *mm;

static void must_live(struct um_event *ev, const char *name, unsigned long value)
{
	expect(ev->kind != UM_EV_DEAD, "%s %lx: the stub died", name, value);
	if (ev->kind != UM_EV_DEAD)
		return;
	host_usermode->mm_destroy(mm);
	mm = new_attacker();
}

void attack_segments(void)
{
	static const unsigned long bases[] = { 0, 1, SC_CMD, SC_STATE, 0x7fffffffffff,
		0xffff888000000000UL, -8UL, 0xffffffffff600000UL, 0x800000000000UL };
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	mm = new_attacker();
	for (unsigned long sel = 0; sel < 0x90; sel++) {
		LOAD(gp, a_load);
		gp[UM_RAX] = sel;
		brief(mm, gp, &ev, 0, 100);
		must_live(&ev, "selector", sel);
		brief(mm, gp, &ev, 0, 100);
		must_live(&ev, "selector", sel);
		/* Code segments of all kinds: user, kernel, 32 bit, the task's. */
		LOAD(gp, a_far);
		gp[UM_RDI] = sel;
		gp[UM_RSI] = CODE + 64;
		brief(mm, gp, &ev, 0, 3);
		must_live(&ev, "far return", sel);
		LOAD(gp, a_iret);
		gp[UM_RDI] = sel;
		gp[UM_RSI] = CODE + 64;
		brief(mm, gp, &ev, 0, 3);
		must_live(&ev, "iret", sel);
	}
	for (unsigned int i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		LOAD(gp, a_bases);
		gp[UM_RDI] = bases[i];
		gp[UM_RSI] = bases[i];
		run(mm, gp, &ev);
		run(mm, gp, &ev);
		if (ev.kind == UM_EV_SYSCALL)
			expect(gp[UM_RBX] == bases[i] && gp[UM_R8] == bases[i], "base %lx: %lx %lx",
			       bases[i], gp[UM_RBX], gp[UM_R8]);
		must_live(&ev, "base", bases[i]);
		LOAD(gp, a_use);
		gp[UM_RDI] = bases[i];
		run(mm, gp, &ev);
		must_live(&ev, "use of base", bases[i]);
	}
	LOAD(gp, a_far32);
	gp[UM_RAX] = USER_DS;
	brief(mm, gp, &ev, 0, 3);
	expect(ev.kind == UM_EV_KICKED && gp[UM_CS] == USER32_CS, "32-bit loop: event %d cs %lx",
	       ev.kind, gp[UM_CS]);
	brief(mm, gp, &ev, 0, 3);
	expect(ev.kind == UM_EV_KICKED && gp[UM_CS] == USER32_CS, "... again: event %d", ev.kind);
	host_usermode->mm_destroy(mm);
}

GUEST(a_pkru, "xor %ecx, %ecx; xor %edx, %edx; wrpkru; mov $39, %eax; syscall; 1: jmp 1b");
GUEST(a_tiles, ".byte 0xc4,0xe2,0x7b,0x49,0xc0; mov $39, %eax; syscall");	/* tilezero tmm0 */
GUEST(a_xrstor, "xor %edx, %edx; not %edx; mov %edx, %eax; xrstor64 (%rdi); mov $39, %eax; syscall");
GUEST(a_mxcsr, "ldmxcsr (%rdi); mov $39, %eax; syscall");

void attack_xstate(void)
{
	static const unsigned int pkru[] = { -1, 1, 2, -4 };
	unsigned char *fp = (unsigned char *)mem + PREY_OFF;
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	mm = new_attacker();
	/* No access to any key, then to all but the first: whoever lives, stops. */
	for (unsigned int i = 0; i < 4; i++) {
		LOAD(gp, a_pkru);
		gp[UM_RAX] = pkru[i];
		brief(mm, gp, &ev, 0, 20);
		if (ev.kind == UM_EV_SYSCALL)
			brief(mm, gp, &ev, 0, 3);
		if (ev.kind == UM_EV_DEAD) {
			host_usermode->mm_destroy(mm);
			mm = new_attacker();
		}
	}
	LOAD(gp, a_tiles);
	run(mm, gp, &ev);
	expect(ev.kind == UM_EV_TRAP, "tiles without permission: event %d", ev.kind);
	for (int bit = 0; bit < 64; bit++) {
		memset(fp, 0, PAGE);
		fp[24] = 0x80;
		fp[25] = 0x1f;
		fp[512 + bit / 8] = 1 << bit % 8;
		LOAD(gp, a_xrstor);
		gp[UM_RDI] = PREY;
		run(mm, gp, &ev);
		must_live(&ev, "xrstor of component", bit);
		/* The same through the interface. */
		if (host_usermode->fp_set(mm, fp) != -EINVAL)
			expect(bit < 63 && host_cpu.xfeatures >> bit & 1, "component %d", bit);
		LOAD(gp, g_call);
		run(mm, gp, &ev);
		expect(ev.kind == UM_EV_SYSCALL, "component %d: event %d", bit, ev.kind);
	}
	LOAD(gp, a_mxcsr);
	*(unsigned int *)(mem + DATA_OFF) = -1;
	gp[UM_RDI] = DATA;
	run(mm, gp, &ev);
	expect(ev.kind == UM_EV_TRAP, "reserved bits of MXCSR: event %d", ev.kind);
	host_usermode->mm_destroy(mm);
}
