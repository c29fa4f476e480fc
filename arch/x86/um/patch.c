// SPDX-License-Identifier: GPL-2.0
/*
 * Patching system call instructions.
 *
 * The two bytes of the instruction don't hold a jump to anywhere useful, so the
 * patch is made of what is around it:
 *
 * A:	mov $number, %eax; syscall	b8 (4 bytes) 0f 05
 *	becomes a jump through the table that lies in low memory for this:
 *	jmp *table(slot)		ff 24 25 (2 bytes) 06 00
 *	Where the call was is 06 now, which is not an instruction. Who was
 *	between the two, or jumps straight there, gets an exception, and the
 *	kernel makes the call with the registers as they are.
 *
 * P:	syscall				0f 05
 *	becomes a short jump to padding between functions after it, where
 *	nobody comes by: nops after a ret or jmp. They become the long jump.
 *	jmp hop				eb xx
 *
 * E:	syscall; cmp $number, %rax	0f 05 48 3d (4 bytes)
 *	has room for a jump to padding anywhere after it in the page, and for a
 *	byte that is no instruction where the cmp was:
 *	jmp +1; -; jmp hop		eb 01 06 e9 (4 bytes)
 *	Who is to continue at the cmp continues at a copy of it elsewhere; who
 *	comes from nobody knows where gets an exception, and the kernel does it.
 *
 * All are written into a page that is executed and never read. What of it is
 * in no patch stays as it was.
 *
 * Where instructions begin is known of the call and, by decoding, of what comes
 * after it; of the mov before it only guessed. It was one if its number is in
 * rax, unless the byte is the end of another instruction: so the bytes before it
 * must not be what could make it the middle of one.
 *
 * Padding must be what compilers make it: nops up to the next multiple of 16.
 * Those that end elsewhere may be the beginning of a function, as may those
 * that begin there.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <asm/insn.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include <asm/text_shadow.h>
#include <host/layout.h>

#define OP_MOV_EAX	0xb8
#define OP_JMP_SHORT	0xeb
#define OP_JMP		0xe9
#define OP_RET		0xc3
#define OP_RET_IMM	0xc2
#define OP_NOP		0x90
#define OP_INT3		0xcc
#define REX_B		0x41
#define OP_INVALID	0x06
#define REX_B_MASK	0xf1
#define MOV_LEN		5
#define CALL_LEN	2
#define CMP_LEN		6
#define REACH		127
#define PADDING_MAX	16

static_assert((UM_PATCH_TABLE & ~0xffffUL) == 0x60000);

static void write_jump(u8 *to, unsigned int slot)
{
	static const u8 jump[] = { 0xff, 0x24, 0x25 };

	memcpy(to, jump, sizeof(jump));
	put_unaligned_le32(UM_PATCH_TABLE + slot * 8, to + sizeof(jump));
}

/*
 * Opcodes with operands such that 0xb8 may be the first or second byte after.
 * Not those that no compiler uses for such: zeros are the end of most padding.
 */
static bool takes_modrm(u8 opcode)
{
	switch (opcode) {
	case 0x00 ... 0x3f:
		return (opcode & 7) == 1 || (opcode & 7) == 3 || opcode == 0x38 || opcode == 0x3a;
	case 0x63:
	case 0x69:
	case 0x6b:
	case 0x80 ... 0x8f:
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0 ... 0xd3:
	case 0xd8 ... 0xdf:
	case 0xf6:
	case 0xf7:
	case 0xfe:
	case 0xff:
		return true;
	}
	return false;
}

static bool may_be_inside(const u8 *mov)
{
	/* A prefix: another register is loaded. */
	if ((mov[-1] & REX_B_MASK) == REX_B)
		return true;
	/* 0xb8 as ModRM, or as the displacement after one. */
	return takes_modrm(mov[-1]) || ((mov[-1] & 0xc0) == 0x40 && takes_modrm(mov[-2]));
}

static bool loads_number(const u8 *orig, unsigned int call, const struct pt_regs *regs)
{
	const u8 *mov = orig + call - MOV_LEN;
	u32 nr;

	if (call < MOV_LEN + 2 || mov[0] != OP_MOV_EAX)
		return false;
	nr = get_unaligned_le32(mov + 1);
	return nr <= INT_MAX && nr == regs->orig_ax && !may_be_inside(mov);
}

static bool is_nop(const struct insn *insn)
{
	const u8 *op = insn->opcode.bytes;

	if (insn_is_avx((struct insn *)insn))
		return false;
	if (op[0] == 0x0f)
		return op[1] == 0x1f;
	/* With others it is pause, or exchanges something. */
	if (insn->rex_prefix.nbytes || (insn->prefixes.nbytes && insn->prefixes.bytes[0] != 0x66))
		return false;
	return op[0] == OP_NOP || op[0] == OP_INT3;
}

