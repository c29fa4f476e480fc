// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of guest code that the host would perform. What makes a
 * directory goes first and ends the attack if it does: none of the others shall
 * be performed by a host that would.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include "attack.h"

#define SYS_MKDIR_I386	39
#define NR_UPROBE	336

GUEST(a_call, "syscall; ud2");
GUEST(a_int80, "int $0x80; ud2");
GUEST(a_sysenter, "mov %rsp, %rbp; sysenter; ud2");
GUEST(a_far_int80,
	"push $0x23; lea 1f(%rip), %rcx; push %rcx; lretq\n"
	".code32\n1: int $0x80; ud2\n.code64");
GUEST(a_far_syscall,
	"push $0x23; lea 1f(%rip), %rcx; push %rcx; lretq\n"
	".code32\n1: mov %ecx, %ebp; syscall; ud2\n.code64");
GUEST(a_far_sysenter,
	"push $0x23; lea 1f(%rip), %rcx; push %rcx; lretq\n"
	".code32\n1: mov %esp, %ebp; sysenter; ud2\n.code64");

static int call_is_ours(struct um_mm *mm, unsigned long nr, unsigned long a1, unsigned long a2)
{
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, a_call);
	gp[UM_RAX] = nr;
	gp[UM_RDI] = a1;
	gp[UM_RSI] = a2;
	brief(mm, gp, &ev, 0, 1000);
	return expect(ev.kind == UM_EV_SYSCALL && (int)gp[UM_ORIG_RAX] == (int)nr,
		      "call %#lx gave event %d, rax %lx", nr, ev.kind, gp[UM_RAX]);
}

void attack_calls(void)
{
	static const unsigned long top[] = {
		0, 0x40000000, 0x80000000, 0xffffffff00000000, 0x100000000, 0x7fffffff00000000,
	};
	static const long odd[] = { -1, -2, -4095, -512, -513, -514, -516, 0x7fffffff, 0xffff };
	struct um_mm *mm = new_attacker();

	call_is_ours(mm, SYS_mkdir, DATA + PATH, 0700);
	host_check("after mkdir");
	for (unsigned int t = 0; t < sizeof(top) / sizeof(*top); t++)
		for (unsigned int nr = 0; nr < 600; nr++)
			if (nr != NR_UPROBE && !call_is_ours(mm, top[t] | nr, -1, -1))
				return;
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		if (!call_is_ours(mm, odd[i], -1, -1))
			return;
	/* The one that newest hosts answer before they ask filters. */
	{
		unsigned long gp[UM_NR_REGS];
		struct um_event ev;

		LOAD(gp, a_call);
		gp[UM_RAX] = NR_UPROBE;
		run(mm, gp, &ev);
		expect(ev.kind == UM_EV_SYSCALL ||
		       (ev.kind == UM_EV_TRAP && gp[UM_RAX] == -6UL), "uprobe: event %d, rax %lx",
		       ev.kind, gp[UM_RAX]);
	}
	host_usermode->mm_destroy(mm);
}

/* mkdir(PATH) in the 32-bit way; whatever comes of it, no call may be made. */
static void entry(const char *name, const char *from, const char *to)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	load_code(gp, from, to);
	gp[UM_RAX] = SYS_MKDIR_I386;
	gp[UM_RBX] = DATA + PATH;
	gp[UM_RCX] = 0700;
	gp[UM_RDX] = CODE;
	brief(mm, gp, &ev, 0, 1000);
	expect(ev.kind == UM_EV_TRAP || ev.kind == UM_EV_DEAD || ev.kind == UM_EV_FAULT,
	       "%s: event %d", name, ev.kind);
	expect(ev.kind != UM_EV_TRAP || ev.signo != SIGILL || gp[UM_RIP] < CODE + 3 ||
	       (int)gp[UM_RAX] == SYS_MKDIR_I386, "%s: returned %lx", name, gp[UM_RAX]);
	host_check(name);
	host_usermode->mm_destroy(mm);
}

