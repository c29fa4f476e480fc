/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text pages as guest code executes them: with its busiest system call
 * instructions patched. mm/shadow.c has the pages, kernel/text_sites.c finds
 * the instructions, arch/x86/um/patch.c replaces them.
 */
#ifndef __ASM_UM_TEXT_SHADOW_H
#define __ASM_UM_TEXT_SHADOW_H

#include <linux/list.h>
#include <linux/mm_types.h>

struct pt_regs;
struct um_event;

/* What became of a system call instruction; the order of names in debugfs. */
enum text_result {
	TEXT_COUNTED,		/* not executed often enough yet */
	TEXT_PATCHED_A,
	TEXT_PATCHED_P,
	TEXT_PATCHED_E,
	TEXT_NO_ROOM,		/* no tactic fits */
	TEXT_PAGE_EDGE,		/* would reach into the next page */
	TEXT_NOT_FILE,		/* not a page of a file */
	TEXT_WRITABLE,		/* somebody may write to it */
	TEXT_NOT_TRUSTED,	/* who executed it may not decide for others */
	TEXT_FULL,		/* no slots or memory left */
	TEXT_RESULTS
};

/**
 * struct text_patch - one patched system call instruction
 * @result: which tactic
 * @call: its place in the page
 * @hop: place in the page of the jump that it jumps to; 0: it is one itself (A)
 * @slot: entry of the table at UM_PATCH_TABLE
 * @nr: number of the call if the patch took its loading away, else -1
 * @moved: cmp $@imm, %rax after the call is part of the patch (E)
 * @imm: see @moved
 */
struct text_patch {
	enum text_result result;
	unsigned short call;
	unsigned short hop;
	unsigned short slot;
	bool moved;
	int nr;
	int imm;
};

/**
 * text_patch() - patch one system call instruction
 * @text: the page as executed; written on success
 * @orig: the page as it is
 * @regs: registers before the call; ip is that of the instruction
 * @patch: slot is set; receives the rest
 * @ready: called with @arg before the page is changed, when @patch is complete
 *
 * Returns TEXT_PATCHED_* or why not.
 */
enum text_result text_patch(u8 *text, const u8 *orig, const struct pt_regs *regs,
			    struct text_patch *patch,
			    void (*ready)(void *arg, const struct text_patch *patch),
			    void *arg);

/**
 * text_boundary() - has a patch made the instruction itself an invalid one?
 *
 * Then who jumps straight there gets an exception, and the kernel makes the call.
 */
static inline bool text_boundary(const struct text_patch *patch)
{
	return !patch->hop;
}

static inline bool text_is_patched(enum text_result result)
{
	return result >= TEXT_PATCHED_A && result <= TEXT_PATCHED_E;
}

/**
 * text_inside() - is this place in a patch where no instruction was?
 * @patch: the patch
 * @offset: place in the page
 *
 * Then the call is still to be made.
 */
static inline bool text_inside(const struct text_patch *patch, unsigned int offset)
{
	return patch->hop && (offset == patch->hop || (patch->moved && offset == patch->call + 3));
}

/**
 * text_execute_moved() - execute the instruction that was moved
 * @patch: the patch that did
 * @regs: ip is that of the instruction
 */
void text_execute_moved(const struct text_patch *patch, struct pt_regs *regs);

/* Bytes of a jump through the table */
#define TEXT_JUMP_LEN	7

/**
 * text_shadow_patch() - patch an instruction in what all who map a page execute
 * @pfn: page of a file
 * @regs: registers before the call; ip is that of the instruction
 *
 * Returns TEXT_PATCHED_* or why not. Preemption disabled.
 */
enum text_result text_shadow_patch(unsigned long pfn, const struct pt_regs *regs);

/**
 * text_shadow_pfn() - the page to map on the host for a text page
 * @mm: address space
 * @addr: where it is mapped, executable and not writable
 * @pfn: the page
 *
 * Makes the slots of all patches ready. Returns the shadow's or @pfn.
 * Preemption disabled.
 */
unsigned long text_shadow_pfn(struct mm_struct *mm, unsigned long addr, unsigned long pfn);

/**
 * text_shadow_is() - is this a shadow that an address space has for a page?
 * @mm: address space
 * @addr: where it is mapped
 * @pfn: what is mapped there on the host
 *
 * Preemption disabled.
 */
bool text_shadow_is(struct mm_struct *mm, unsigned long addr, unsigned long pfn);

/** text_shadow_written() - user space writes to this page, or may do so from now on */
void text_shadow_written(unsigned long pfn);

/** text_shadow_flushed() - host mappings of a range are about to be made anew */
void text_shadow_flushed(struct mm_struct *mm, unsigned long start, unsigned long end);

/** text_shadow_give_up() - an address space is to execute its text as it is, for good */
void text_shadow_give_up(struct mm_struct *mm);

/** text_shadow_exit() - an address space has no host mappings any more */
void text_shadow_exit(struct mm_struct *mm);

/**
 * text_shadow_leave() - stopped, and not by a system call: hide patches
 * @regs: registers of user mode; ip may be in a patch
 * @event: the reason, which may become that of a system call
 *
 * Returns false if nothing is to be reported after all.
 */
bool text_shadow_leave(struct pt_regs *regs, struct um_event *event);

/** text_sites_trapped() - a system call instruction was executed; registers before it */
void text_sites_trapped(struct pt_regs *regs);

/**
 * struct text_counters - system calls by how they came
 * @patched: by a patched site
 * @trapped: by an instruction
 * @boundary: of jumps to what a patch has made invalid
 * @elsewhere: of @trapped: not in a text page
 * @forgotten: of @trapped: the table of sites had no place for it
 */
struct text_counters {
	unsigned long patched;
	unsigned long trapped;
	unsigned long boundary;
	unsigned long elsewhere;
	unsigned long forgotten;
};

extern struct text_counters text_counters;

/* Are there any shadows? */
extern unsigned int text_shadows;

#endif
