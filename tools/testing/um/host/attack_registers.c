// SPDX-License-Identifier: GPL-2.0
/* Values that registers should not have: loaded by a debugger or by the guest. */
#include "attack.h"

#define FLAGS(name, bits)						\
	GUEST(name, "pushf; orq $" #bits ", (%rsp); popf; 1: jmp 1b")
#define FLAGS_CALL(name, bits)						\
	GUEST(name, "pushf; orq $" #bits ", (%rsp); popf; mov $39, %eax; syscall; "	\
	      "pushf; pop %rbx; mov $40, %eax; syscall")

FLAGS(a_ac, 0x40000);
FLAGS(a_df, 0x400);
FLAGS(a_nt, 0x4000);
FLAGS(a_all, 0x244cd5);
FLAGS_CALL(a_ac_call, 0x40000);
FLAGS_CALL(a_df_call, 0x400);
FLAGS_CALL(a_nt_call, 0x4000);
FLAGS_CALL(a_id_call, 0x200000);
GUEST(a_tf_call, "pushf; orq $0x100, (%rsp); popf; mov $39, %eax; syscall; ud2");

void attack_registers(void)
{
	static const unsigned long odd[] = { 0x8000000000000000UL, 0x800000000000UL,
		0xffff7fffffffffffUL, 0x123456789abcdef0UL, -1UL, UM_STUB_START, 0 };
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	for (unsigned long sel = 0; sel < 0x100; sel++) {
		LOAD(gp, g_syscall);
		gp[UM_CS] = sel == USER32_CS ? 0 : sel;
		gp[UM_SS] = sel;
		gp[UM_DS] = sel;
		gp[UM_ES] = sel ^ 3;
		gp[UM_FS] = sel;
		gp[UM_GS] = sel ^ 4;
		gp[UM_EFLAGS] = 0x3b7000 | sel << 1;
		gp[UM_EFLAGS] &= ~0x100UL;
		run(mm, gp, &ev);
		if (!expect(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39 && gp[UM_CS] == USER_CS &&
			    !(gp[UM_EFLAGS] & 0x1b3000), "selector %lx: event %d", sel, ev.kind))
			return;
	}
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		for (int r = 0; r < UM_NR_REGS; r++) {
			if (r == UM_ORIG_RAX)
				continue;
			LOAD(gp, g_syscall);
			gp[r] = odd[i];
			gp[UM_EFLAGS] &= ~0x100UL;
			run(mm, gp, &ev);
			/* To the stub itself it may jump. */
			if (r == UM_RIP && ev.kind == UM_EV_DEAD) {
				host_usermode->mm_destroy(mm);
				mm = new_attacker();
				continue;
			}
			if (!expect(r == UM_RIP ? ev.kind != UM_EV_DEAD : ev.kind == UM_EV_SYSCALL,
				    "register %d %lx: event %d", r, odd[i], ev.kind))
				return;
		}
	}
	host_usermode->mm_destroy(mm);
}

static void loop(const char *name, const char *from, const char *to)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	for (int i = 0; i < 20; i++) {
		load_code(gp, from, to);
		brief(mm, gp, &ev, 0, 3);
		expect(ev.kind == UM_EV_KICKED, "%s: event %d", name, ev.kind);
	}
	host_usermode->mm_destroy(mm);
}

/* So many that who keeps their frames has no room for them. */
#define SENT	40

static void send_signals(int pid)
{
	char path[40], line[100];
	unsigned long left;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	for (int i = 0; i < SENT; i++) {
		kill(pid, i & 1 ? SIGTRAP : SIGFPE);
		do {
			left = 0;
			status = fopen(path, "r");
			while (status && fgets(line, sizeof(line), status))
				if (!strncmp(line, "State:\tZ", 8))
					break;
				else if (!strncmp(line, "ShdPnd:", 7))
					left = strtoul(line + 7, NULL, 16);
			if (status)
				fclose(status);
		} while (left);
	}
}

/* Flags stay over a call, also if somebody sends signals meanwhile. */
static void call(const char *name, const char *from, const char *to, unsigned long bits)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	load_code(gp, from, to);
	run(mm, gp, &ev);
	send_signals(mm->runner);
	expect(ev.kind == UM_EV_SYSCALL && gp[UM_EFLAGS] & bits, "%s: event %d", name, ev.kind);
	run(mm, gp, &ev);
	expect(ev.kind == UM_EV_SYSCALL && gp[UM_RBX] & bits, "%s, then: event %d flags %lx", name,
	       ev.kind, gp[UM_RBX]);
	host_usermode->mm_destroy(mm);
}

void attack_flags(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	loop("AC", a_ac, a_ac_end);
	loop("DF", a_df, a_df_end);
	loop("NT", a_nt, a_nt_end);
	loop("all", a_all, a_all_end);
	call("AC", a_ac_call, a_ac_call_end, 0x40000);
	call("DF", a_df_call, a_df_call_end, 0x400);
	call("NT", a_nt_call, a_nt_call_end, 0x4000);
	call("ID", a_id_call, a_id_call_end, 0x200000);
	LOAD(gp, a_tf_call);
	for (int i = 0; i < 3; i++)
		run(mm, gp, &ev);
	expect(ev.kind == UM_EV_TRAP || ev.kind == UM_EV_SYSCALL, "TF: event %d", ev.kind);
	host_usermode->mm_destroy(mm);
}
