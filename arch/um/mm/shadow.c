// SPDX-License-Identifier: GPL-2.0
/*
 * Shadows of text pages.
 *
 * A system call instruction traps, and a trap is slow. So instructions that are
 * executed often are patched, but in a copy of their page that is mapped on the
 * host in place of the page, executable, and is nowhere else: the guest's page
 * tables, and with them all that reads guest memory through the kernel (ptrace,
 * /proc/PID/mem, core dumps, the page cache), know nothing of it. It is to the
 * page what an instruction cache would be, and thrown away like one when the
 * page changes: see flush_dcache_folio().
 *
 * All address spaces that map a page execute the same shadow. What is different
 * for each, because it depends on where the page is mapped, is behind the table
 * through which patches jump; struct text_map says that an address space has
 * its entries ready. A page that is mapped twice in an address space is a
 * shadow only once.
 *
 * A shadow that is out of date is mapped by nobody after the flushes that this
 * causes, but a guest that keeps its old mappings by lying about having stopped
 * might still have it for a moment. So its memory is not freed before the last
 * of those address spaces is gone. One that nobody maps stays for the next who
 * maps the page, and is compared with it then.
 */
#include <linux/bitmap.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <asm/cacheflush.h>
#include <asm/memory.h>
#include <asm/processor-flags.h>
#include <asm/text_shadow.h>
#include <asm/trapnr.h>
#include <host/usermode.h>
#include "tlb.h"
#include "walk.h"

#define SHADOWS_MAX	512
#define PATCHES_MAX	48

/**
 * struct shadow - a text page as it is executed
 * @node: in shadows, by @pfn; not if it is out of date
 * @all: in shadow_list
 * @maps: struct text_map, who has it mapped
 * @pfn: the page it is a copy of
 * @text: the copy with patches
 * @orig: the copy without
 * @nr: number of valid entries of @patches
 * @patches: what is different
 */
struct shadow {
	struct hlist_node node;
	struct list_head all;
	struct list_head maps;
	unsigned long pfn;
	u8 *text;
	u8 *orig;
	unsigned int nr;
	struct text_patch patches[PATCHES_MAX];
};

/**
 * struct text_map - an address space executes a shadow
 * @node: in text_maps, by @mm and @addr; not if it is mapped no more
 * @by_mm: in mm->context.texts
 * @by_shadow: in shadow->maps
 * @shadow: the shadow
 * @mm: the address space
 * @addr: where the page is mapped
 */
struct text_map {
	struct hlist_node node;
	struct list_head by_mm;
	struct list_head by_shadow;
	struct shadow *shadow;
	struct mm_struct *mm;
	unsigned long addr;
};

unsigned int text_shadows;

static DEFINE_SPINLOCK(shadow_lock);		/* all of this */
static DEFINE_HASHTABLE(shadows, 8);
static LIST_HEAD(shadow_list);
static DEFINE_HASHTABLE(text_maps, 10);
static DECLARE_BITMAP(slots, UM_PATCH_SLOTS);

static struct shadow *find_shadow(unsigned long pfn)
{
	struct shadow *shadow;

	hash_for_each_possible(shadows, shadow, node, pfn)
		if (shadow->pfn == pfn)
			return shadow;
	return NULL;
}

static unsigned long map_key(const struct mm_struct *mm, unsigned long addr)
{
	return (unsigned long)mm / L1_CACHE_BYTES + addr / PAGE_SIZE;
}

static struct text_map *find_map(const struct mm_struct *mm, unsigned long addr)
{
	struct text_map *map;

	addr &= PAGE_MASK;
	hash_for_each_possible(text_maps, map, node, map_key(mm, addr))
		if (map->mm == mm && map->addr == addr)
			return map;
	return NULL;
}

static void free_shadow(struct shadow *shadow)
{
	unsigned int i;

	for (i = 0; i < shadow->nr; i++)
		__clear_bit(shadow->patches[i].slot, slots);
	hash_del(&shadow->node);
	list_del(&shadow->all);
	free_page((unsigned long)shadow->text);
	free_page((unsigned long)shadow->orig);
	kfree(shadow);
	text_shadows--;
}

