// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the host TLB.
 *
 * The backend is replaced by a fake which keeps what a guest process would
 * have mapped in a small window. After each synchronisation it is compared
 * with the page tables: every mapping must be one that the tables allow at that
 * moment. The fake takes the real one's place only inside sync(), with
 * preemption disabled, so that nothing else can run into it.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/prandom.h>
#include <linux/uaccess.h>
#include <asm/fault.h>
#include <asm/memory.h>
#include <asm/mmu_context.h>
#include <asm/tlbflush.h>
#include <host/usermode.h>
#include "tlb.h"
#include "walk.h"

#define PAGES	96

/**
 * struct fake_page - what the fake guest process has mapped
 * @prot: HOST_PROT_* bits, 0 if nothing
 * @offset: place in the memory file
 */
struct fake_page {
	int prot;
	unsigned long offset;
};

static struct fake_page fake[PAGES];
static unsigned long base;
static unsigned int bad_ops;
static unsigned int fail_in;	/* the op that fails with -ENOMEM, 0 for none */
static char fake_host;

static int fake_create(struct um_mm **mm)
{
	memset(fake, 0, sizeof(fake));
	*mm = (struct um_mm *)&fake_host;
	return 0;
}

static bool covers(const struct um_map_op *op, unsigned int i)
{
	unsigned long addr = base + i * PAGE_SIZE;

	return addr >= op->addr && addr < op->addr + op->len;
}

/*
 * Other rights for what is mapped, if all of it is. They are only for the page that
 * the tables have there.
 */
static bool fake_protect(const struct um_map_op *op)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (covers(op, i) && !fake[i].prot)
			return false;
	for (i = 0; i < PAGES; i++) {
		if (!covers(op, i))
			continue;
		if (fake[i].offset !=
		    um_pfn_offset(pte_pfn(um_walk(current->mm, base + i * PAGE_SIZE))))
			bad_ops++;
		fake[i].prot = op->prot;
	}
	return true;
}

static void fake_apply(const struct um_map_op *op)
{
	bool protect = op->kind == UM_PROTECT && op->prot;
	bool map = op->kind == UM_MAP || op->kind == UM_ADD || op->kind == UM_REPLACE ||
		   (protect && op->offset != UM_SCATTERED);
	unsigned int i;

	if (!op->len || !PAGE_ALIGNED(op->addr | op->len) ||
	    (map && !PAGE_ALIGNED(op->offset)) ||
	    op->addr + op->len > TASK_SIZE ||
	    (map && op->offset + op->len > host_memory.ram_size))
		bad_ops++;

	if (protect && fake_protect(op))
		return;
	for (i = 0; i < PAGES; i++) {
		if (!covers(op, i))
			continue;
		fake[i].prot = map ? op->prot : 0;
		fake[i].offset = op->offset + (base + i * PAGE_SIZE - op->addr);
	}
}

static int fake_map(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr)
{
	for (; nr; nr--, ops++) {
		if (fail_in && !--fail_in)
			return -ENOMEM;
		fake_apply(ops);
	}
	return 0;
}

static void fake_abandon(struct um_mm *mm)
{
}

static const struct um_backend fake_backend = {
	.name = "fake",
	.mm_create = fake_create,
	.abandon = fake_abandon,
	.map = fake_map,
};

static int sync(void)
{
	const struct um_backend *real;
	int err;

	preempt_disable();
	real = host_usermode;
	host_usermode = &fake_backend;
	err = um_tlb_sync(current->mm);
	host_usermode = real;
	preempt_enable();
	return err;
}

static pte_t read_pte(unsigned long addr)
{
	pte_t pte;

	preempt_disable();
	pte = um_walk(current->mm, addr);
	preempt_enable();
	return pte;
}

/* No mapping may exceed the page tables. */
static void check(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		pte_t pte = read_pte(base + i * PAGE_SIZE);

		if (!fake[i].prot)
			continue;
		KUNIT_ASSERT_TRUE_MSG(test, pte_user(pte), "page %u is mapped", i);
		KUNIT_ASSERT_EQ(test, fake[i].offset, um_pfn_offset(pte_pfn(pte)));
		if (fake[i].prot & HOST_PROT_WRITE)
			KUNIT_ASSERT_TRUE_MSG(test, pte_write(pte) && pte_dirty(pte),
					      "page %u is writable", i);
		if (fake[i].prot & HOST_PROT_EXEC)
			KUNIT_ASSERT_TRUE_MSG(test, pte_exec(pte), "page %u is executable", i);
	}
	KUNIT_ASSERT_EQ(test, bad_ops, 0);
}

