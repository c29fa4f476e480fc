// SPDX-License-Identifier: GPL-2.0
/* System calls by the table of patched sites: registers, kicks, steps, lies. */
#include "usermode_test.h"

#define SLOT		3
#define ENTRY		(UM_PATCH_TABLE + 8 * SLOT)

GUEST(g_patched, "jmp *0x60018; nop; 1: jmp 1b");
GUEST(g_patched_loop, "1: jmp *0x60018; nop; jmp 1b");
GUEST(g_table, "mov 0x60018, %rax; 1: jmp 1b");

static void patch(struct um_mm *mm, int nr)
{
	struct um_patch p = { .ret = CODE + 7, .nr = nr };

	host_usermode->patch(mm, SLOT, &p);
}

static void check_kicks(struct um_mm *mm)
{
	unsigned long gp[UM_NR_REGS];
	int calls = 0, kicks = 0, bad = 0;
	struct um_event ev;

	LOAD(gp, g_patched_loop);
	patch(mm, 39);
	for (int i = 0; i < 3000 && !bad; i++) {
		host_usermode->resume(mm, gp, 0);
		for (int spin = 0; spin < i % 97 * 8; spin++)
			__builtin_ia32_pause();
		host_usermode->kick(mm);
		finish(mm, gp, &ev);
		calls += ev.kind == UM_EV_SYSCALL;
		kicks += ev.kind == UM_EV_KICKED;
		bad += ev.kind != UM_EV_SYSCALL && ev.kind != UM_EV_KICKED;
		/* At the call, as if it had been an instruction, or after it. */
		if (ev.kind == UM_EV_SYSCALL)
			bad += gp[UM_RIP] != CODE + 7 || gp[UM_ORIG_RAX] != 39;
		else if (gp[UM_RIP] == CODE + 5)
			gp[UM_RIP] = CODE;
		else
			bad += gp[UM_RIP] < CODE || gp[UM_RIP] > CODE + 10;
	}
	check(!bad && calls && kicks, "3000 kicks at patched calls: %d calls, %d kicks", calls, kicks);
}

void test_patch(void)
{
	unsigned long gp[UM_NR_REGS], before[UM_NR_REGS];
	struct um_mm *mm = new_mm();
	struct um_event ev;
	struct um_map_op rights = { UM_PROTECT, HOST_PROT_WRITE, UM_PATCH_TABLE, 4096, 0 };
	struct um_map_op all = { UM_UNMAP, 0, 0, CODE, 0 };
	struct um_map_op over = { UM_MAP, HOST_PROT_READ, UM_PATCH_TABLE, 4096, RO_OFF };
	int bad = 0;

	if (!host_usermode->patch)
		return;
	LOAD(gp, g_patched);
	for (int i = 0; i < 15; i++)
		gp[i] = 0x1000 + i;
	gp[UM_EFLAGS] = 0x247;
	memcpy(before, gp, sizeof(before));
	patch(mm, 39);
	run(mm, gp, &ev);
	for (int i = 0; i < 15; i++)
		bad += i != UM_RAX && i != UM_RCX && i != UM_R11 && gp[i] != before[i];
	check(ev.kind == UM_EV_SYSCALL && ev.code == UM_BY_PATCH && gp[UM_ORIG_RAX] == 39 &&
	      gp[UM_RIP] == CODE + 7 && gp[UM_RCX] == CODE + 7 && gp[UM_R11] == 0x247 &&
	      gp[UM_RSP] == STACK_TOP && !bad, "patched call with its number");
	LOAD(gp, g_patched);
	gp[UM_RAX] = 1234;
	patch(mm, -1);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && ev.code == UM_BY_PATCH && gp[UM_ORIG_RAX] == 1234,
	      "patched call with the number in rax");

	LOAD(gp, g_patched);
	patch(mm, 39);
	run_flags(mm, gp, &ev, UM_RUN_STEP);
	check(is_trap(&ev, SIGTRAP, TRAP_TRACE, 1) && gp[UM_RIP] == CODE + 5 && gp[UM_RAX] == 39,
	      "a step ends before the call");
	check_kicks(mm);

	check(host_usermode->map(mm, &rights, 1) == -EINVAL, "rights to the table are refused");
	host_usermode->map(mm, &all, 1);
	LOAD(gp, g_patched);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && ev.code == UM_BY_PATCH, "unmapping leaves the table");
	memset(mem + RO_OFF, 0x5a, 4096);
	host_usermode->map(mm, &over, 1);
	LOAD(gp, g_table);
	run_briefly(mm, gp, &ev, 0);
	check(ev.kind == UM_EV_KICKED && gp[UM_RAX] == 0x5a5a5a5a5a5a5a5a,
	      "mapping over it works");
	host_usermode->map(mm, &all, 1);
	LOAD(gp, g_table);
	run(mm, gp, &ev);
	check(is_fault(&ev, ENTRY, 4), "it is gone then");
	host_usermode->mm_destroy(mm);
	/* Its slot is the next one's. */
	mm = new_mm();
	LOAD(gp, g_table);
	run_briefly(mm, gp, &ev, 0);
	check(ev.kind == UM_EV_KICKED && !gp[UM_RAX], "nothing is left in the next table");
	host_usermode->mm_destroy(mm);
}