static void free_map(struct text_map *map)
{
	struct shadow *shadow = map->shadow;

	hash_del(&map->node);
	list_del(&map->by_mm);
	list_del(&map->by_shadow);
	kfree(map);
	if (list_empty(&shadow->maps) && hlist_unhashed(&shadow->node))
		free_shadow(shadow);
}

/* The page is not what it was. */
static void drop(struct shadow *shadow)
{
	struct text_map *map;

	hash_del(&shadow->node);
	list_for_each_entry(map, &shadow->maps, by_shadow)
		um_tlb_record(map->mm, map->addr, map->addr + PAGE_SIZE);
	if (list_empty(&shadow->maps))
		free_shadow(shadow);
}

static bool up_to_date(const struct shadow *shadow)
{
	return !memcmp(shadow->orig, pfn_to_virt(shadow->pfn), PAGE_SIZE);
}

/* Nobody can write to it without our notice. */
static enum text_result eligible(unsigned long pfn)
{
	struct folio *folio = page_folio(pfn_to_page(pfn));
	struct address_space *mapping = folio->mapping;

	if (folio_test_anon(folio) || !mapping)
		return TEXT_NOT_FILE;
	return mapping_writably_mapped(mapping) ? TEXT_WRITABLE : TEXT_COUNTED;
}

/* Free one that nobody has mapped, but not @keep. */
static bool free_unused(const struct shadow *keep)
{
	struct shadow *shadow;

	list_for_each_entry(shadow, &shadow_list, all) {
		if (shadow != keep && list_empty(&shadow->maps)) {
			free_shadow(shadow);
			return true;
		}
	}
	return false;
}

static struct shadow *new_shadow(unsigned long pfn)
{
	struct shadow *shadow;

	if (text_shadows >= SHADOWS_MAX && !free_unused(NULL))
		return NULL;
	shadow = kzalloc(sizeof(*shadow), GFP_ATOMIC | __GFP_NOWARN);
	if (!shadow)
		return NULL;
	shadow->text = (u8 *)__get_free_page(GFP_ATOMIC | __GFP_NOWARN);
	shadow->orig = (u8 *)__get_free_page(GFP_ATOMIC | __GFP_NOWARN);
	if (!shadow->text || !shadow->orig) {
		free_page((unsigned long)shadow->text);
		free_page((unsigned long)shadow->orig);
		kfree(shadow);
		return NULL;
	}
	memcpy(shadow->orig, pfn_to_virt(pfn), PAGE_SIZE);
	memcpy(shadow->text, shadow->orig, PAGE_SIZE);
	shadow->pfn = pfn;
	INIT_LIST_HEAD(&shadow->maps);
	hash_add(shadows, &shadow->node, pfn);
	list_add_tail(&shadow->all, &shadow_list);
	text_shadows++;
	return shadow;
}

static void prepare_slot(const struct text_map *map, const struct text_patch *patch)
{
	struct um_mm *mm = map->mm->context.host;
	const struct um_patch host = {
		.ret = map->addr + patch->call + 2,
		.nr = patch->nr,
		.moved = patch->moved,
		.imm = patch->imm,
	};

	/* Not on its way out. */
	if (mm)
		host_usermode->patch(mm, patch->slot, &host);
}

static void prepare_all(void *arg, const struct text_patch *patch)
{
	struct shadow *shadow = arg;
	struct text_map *map;

	list_for_each_entry(map, &shadow->maps, by_shadow)
		prepare_slot(map, patch);
}

static enum text_result add_patch(struct shadow *shadow, const struct pt_regs *regs)
{
	struct text_patch *patch = &shadow->patches[shadow->nr];
	enum text_result result;
	unsigned long slot;
	unsigned int i;

	for (i = 0; i < shadow->nr; i++)
		if (shadow->patches[i].call == offset_in_page(regs->ip))
			return shadow->patches[i].result;
	do {
		slot = find_first_zero_bit(slots, UM_PATCH_SLOTS);
	} while (slot == UM_PATCH_SLOTS && free_unused(shadow));
	if (slot == UM_PATCH_SLOTS || shadow->nr == PATCHES_MAX)
		return TEXT_FULL;
	patch->slot = slot;
	result = text_patch(shadow->text, shadow->orig, regs, patch, prepare_all, shadow);
	if (text_is_patched(result)) {
		patch->result = result;
		__set_bit(slot, slots);
		shadow->nr++;
	}
	return result;
}