static void __user *page_at(unsigned int i)
{
	return (void __user *)(base + i * PAGE_SIZE);
}

static void setup(struct kunit *test)
{
	base = kunit_vm_mmap(test, NULL, 0, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void *)base));
	/* What is mapped where is about single pages here. */
	set_bit(MMF_DISABLE_THP, &current->mm->flags);
	/* The host side was reserved with the mm: it starts empty here. */
	memset(fake, 0, sizeof(fake));
	bad_ops = 0;
	fail_in = 0;
}

/* Forget the fake before the address space dies. */
static void teardown(void)
{
	current->mm->context.host = NULL;
}

static void map_after_write(struct kunit *test)
{
	setup(test);
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(3)), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	KUNIT_EXPECT_EQ(test, fake[3].prot, HOST_PROT_READ | HOST_PROT_WRITE);
	KUNIT_EXPECT_EQ(test, fake[4].prot, 0);
	KUNIT_EXPECT_FALSE(test, um_tlb_pending(current->mm));
	teardown();
}

static void unmap_on_flush(struct kunit *test)
{
	unsigned int i;

	setup(test);
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(i)), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);

	/* The first flush of each page is merged into what was kept. */
	for (i = 0; i < PAGES; i += 3)
		KUNIT_ASSERT_EQ(test, vm_munmap(base + i * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, um_tlb_pending(current->mm));
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	for (i = 0; i < PAGES; i += 3)
		KUNIT_EXPECT_EQ(test, fake[i].prot, 0);

	KUNIT_ASSERT_EQ(test, vm_munmap(base, PAGES * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	teardown();
}

/* A refill maps the neighbours; a host that never maps is noticed. */
static void refill(struct kunit *test)
{
	unsigned long addr;
	unsigned int i;
	int err = 0;

	setup(test);
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(i)), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	memset(fake, 0, sizeof(fake));

	i = 40;
	addr = base + i * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, addr + 5, UM_WRITE), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	KUNIT_EXPECT_EQ(test, fake[i].prot, HOST_PROT_READ | HOST_PROT_WRITE);
	addr &= ~(16 * PAGE_SIZE - 1);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_NE(test, fake[(addr - base) / PAGE_SIZE + i].prot, 0);

	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, addr, UM_EXEC), -EFAULT);
	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, TASK_SIZE, UM_READ), -EFAULT);
	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, -4096UL, UM_READ), -EFAULT);

	for (i = 0; i < 100 && !err; i++)
		err = um_tlb_refill(current->mm, addr, UM_READ);
	KUNIT_EXPECT_EQ(test, err, -ELOOP);
	flush_tlb_mm(current->mm);
	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, addr, UM_READ), 0);
	teardown();
}

/* Change one page behind the host's back, as reclaim or fork do, and flush. */
static void change(unsigned int i, unsigned long clear, bool flush)
{
	unsigned long addr = base + i * PAGE_SIZE;
	pte_t *ptep;

	preempt_disable();
	if (pte_present(um_walk(current->mm, addr))) {
		ptep = pte_offset_kernel(pmd_off(current->mm, addr), addr);
		set_pte(ptep, pte_clear_flags(ptep_get(ptep), clear));
		if (flush)
			um_tlb_flush(current->mm, addr, addr + PAGE_SIZE);
	}
	preempt_enable();
}

/* Change a page's rights as mprotect() does. */
static void modify(unsigned int i, pgprot_t prot)
{
	unsigned long addr = base + i * PAGE_SIZE;
	struct vm_area_struct *vma;
	pte_t *ptep, old;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	preempt_disable();
	old = um_walk(current->mm, addr);
	if (pte_present(old) && !is_zero_pfn(pte_pfn(old))) {
		ptep = pte_offset_kernel(pmd_off(current->mm, addr), addr);
		old = ptep_modify_prot_start(vma, addr, ptep);
		ptep_modify_prot_commit(vma, addr, ptep, old, pte_modify(old, prot));
	}
	preempt_enable();
	mmap_read_unlock(current->mm);
}