static bool never_continues(const struct insn *insn)
{
	if (insn_is_avx((struct insn *)insn))
		return false;
	switch (insn->opcode.bytes[0]) {
	case OP_JMP_SHORT:
	case OP_JMP:
	case OP_RET:
	case OP_RET_IMM:
		return true;
	}
	return false;
}

/*
 * Room for a long jump in nops that nobody executes, at most @reach bytes after
 * the instruction boundary @from; 0 if none.
 */
static unsigned int find_hop(const u8 *text, const u8 *orig, unsigned int from,
			     unsigned int reach)
{
	unsigned int end = min_t(unsigned int, from + reach + PADDING_MAX, PAGE_SIZE);
	unsigned int at = from, start = 0, next;
	bool dead = false;
	struct insn insn;

	while (at < end) {
		if (insn_decode(&insn, orig + at, end - at, INSN_MODE_64))
			return 0;
		if (dead && is_nop(&insn)) {
			if (!start)
				start = at;
			next = round_up(start, PADDING_MAX);
			if (at + insn.length >= next && start + TEXT_JUMP_LEN <= next &&
			    start - from <= reach &&
			    !memcmp(text + start, orig + start, TEXT_JUMP_LEN))
				return start;
		} else {
			start = 0;
			dead = never_continues(&insn);
		}
		at += insn.length;
	}
	return 0;
}

/* cmp $imm, %rax after the call; one with 0 is not worth a special case. */
static bool has_compare(const u8 *orig, unsigned int call, int *imm)
{
	const u8 *cmp = orig + call + CALL_LEN;

	if (call + CALL_LEN + CMP_LEN > PAGE_SIZE || cmp[0] != 0x48 || cmp[1] != 0x3d)
		return false;
	*imm = get_unaligned_le32(cmp + 2);
	return *imm != 0;
}

static void write_compare_jump(u8 *to, unsigned int distance)
{
	to[0] = OP_JMP_SHORT;
	to[1] = 1;
	to[2] = OP_INVALID;
	to[3] = OP_JMP;
	put_unaligned_le32(distance - CALL_LEN - CMP_LEN, to + 4);
}

void text_execute_moved(const struct text_patch *patch, struct pt_regs *regs)
{
	const unsigned long status = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |
				     X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF;
	unsigned long flags;

	asm("cmpq %[imm], %[ax]\n\tpushfq\n\tpopq %[flags]"
	    : [flags] "=r" (flags) : [ax] "r" (regs->ax), [imm] "r" ((long)patch->imm) : "cc");
	regs->flags = (regs->flags & ~(status | X86_EFLAGS_RF)) | (flags & status);
	regs->ip += CMP_LEN;
}

enum text_result text_patch(u8 *text, const u8 *orig, const struct pt_regs *regs,
			    struct text_patch *patch,
			    void (*ready)(void *arg, const struct text_patch *patch),
			    void *arg)
{
	unsigned int call = offset_in_page(regs->ip);
	unsigned int hop;

	if (call > PAGE_SIZE - CALL_LEN)
		return TEXT_PAGE_EDGE;
	patch->call = call;
	patch->hop = 0;
	patch->moved = false;
	if (loads_number(orig, call, regs) &&
	    !memcmp(text + call - MOV_LEN, orig + call - MOV_LEN, MOV_LEN + CALL_LEN)) {
		patch->nr = regs->orig_ax;
		ready(arg, patch);
		write_jump(text + call - MOV_LEN, patch->slot);
		return TEXT_PATCHED_A;
	}
	patch->nr = -1;
	if (memcmp(text + call, orig + call, CALL_LEN))
		return TEXT_NO_ROOM;
	hop = find_hop(text, orig, call + CALL_LEN, REACH);
	if (hop) {
		patch->hop = hop;
		ready(arg, patch);
		write_jump(text + hop, patch->slot);
		text[call] = OP_JMP_SHORT;
		text[call + 1] = hop - call - CALL_LEN;
		return TEXT_PATCHED_P;
	}
	if (has_compare(orig, call, &patch->imm) &&
	    !memcmp(text + call, orig + call, CALL_LEN + CMP_LEN))
		hop = find_hop(text, orig, call + CALL_LEN + CMP_LEN, PAGE_SIZE);
	if (hop) {
		patch->hop = hop;
		patch->moved = true;
		ready(arg, patch);
		write_jump(text + hop, patch->slot);
		write_compare_jump(text + call, hop - call);
		return TEXT_PATCHED_E;
	}
	return call < MOV_LEN + 2 ? TEXT_PAGE_EDGE : TEXT_NO_ROOM;
}
