// SPDX-License-Identifier: GPL-2.0
/*
 * Trampolines: how patched call sites enter the stub, and how some leave it.
 *
 * A site jumps through its entry of the table to a few instructions that load
 * the number, if the patch took the place of the instruction that did, and the
 * address to return to; that is in rcx then, as the system call instruction
 * would have it. Guest code can read and execute them but not write, so what
 * is found here is what was put here.
 *
 * Some patches take the place of the instruction after the call as well. Its
 * copy is in the trampoline, and who is to be resumed at it is resumed there. A
 * few of these addresses are remembered, until something else is mapped there;
 * who is not found gets an exception, and the kernel half executes it.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "../common.h"
#include "seccomp.h"

#define OP_MOV_EAX	0xb8
#define OP_NOP		0x90
#define OP_JMP		0xe9

/* Enters the stub. The slot in r11, which the call spoils anyway, is a hint. */
struct entry {
	union {
		struct {
			unsigned char mov_eax;
			unsigned int nr;
			unsigned char nop;
		} __attribute__((packed));
		struct {
			unsigned char mov_r11d[2];
			unsigned int slot;
		} __attribute__((packed));
	};
	unsigned char mov_rcx[2];
	unsigned long ret;
	unsigned char jmp;
	int distance;
} __attribute__((packed));

/* Executes an instruction that was moved, and goes on behind where it was. */
struct moved {
	unsigned char cmp_rax[2];
	int imm;
	unsigned char jmp[2];
	int distance;
	unsigned long next;
} __attribute__((packed));

#define CMP_LEN		6

struct trampoline {
	struct entry entry;
	/* What it jumps through is aligned: the guest may have asked for checks. */
	char pad[36 - sizeof(struct entry)];
	struct moved moved;
} __attribute__((packed));

_Static_assert(sizeof(struct trampoline) <= PATCH_SIZE, "trampoline");
_Static_assert(offsetof(struct trampoline, moved.next) % 8 == 0, "trampoline");

static unsigned long *table(struct um_mm *mm)
{
	return (unsigned long *)((char *)sc_state(mm) + sc_info.state_size + sc_info.stack_size);
}

static struct trampoline *trampoline(struct um_mm *mm, unsigned int slot)
{
	return (struct trampoline *)((char *)table(mm) + SC_TABLE_SIZE + slot * PATCH_SIZE);
}

void sc_patch(struct um_mm *mm, unsigned int slot, const struct um_patch *patch)
{
	unsigned long addr = SC_PATCH + slot * PATCH_SIZE;
	struct trampoline code = {
		.entry = { .mov_rcx = { 0x48, 0xb9 }, .ret = patch->ret, .jmp = OP_JMP },
	};

	if (patch->nr >= 0) {
		code.entry.mov_eax = OP_MOV_EAX;
		code.entry.nr = patch->nr;
		code.entry.nop = OP_NOP;
	} else {
		code.entry.mov_r11d[0] = 0x41;
		code.entry.mov_r11d[1] = 0xbb;
		code.entry.slot = slot;
	}
	code.entry.distance = SC_ADDR(runner_syscall) - (addr + sizeof(code.entry));
	if (patch->moved)
		code.moved = (struct moved){
			.cmp_rax = { 0x48, 0x3d }, .imm = patch->imm,
			.jmp = { 0xff, 0x25 }, .next = patch->ret + CMP_LEN,
		};
	memcpy(trampoline(mm, slot), &code, sizeof(code));
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
	unsigned int offset = (gp[UM_RIP] - SC_PATCH) % PATCH_SIZE;
	const struct trampoline *code = trampoline(mm, slot);

	if (slot >= mm->nr_patches || !table(mm)[slot])
		return -EFAULT;
	if (offset < sizeof(code->entry)) {
		if (code->entry.mov_eax == OP_MOV_EAX)
			gp[UM_RAX] = code->entry.nr;
		gp[UM_RIP] = code->entry.ret - 2;
		return 0;
	}
	/* Before or after the instruction that was moved. */
	if (!code->moved.imm || (offset != offsetof(struct trampoline, moved) &&
				 offset != offsetof(struct trampoline, moved) + CMP_LEN))
		return -EFAULT;
	gp[UM_RIP] = code->entry.ret + offset - offsetof(struct trampoline, moved);
	return 0;
}

static struct sc_moved *moved_entry(struct um_mm *mm, unsigned long ip)
{
	return &mm->moved[(ip ^ ip >> 8) % MOVED_MAX];
}

void patch_called(struct um_mm *mm, unsigned int slot, unsigned long ret)
{
	const struct trampoline *code = trampoline(mm, slot);

	/* The guest's word, but what is there is ours. */
	if (slot < mm->nr_patches && code->moved.imm && code->entry.ret == ret)
		*moved_entry(mm, ret) = (struct sc_moved){
			ret, SC_PATCH + slot * PATCH_SIZE + offsetof(struct trampoline, moved) };
}

unsigned long patch_resume(struct um_mm *mm, unsigned long ip)
{
	const struct sc_moved *moved = moved_entry(mm, ip);

	return moved->ip == ip && ip ? moved->to : ip;
}

void patch_forget(struct um_mm *mm, unsigned long start, unsigned long end)
{
	for (unsigned int i = 0; i < MOVED_MAX; i++)
		if (mm->moved[i].ip >= start && mm->moved[i].ip < end)
			mm->moved[i].ip = 0;
}
