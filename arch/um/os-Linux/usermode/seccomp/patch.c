// SPDX-License-Identifier: GPL-2.0
/*
 * Trampolines: how patched call sites enter the stub.
 *
 * A site jumps through its entry of the table to a few instructions that load
 * the number, if the patch took the place of the instruction that did, and the
 * address to return to; that is in rcx then, as the system call instruction
 * would have it. Guest code can read and execute them but not write, so what
 * is found here is what was put here.
 */
#include <errno.h>
#include <string.h>

#include "../common.h"
#include "seccomp.h"

#define OP_MOV_EAX	0xb8
#define OP_JMP		0xe9

/* mov $imm64, %rcx; jmp runner_syscall */
struct tail {
	unsigned char mov_rcx[2];
	unsigned long ret;
	unsigned char jmp;
	int distance;
} __attribute__((packed));

struct trampoline {
	unsigned char mov_eax;		/* or the tail begins here */
	unsigned int nr;
	struct tail tail;
} __attribute__((packed));

_Static_assert(sizeof(struct trampoline) <= PATCH_SIZE, "trampoline");

static unsigned long *table(struct um_mm *mm)
{
	return (unsigned long *)((char *)sc_state(mm) + sc_info.state_size + sc_info.stack_size);
}

static char *trampoline(struct um_mm *mm, unsigned int slot)
{
	return (char *)table(mm) + SC_TABLE_SIZE + slot * PATCH_SIZE;
}

void sc_patch(struct um_mm *mm, unsigned int slot, unsigned long ret, long nr)
{
	unsigned long addr = SC_PATCH + slot * PATCH_SIZE;
	struct trampoline code = {
		.mov_eax = OP_MOV_EAX,
		.nr = nr,
		.tail = { .mov_rcx = { 0x48, 0xb9 }, .ret = ret, .jmp = OP_JMP },
	};
	const void *start = nr < 0 ? (void *)&code.tail : &code;
	unsigned long len = (char *)(&code + 1) - (char *)start;

	code.tail.distance = SC_ADDR(runner_syscall) - (addr + len);
	memcpy(trampoline(mm, slot), start, len);
	table(mm)[slot] = addr;
	if (slot >= mm->nr_patches)
		mm->nr_patches = slot + 1;
	/* The CPU may have fetched what was there before. */
	mm->serialise = 1;
}

void patch_clear(struct um_mm *mm)
{
	memset(table(mm), 0, mm->nr_patches * sizeof(long));
	memset(trampoline(mm, 0), 0, mm->nr_patches * PATCH_SIZE);
	mm->nr_patches = 0;
}

int patch_leave(struct um_mm *mm, unsigned long *gp)
{
	unsigned int slot = (gp[UM_RIP] - SC_PATCH) / PATCH_SIZE;
	struct trampoline code;

	if (slot >= mm->nr_patches || !table(mm)[slot])
		return -EFAULT;
	memcpy(&code, trampoline(mm, slot), sizeof(code));
	if (code.mov_eax == OP_MOV_EAX)
		gp[UM_RAX] = code.nr;
	else
		memcpy(&code.tail, trampoline(mm, slot), sizeof(code.tail));
	gp[UM_RIP] = code.tail.ret - 2;
	return 0;
}
