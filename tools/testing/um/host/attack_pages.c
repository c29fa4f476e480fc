// SPDX-License-Identifier: GPL-2.0
/* The stub's pages: writing, reading, executing, replacing them. */
#include <sys/wait.h>
#include "attack.h"

GUEST(a_xadd, "lock xadd %rax, (%rdi); ud2");
GUEST(a_stos, "mov $8, %ecx; rep stosb; ud2");
GUEST(a_movnti, "movnti %rax, (%rdi); ud2");
GUEST(a_push, "mov %rdi, %rsp; push %rax; ud2");
GUEST(a_fxsave, "fxsave64 (%rdi); ud2");

static const struct {
	const char *name, *from, *to;
} stores[] = {
	{ "mov", g_write, g_write_end }, { "xadd", a_xadd, a_xadd_end },
	{ "stos", a_stos, a_stos_end }, { "movnti", a_movnti, a_movnti_end },
	{ "push", a_push, a_push_end }, { "fxsave", a_fxsave, a_fxsave_end },
};

static void store(struct um_mm *mm, unsigned long addr)
{
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	for (unsigned int i = 0; i < sizeof(stores) / sizeof(*stores); i++) {
		load_code(gp, stores[i].from, stores[i].to);
		gp[UM_RDI] = addr;
		gp[UM_RAX] = 0x12345678;
		brief(mm, gp, &ev, 0, 1000);
		expect(ev.kind == UM_EV_FAULT && ev.error_code & 2, "%s to %lx: event %d",
		       stores[i].name, addr, ev.kind);
	}
}

void attack_stores(void)
{
	static const unsigned long addr[] = {
		SC_CODE + 0x10, SC_CODE + 0x800, SC_CMD + CMD_SEQ, SC_CMD + CMD_OPS + 0x10,
		SC_ACK + ACK_SEQ, SC_ACK + 0x40, SC_ACK + 0xe00,
		SC_TABLE, SC_TABLE + 0x40, SC_TABLE + SC_TABLE_SIZE - 0x10,
		SC_PATCH, SC_PATCH + 0x40, SC_PATCH + SC_PATCH_SIZE - 0x10,
	};
	struct um_mm *mm = new_attacker();
	char line[300];

	for (unsigned int i = 0; i < sizeof(addr) / sizeof(*addr); i++)
		store(mm, addr[i] & ~15UL);
	for (unsigned long at = SC_VDSO; at < SC_VDSO + 0x20000; at += PAGE) {
		mapping_at(mm, at, line, sizeof(line));
		if (*line)
			store(mm, at + 0x80);
	}
	host_usermode->mm_destroy(mm);
}

/* Is it an address of the process that plays the kernel? Low ones are ours by chance. */
static int is_pointer(unsigned long value)
{
	unsigned long from, to;
	char line[300];
	int found = 0;
	FILE *maps;

	if (value < 0x100000000UL || value >= UM_STUB_START)
		return 0;
	maps = fopen("/proc/self/maps", "r");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= value && value < to;
	if (maps)
		fclose(maps);
	return found;
}

void attack_leaks(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long gp[UM_NR_REGS], value;
	struct um_event ev;
	const char *slot = (const char *)sc_cmd(mm);

	LOAD(gp, g_call);
	for (int i = 0; i < 3; i++)
		run(mm, gp, &ev);
	for (unsigned long i = 0; i <= sc_info.slot_size - 8; i += 4) {
		memcpy(&value, slot + i, 8);
		expect(!is_pointer(value) && value != SECRET, "%lx at %lx of the slot", value, i);
	}
	for (unsigned long i = 0; i <= PAGE - 8; i++) {
		memcpy(&value, sc_image + i, 8);
		expect(!is_pointer(value), "%lx at %lx of the code", value, i);
	}
	host_usermode->mm_destroy(mm);
}

GUEST(a_fill, "movq %rdi, %xmm5; mov %rdi, %r12; mov $39, %eax; syscall");