/* Rights change with no flush; where something is missing it is mapped or dropped. */
static void protect(struct kunit *test)
{
	unsigned int i;

	setup(test);
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(i)), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	/* The first time not all is mapped, if it is in many pieces. */
	um_tlb_add(current->mm, base, PAGES);
	KUNIT_EXPECT_EQ(test, sync(), 0);

	for (i = 8; i < 24; i++)
		modify(i, PAGE_READONLY);
	KUNIT_EXPECT_TRUE(test, um_tlb_pending(current->mm));
	KUNIT_EXPECT_EQ(test, fake[8].prot, HOST_PROT_READ | HOST_PROT_WRITE);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	for (i = 8; i < 24; i++)
		KUNIT_EXPECT_EQ(test, fake[i].prot, HOST_PROT_READ);
	KUNIT_EXPECT_EQ(test, fake[7].prot, HOST_PROT_READ | HOST_PROT_WRITE);
	KUNIT_EXPECT_EQ(test, fake[24].prot, HOST_PROT_READ | HOST_PROT_WRITE);

	modify(10, PAGE_NONE);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, fake[10].prot, 0);
	for (i = 8; i < 24; i++)
		modify(i, PAGE_READONLY);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	teardown();
}

/* What is made accessible in advance waits for an order that is needed. */
static void in_advance(struct kunit *test)
{
	setup(test);
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(1)), 0);
	KUNIT_EXPECT_EQ(test, sync(), 0);

	current->thread.in_prefault = true;
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(50)), 0);
	current->thread.in_prefault = false;
	KUNIT_EXPECT_FALSE(test, um_tlb_pending(current->mm));
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, fake[50].prot, 0);

	KUNIT_EXPECT_EQ(test, um_tlb_refill(current->mm, base + 50 * PAGE_SIZE, UM_WRITE), 0);
	KUNIT_EXPECT_TRUE(test, um_tlb_pending(current->mm));
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, fake[50].prot, HOST_PROT_READ | HOST_PROT_WRITE);
	KUNIT_EXPECT_EQ(test, fake[51].prot, 0);
	teardown();
}

/* fork() shares all but what was written after the last one. */
static void hot_pages(struct kunit *test)
{
	struct vm_area_struct *vma;

	setup(test);
	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, base);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base, 64), 64);
	um_tlb_hot(current->mm, base + 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base, 64), 64);
	current->thread.in_fault = true;
	um_tlb_hot(current->mm, base + 5 * PAGE_SIZE + 8);
	current->thread.in_fault = false;
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base, 64), 5);
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base + 5 * PAGE_SIZE, 64), 0);
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base + 5 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, arch_fork_share(vma, base + 6 * PAGE_SIZE, 8), 8);
	teardown();
}

/*
 * Take a page out and put another entry there, as a fault with an eager backend does.
 * Returns where the entry is.
 */
static pte_t *replace(unsigned int i, pte_t new)
{
	const struct um_backend *lazy = host_usermode;
	struct um_backend eager = fake_backend;
	unsigned long addr = base + i * PAGE_SIZE;
	struct vm_area_struct *vma;
	pte_t *ptep;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	mmap_read_unlock(current->mm);
	preempt_disable();
	eager.eager = 1;
	host_usermode = &eager;
	ptep = pte_offset_kernel(pmd_off(current->mm, addr), addr);
	current->thread.in_fault = true;
	ptep_clear_flush(vma, addr, ptep);
	current->thread.in_fault = false;
	host_usermode = lazy;
	set_pte(ptep, new);
	preempt_enable();
	return ptep;
}

/* A page that is replaced in a fault is kept until guest code has been running. */
static void replaced(struct kunit *test)
{
	struct page *page;
	unsigned int refs;
	mm_context_t *ctx;
	pte_t *ptep, pte;

	setup(test);
	ctx = &current->mm->context;
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(5)), 0);
	KUNIT_ASSERT_EQ(test, sync(), 0);
	pte = read_pte(base + 5 * PAGE_SIZE);
	page = pte_page(pte);
	refs = page_ref_count(page);

	ptep = replace(5, __pte(0));
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 1);
	KUNIT_EXPECT_NE(test, fake[5].prot, 0);

	KUNIT_EXPECT_TRUE(test, um_tlb_pending(current->mm));
	um_tlb_put_kept(current->mm, false);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs + 1);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	KUNIT_EXPECT_EQ(test, fake[5].prot, 0);
	KUNIT_EXPECT_EQ(test, ctx->nr_sent, 1);
	um_tlb_put_kept(current->mm, false);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	KUNIT_EXPECT_EQ(test, ctx->nr_kept, 0);

	set_pte(ptep, pte);
	teardown();
}

