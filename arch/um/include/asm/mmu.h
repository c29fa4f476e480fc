/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_MMU_H
#define __ASM_UM_MMU_H

#include <linux/list.h>
#include <linux/spinlock_types.h>

struct um_mm;
struct task_struct;

#define UM_TLB_RANGES	8
#define UM_TLB_ADDS	16
#define UM_TLB_KEPT	4
#define UM_TLB_HOT	16

/**
 * struct um_tlb_range - guest addresses whose host mappings may be stale
 * @start: first byte
 * @end: one past the last
 */
struct um_tlb_range {
	unsigned long start;
	unsigned long end;
};

/**
 * struct um_tlb_kept - a page that was replaced by another, see mm/cow.c
 * @addr: where
 * @page: the old one, which the host may still have there; NULL if it need not
 *	be kept
 */
struct um_tlb_kept {
	unsigned long addr;
	struct page *page;
};

/**
 * mm_context_t - the host side of an address space
 * @host: the backend's address space; NULL until it first runs
 * @reserved: made in advance, becomes @host at the first run
 * @dead: the backend lost it (its host process was killed)
 * @fp_owner: task whose extended state is live in the runner, or NULL
 * @debugreg_owner: task whose debug registers are loaded in the runner
 * @lock: protects the pending ranges; taken with interrupts off
 * @nr_ranges: number of valid entries of @ranges
 * @ranges: what to synchronise before the mm runs again, unordered; merged
 *	when full
 * @nr_protects: number of valid entries of @protects
 * @protects: where the rights of pages changed, and nothing else; merged when full
 * @urgent: something in @adds is needed at once
 * @nr_adds: number of valid entries of @adds
 * @adds: small ranges where something became accessible; a hint
 * @next_add: entry of a full @adds to be overwritten next
 * @nr_kept: number of valid entries of @kept
 * @nr_sent: how many of these the backend has been told of
 * @kept: pages that were replaced since guest code last ran
 * @hot: pages that were copied or taken over after a fork(): the next one copies
 *	them at once. A child's are its parent's at first. See mm/cow.c.
 * @hot_bits: a bit for each of @hot, by a hash
 * @next_hot: entry of @hot to be overwritten next
 * @fault_page: page of the last fault; what is kept if the host's limits are hit
 * @misses: how often in a row that page faulted although the guest's tables
 *	allow the access, see um_tlb_refill()
 * @texts: shadow text pages mapped in it, see mm/shadow.c
 * @no_texts: it is to see its text as it is, for good
 * @vdso: address of the vDSO image in this mm
 */
typedef struct {
	struct um_mm *host;
	struct um_mm *reserved;
	bool dead;
	struct task_struct *fp_owner;
	struct task_struct *debugreg_owner;
	spinlock_t lock;
	unsigned int nr_ranges;
	struct um_tlb_range ranges[UM_TLB_RANGES];
	unsigned int nr_protects;
	struct um_tlb_range protects[UM_TLB_RANGES];
	bool urgent;
	unsigned int nr_adds;
	unsigned int next_add;
	struct um_tlb_range adds[UM_TLB_ADDS];
	unsigned int nr_kept;
	unsigned int nr_sent;
	struct um_tlb_kept kept[UM_TLB_KEPT];
	unsigned long hot[UM_TLB_HOT];
	unsigned long hot_bits;
	unsigned int next_hot;
	unsigned long fault_page;
	unsigned int misses;
	struct list_head texts;
	bool no_texts;
	void *vdso;
} mm_context_t;

#endif