void attack_leftovers(void)
{
	struct um_mm *mm = new_attacker(), *next, *list[500];
	unsigned long gp[UM_NR_REGS], value;
	unsigned int slot = mm->slot, found = 0;
	struct um_event ev;
	int n = 0;

	LOAD(gp, a_fill);
	gp[UM_RDI] = SECRET + 1;
	gp[UM_RBX] = SECRET + 1;
	run(mm, gp, &ev);
	host_usermode->mm_destroy(mm);
	/* Its slot is reused when its processes are dead. */
	do {
		usleep(2000);
		next = list[n++] = new_attacker();
	} while (next->slot != slot && n < 500);
	expect(next->slot == slot, "slots are not reused");
	for (unsigned long i = 0; i <= sc_info.slot_size - 8; i += 8) {
		memcpy(&value, (char *)sc_cmd(next) + i, 8);
		found += value == SECRET + 1;
	}
	expect(!found, "the last owner's registers, %u times", found);
	while (n)
		host_usermode->mm_destroy(list[--n]);
}

static unsigned long jump(struct um_mm **mm, unsigned long to, unsigned long *seed)
{
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, g_jump);
	for (int r = 0; r <= UM_RDI; r++) {
		*seed ^= *seed << 13;
		*seed ^= *seed >> 7;
		*seed ^= *seed << 17;
		/* Places that are there, mostly. */
		gp[r] = r % 4 ? DATA + (*seed & 0xff8) : SC_STATE + (*seed & 0x1ff8);
	}
	/* The call that the host would serve is one that shows. */
	gp[UM_RAX] = 83;
	gp[UM_RDI] = DATA + PATH;
	gp[UM_RIP] = to;
	brief(*mm, gp, &ev, 0, 3);
	if (ev.kind != UM_EV_DEAD)
		return 0;
	host_usermode->mm_destroy(*mm);
	*mm = new_attacker();
	return 1;
}

void attack_jumps(void)
{
	struct um_mm *mm = new_attacker();
	unsigned long seed = 88172645463325252UL, dead = 0;
	char line[300];

	for (unsigned long off = 0; off < PAGE; off++)
		dead += jump(&mm, SC_CODE + off, &seed);
	host_check("after jumps into the stub");
	victim_check("after jumps into the stub");
	for (unsigned long at = SC_VDSO; at < SC_VDSO + 0x20000; at += 61) {
		mapping_at(mm, at, line, sizeof(line));
		if (!*line)
			break;
		jump(&mm, at, &seed);
	}
	for (unsigned long at = SC_CMD; at < SC_STACK + PAGE; at += 0x800)
		jump(&mm, at, &seed);
	for (unsigned long at = SC_PATCH; at < SC_PATCH + 4 * PATCH_SIZE; at++) {
		/* A new attacker has none. */
		for (int slot = 0; slot < 3; slot++) {
			const struct um_patch patch = {
				.ret = CODE + 7, .nr = slot ? -1 : 39, .moved = slot == 2, .imm = -4096,
			};

			host_usermode->patch(mm, slot, &patch);
		}
		dead += jump(&mm, at, &seed);
	}
	host_check("after jumps into trampolines");
	victim_check("after jumps into trampolines");
	printf("# %lu jumps into the stub were fatal\n", dead);
	host_usermode->mm_destroy(mm);
}

void attack_overlay(void)
{
	struct um_mm *mm = new_attacker();
	struct um_map_op op = { UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, 0, PAGE, PREY_OFF };
	static const unsigned long at[] = { SC_CODE, SC_CMD, SC_ACK, SC_STATE, SC_STACK, SC_VDSO,
		SC_PATCH, SC_CODE - PAGE, 0x7fffffffe000, -PAGE };

	for (int kind = UM_MAP; kind <= UM_PROTECT; kind++) {
		for (unsigned int i = 0; i < sizeof(at) / sizeof(*at); i++) {
			op.kind = kind;
			op.addr = at[i];
			op.len = at[i] == SC_CODE - PAGE ? 2 * PAGE : PAGE;
			expect(host_usermode->map(mm, &op, 1) == -EINVAL, "operation %d at %lx",
			       kind, at[i]);
		}
	}
	op.addr = PREY;
	op.len = -PAGE;
	expect(host_usermode->map(mm, &op, 1) == -EINVAL, "a length that wraps");
	host_usermode->mm_destroy(mm);
}