void attack_entries(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	entry("int 0x80", a_int80, a_int80_end);
	entry("sysenter", a_sysenter, a_sysenter_end);
	entry("32-bit int 0x80", a_far_int80, a_far_int80_end);
	entry("32-bit syscall", a_far_syscall, a_far_syscall_end);
	entry("32-bit sysenter", a_far_sysenter, a_far_sysenter_end);
	LOAD(gp, g_jump);
	for (unsigned long addr = VSYSCALL_TIME - 0x400; addr <= VSYSCALL_TIME + 0x400; addr += 0x400) {
		gp[UM_RIP] = CODE;
		gp[UM_RDI] = addr;
		*(long *)(mem + STACK_OFF + STACK_SIZE - 0x100) = CODE;
		brief(mm, gp, &ev, 0, 1000);
		expect(is_fault(&ev, addr, 0x15) && gp[UM_RIP] == addr, "vsyscall %lx", addr);
	}
	host_usermode->mm_destroy(mm);
}

static void stub_call(unsigned long insn, unsigned long nr, const unsigned long *arg)
{
	struct um_mm *mm = new_attacker();
	struct um_map_op ops[] = {
		{ UM_UNMAP, 0, PREY, PAGE, 0 },
		/* Who gets into the agent's loop does the last order again. */
		{ UM_MAP, HOST_PROT_READ, HOLE, PAGE, RO_OFF },
	};
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	char line[300];

	host_usermode->map(mm, &ops[0], 1);
	host_usermode->map(mm, &ops[1], 1);
	LOAD(gp, g_jump);
	gp[UM_RIP] = insn;
	gp[UM_RAX] = nr;
	gp[UM_RDI] = arg[0];
	gp[UM_RSI] = arg[1];
	gp[UM_RDX] = arg[2];
	gp[UM_R10] = arg[3];
	gp[UM_R8] = arg[4];
	gp[UM_R9] = arg[5];
	/* What the agent's loop works with. */
	gp[UM_R15] = SC_CMD + CMD_OPS;
	host_usermode->resume(mm, gp, 0);
	if (!glance(mm, gp, &ev, 5) || ev.kind != UM_EV_DEAD) {
		mapping_at(mm, PREY, line, sizeof(line));
		expect(!*line, "call %ld at %lx: a mapping: %s", nr, insn, line);
	}
	expect(ev.kind != UM_EV_SYSCALL && ev.kind != UM_EV_FAULT, "call %ld at %lx: event %d", nr,
	       insn, ev.kind);
	host_check("after a call in the stub");
	host_usermode->mm_destroy(mm);
}

void attack_stub_calls(void)
{
	const struct {
		unsigned long nr, arg[6];
	} calls[] = {
		{ SYS_mkdir, { DATA + PATH, 0700 } },
		{ SYS_mmap, { PREY, PAGE, 3, MAP_SHARED | MAP_FIXED, SC_FD_MEMORY, SECRET_OFF } },
		{ SYS_mmap, { PREY, PAGE, 3, MAP_SHARED | MAP_FIXED, SC_FD_CONTROL, 0 } },
		{ SYS_mmap, { PREY, PAGE, 7, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1UL, 0 } },
		{ SYS_pwrite64, { SC_FD_CONTROL, SC_CODE, 4, PAGE } },
		{ SYS_mprotect, { SC_CMD, PAGE, 3 } },
		{ SYS_munmap, { SC_CODE, PAGE } },
		{ SYS_clone, { 0x100 | SIGCHLD, STACK_TOP } },
		{ SYS_prctl, { 1, 0 } },
		{ SYS_rt_sigreturn, { 0 } },
		{ SYS_futex, { SC_STATE, 0, 0, DATA } },	/* with a timeout */
		{ SYS_futex, { SC_ACK, 1, 1 } },
		{ SYS_exit_group, { 0 } },
	};

	for (unsigned long at = 0; at < PAGE - 1; at++) {
		if (memcmp(sc_image + at, "\x0f\x05", 2))
			continue;
		for (unsigned int i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			stub_call(SC_CODE + at, calls[i].nr, calls[i].arg);
	}
}