static enum text_result patch_locked(unsigned long pfn, const struct pt_regs *regs)
{
	struct shadow *shadow = find_shadow(pfn);
	enum text_result result = eligible(pfn);

	if (result != TEXT_COUNTED)
		return result;
	if (shadow && !up_to_date(shadow)) {
		drop(shadow);
		shadow = NULL;
	}
	if (!shadow)
		shadow = new_shadow(pfn);
	if (!shadow)
		return TEXT_FULL;
	result = add_patch(shadow, regs);
	if (!shadow->nr)
		free_shadow(shadow);
	return result;
}

enum text_result text_shadow_patch(unsigned long pfn, const struct pt_regs *regs)
{
	enum text_result result;
	unsigned long flags;

	spin_lock_irqsave(&shadow_lock, flags);
	result = patch_locked(pfn, regs);
	spin_unlock_irqrestore(&shadow_lock, flags);
	return result;
}

/* Is this what an address space has mapped there? */
static bool still_there(const struct text_map *map)
{
	pte_t pte = um_walk(map->mm, map->addr);

	return pte_user(pte) && pte_pfn(pte) == map->shadow->pfn;
}

static void map_at(struct text_map *map, unsigned long addr)
{
	unsigned int i;

	map->addr = addr;
	hash_add(text_maps, &map->node, map_key(map->mm, addr));
	for (i = 0; i < map->shadow->nr; i++)
		prepare_slot(map, &map->shadow->patches[i]);
}

static struct text_map *new_map(struct mm_struct *mm, struct shadow *shadow)
{
	struct text_map *map = kzalloc(sizeof(*map), GFP_ATOMIC | __GFP_NOWARN);

	if (!map)
		return NULL;
	map->shadow = shadow;
	map->mm = mm;
	list_add(&map->by_mm, &mm->context.texts);
	list_add(&map->by_shadow, &shadow->maps);
	return map;
}

/*
 * Have @mm execute @shadow at @addr. A record of what was there before, or of
 * where it was before, is not freed: its host mapping may not be gone yet.
 */
static bool use_shadow(struct mm_struct *mm, unsigned long addr, struct shadow *shadow)
{
	struct text_map *map = find_map(mm, addr);

	if (map && map->shadow == shadow)
		return true;
	if (map)
		hash_del(&map->node);
	list_for_each_entry(map, &mm->context.texts, by_mm)
		if (map->shadow == shadow)
			break;
	if (list_entry_is_head(map, &mm->context.texts, by_mm))
		map = new_map(mm, shadow);
	else if (map->addr != addr && still_there(map))
		return false;
	if (!map)
		return false;
	hash_del(&map->node);
	map_at(map, addr);
	return true;
}

unsigned long text_shadow_pfn(struct mm_struct *mm, unsigned long addr, unsigned long pfn)
{
	struct shadow *shadow;
	unsigned long flags;

	if (mm->context.no_texts || !mm->context.host)
		return pfn;
	spin_lock_irqsave(&shadow_lock, flags);
	shadow = find_shadow(pfn);
	if (shadow && !up_to_date(shadow)) {
		drop(shadow);
		shadow = NULL;
	}
	if (shadow && eligible(pfn) == TEXT_COUNTED && use_shadow(mm, addr, shadow)) {
		/* A hint for all who write. Not for ever: pages are freed and split. */
		set_bit(PG_arch_1, &page_folio(pfn_to_page(pfn))->flags);
		pfn = virt_to_pfn(shadow->text);
	}
	spin_unlock_irqrestore(&shadow_lock, flags);
	return pfn;
}

bool text_shadow_is(struct mm_struct *mm, unsigned long addr, unsigned long pfn)
{
	struct text_map *map;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&shadow_lock, flags);
	list_for_each_entry(map, &mm->context.texts, by_mm)
		found |= map->addr == addr && virt_to_pfn(map->shadow->text) == pfn;
	spin_unlock_irqrestore(&shadow_lock, flags);
	return found;
}

static void drop_pfn(unsigned long pfn)
{
	struct shadow *shadow;
	unsigned long flags;

	spin_lock_irqsave(&shadow_lock, flags);
	shadow = find_shadow(pfn);
	if (shadow)
		drop(shadow);
	spin_unlock_irqrestore(&shadow_lock, flags);
}