/* The rights of the copy are not for the page that was replaced. */
static void replaced_then_protected(struct kunit *test)
{
	pte_t *ptep, pte;

	setup(test);
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(5)), 0);
	KUNIT_ASSERT_EQ(test, put_user(1L, (long __user *)page_at(7)), 0);
	KUNIT_ASSERT_EQ(test, sync(), 0);
	pte = read_pte(base + 5 * PAGE_SIZE);

	ptep = replace(5, pte_wrprotect(read_pte(base + 7 * PAGE_SIZE)));
	modify(5, PAGE_SHARED);
	KUNIT_EXPECT_EQ(test, sync(), 0);
	check(test);
	KUNIT_EXPECT_EQ(test, fake[5].offset, fake[7].offset);

	um_tlb_put_kept(current->mm, false);
	set_pte(ptep, pte);
	teardown();
}

static void storm(struct kunit *test)
{
	struct rnd_state rnd;
	unsigned int round, i;
	unsigned long value;

	setup(test);
	prandom_seed_state(&rnd, 20240607);
	for (round = 0; round < 20000; round++) {
		i = prandom_u32_state(&rnd) % PAGES;
		switch (prandom_u32_state(&rnd) % 12) {
		case 0:
		case 1:
		case 2:
			KUNIT_ASSERT_EQ(test, put_user((unsigned long)i,
						       (unsigned long __user *)page_at(i)), 0);
			break;
		case 3:
			KUNIT_ASSERT_EQ(test, get_user(value,
						       (unsigned long __user *)page_at(i)), 0);
			KUNIT_ASSERT_TRUE(test, !value || value == i);
			break;
		case 4:
			change(i, _PAGE_WRITE, true);
			break;
		case 5:
			change(i, _PAGE_ACCESSED, false);
			break;
		case 6:
			change(i, _PAGE_DIRTY, true);
			break;
		case 7:
			KUNIT_ASSERT_EQ(test, vm_mmap(NULL, base + i * PAGE_SIZE, PAGE_SIZE,
						      PROT_READ | PROT_WRITE,
						      MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE,
						      0), base + i * PAGE_SIZE);
			break;
		case 8:
			um_tlb_refill(current->mm, base + i * PAGE_SIZE,
				      prandom_u32_state(&rnd) & 1 ? UM_READ : UM_WRITE);
			break;
		case 9:
			if (!(prandom_u32_state(&rnd) % 16))
				flush_tlb_mm(current->mm);
			if (!(prandom_u32_state(&rnd) % 16))
				fail_in = 1 + prandom_u32_state(&rnd) % 20;
			KUNIT_ASSERT_EQ(test, sync(), 0);
			check(test);
			break;
		case 10:
			modify(i, PAGE_SHARED);
			break;
		case 11:
			modify(i, PAGE_READONLY);
			break;
		}
	}
	teardown();
}

static struct kunit_case cases[] = {
	KUNIT_CASE(map_after_write),
	KUNIT_CASE(unmap_on_flush),
	KUNIT_CASE(refill),
	KUNIT_CASE(protect),
	KUNIT_CASE(in_advance),
	KUNIT_CASE(hot_pages),
	KUNIT_CASE(replaced),
	KUNIT_CASE(replaced_then_protected),
	KUNIT_CASE(storm),
	{}
};

/*
 * Flushes are to be recorded until the fake gets them, whatever the backend
 * wants: all of it but that is the real one.
 */
static const struct um_backend *real_backend;
static struct um_backend lazy_backend;

static int suite_init(struct kunit_suite *suite)
{
	real_backend = host_usermode;
	lazy_backend = *real_backend;
	lazy_backend.eager = 0;
	host_usermode = &lazy_backend;
	return 0;
}

static void suite_exit(struct kunit_suite *suite)
{
	host_usermode = real_backend;
}

static struct kunit_suite suite = {
	.name = "um_mm",
	.suite_init = suite_init,
	.suite_exit = suite_exit,
	.test_cases = cases,
};
kunit_test_suite(suite);