void text_shadow_written(unsigned long pfn)
{
	if (unlikely(test_bit(PG_arch_1, &page_folio(pfn_to_page(pfn))->flags)))
		drop_pfn(pfn);
}

void flush_dcache_folio(struct folio *folio)
{
	unsigned long i;

	if (likely(!test_bit(PG_arch_1, &folio->flags)))
		return;
	clear_bit(PG_arch_1, &folio->flags);
	for (i = 0; i < folio_nr_pages(folio); i++)
		drop_pfn(folio_pfn(folio) + i);
}
EXPORT_SYMBOL(flush_dcache_folio);

void flush_dcache_page(struct page *page)
{
	flush_dcache_folio(page_folio(page));
}
EXPORT_SYMBOL(flush_dcache_page);

void text_shadow_give_up(struct mm_struct *mm)
{
	struct text_map *map;
	unsigned long flags;

	mm->context.no_texts = true;
	spin_lock_irqsave(&shadow_lock, flags);
	list_for_each_entry(map, &mm->context.texts, by_mm)
		um_tlb_record(mm, map->addr, map->addr + PAGE_SIZE);
	spin_unlock_irqrestore(&shadow_lock, flags);
}

void text_shadow_flushed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct text_map *map;
	unsigned long flags;

	if (list_empty(&mm->context.texts))
		return;
	spin_lock_irqsave(&shadow_lock, flags);
	list_for_each_entry(map, &mm->context.texts, by_mm)
		if (map->addr >= start && map->addr < end)
			hash_del(&map->node);
	spin_unlock_irqrestore(&shadow_lock, flags);
}

void text_shadow_exit(struct mm_struct *mm)
{
	struct text_map *map, *next;
	unsigned long flags;

	spin_lock_irqsave(&shadow_lock, flags);
	list_for_each_entry_safe(map, next, &mm->context.texts, by_mm)
		free_map(map);
	spin_unlock_irqrestore(&shadow_lock, flags);
}

/* The patch that @ip is in. */
static const struct text_patch *find_patch(struct mm_struct *mm, unsigned long ip)
{
	struct text_map *map = find_map(mm, ip);
	unsigned int offset = offset_in_page(ip);
	unsigned int i;

	for (i = 0; map && i < map->shadow->nr; i++) {
		const struct text_patch *patch = &map->shadow->patches[i];

		if (offset == patch->call || text_inside(patch, offset) ||
		    (patch->moved && offset == patch->call + 2))
			return patch;
	}
	return NULL;
}

bool text_shadow_leave(struct pt_regs *regs, struct um_event *event)
{
	bool stepped = event->kind == UM_EV_TRAP && event->trapno == X86_TRAP_DB;
	struct mm_struct *mm = current->mm;
	const struct text_patch *patch;
	bool invalid = event->kind == UM_EV_TRAP && event->signo == SIGILL;
	bool report = true;
	unsigned long flags;

	spin_lock_irqsave(&shadow_lock, flags);
	patch = find_patch(mm, regs->ip);
	if (patch && text_inside(patch, offset_in_page(regs->ip))) {
		/* Not an instruction of the guest's: it has not been executed. */
		regs->ip = (regs->ip & PAGE_MASK) + patch->call;
		report = !stepped;
	} else if (patch && invalid && offset_in_page(regs->ip) != patch->call) {
		/* A step must end after it: then it is better where it was. */
		stepped = regs->flags & X86_EFLAGS_TF;
		if (!stepped)
			text_execute_moved(patch, regs);
		report = false;
		text_counters.boundary++;
	} else if (patch && invalid && text_boundary(patch)) {
		regs->ip += 2;
		regs->cx = regs->ip;
		regs->flags &= ~X86_EFLAGS_RF;
		regs->r11 = regs->flags;
		regs->orig_ax = regs->ax;
		event->kind = UM_EV_SYSCALL;
		event->code = UM_BY_TRAP;
		text_counters.boundary++;
	}
	spin_unlock_irqrestore(&shadow_lock, flags);
	/* Who goes step by step is to see every instruction. */
	if (patch && stepped)
		text_shadow_give_up(mm);
	return report;
}
