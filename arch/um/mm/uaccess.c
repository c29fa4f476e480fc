// SPDX-License-Identifier: GPL-2.0
/*
 * Copying between kernel and user memory.
 *
 * Each page touched is looked up in the page tables (um_walk_access()) and
 * reached through the linear map, with preemption disabled from the lookup to
 * the end of the copy: see mm/walk.c for why that keeps the page in place. What
 * the lookup refuses is faulted in with preemption enabled, and looked up
 * again, until the page is there or the fault handler gives up. In atomic
 * context nothing is faulted in, and the copy ends early.
 *
 * All functions here expect that access_ok() was asked; should it not have
 * been, addresses beyond user space are refused by the lookup.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/word-at-a-time.h>
#include "uaccess.h"
#include "walk.h"

void *um_user_begin_nofault(const void __user *uaddr, bool write)
{
	unsigned long addr = (__force unsigned long)uaddr;
	struct mm_struct *mm = current->mm;
	pte_t pte;

	preempt_disable();
	if (mm && !um_walk_access(mm, addr, write ? UM_WRITE : UM_READ, &pte))
		return pfn_to_virt(pte_pfn(pte)) + offset_in_page(addr);
	preempt_enable();
	return NULL;
}

static void *user_begin(const void __user *uaddr, bool write)
{
	void *page;

	do {
		page = um_user_begin_nofault(uaddr, write);
	} while (unlikely(!page) && um_fault_in((__force unsigned long)uaddr, write));
	return page;
}

static unsigned long left_in_page(const void __user *uaddr)
{
	return PAGE_SIZE - offset_in_page((__force unsigned long)uaddr);
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	while (n) {
		unsigned long part = min(n, left_in_page(from));
		const void *page = user_begin(from, false);

		if (!page)
			break;
		memcpy(to, page, part);
		um_user_end();
		to += part;
		from += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_from_user);

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	while (n) {
		unsigned long part = min(n, left_in_page(to));
		void *page = user_begin(to, true);

		if (!page)
			break;
		memcpy(page, from, part);
		um_user_end();
		to += part;
		from += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_to_user);

unsigned long um_clear_user(void __user *to, unsigned long n)
{
	while (n) {
		unsigned long part = min(n, left_in_page(to));
		void *page = user_begin(to, true);

		if (!page)
			break;
		memset(page, 0, part);
		um_user_end();
		to += part;
		n -= part;
	}
	return n;
}
EXPORT_SYMBOL(um_clear_user);

/* One access of the given size, so that an aligned value is never torn. */
static __always_inline void move_value(void *to, const void *from, unsigned int size)
{
	switch (size) {
	case 1:
		*(u8 *)to = READ_ONCE(*(const u8 *)from);
		break;
	case 2:
		*(u16 *)to = READ_ONCE(*(const u16 *)from);
		break;
	case 4:
		*(u32 *)to = READ_ONCE(*(const u32 *)from);
		break;
	case 8:
		*(u64 *)to = READ_ONCE(*(const u64 *)from);
		break;
	}
}

int um_get_user(void *to, const void __user *from, unsigned int size)
{
	const void *page;

	if (unlikely(size > left_in_page(from)))
		return raw_copy_from_user(to, from, size) ? -EFAULT : 0;
	page = user_begin(from, false);
	if (unlikely(!page))
		return -EFAULT;
	move_value(to, page, size);
	um_user_end();
	return 0;
}
EXPORT_SYMBOL(um_get_user);

int um_put_user(void __user *to, const void *from, unsigned int size)
{
	void *page;

	if (unlikely(size > left_in_page(to)))
		return raw_copy_to_user(to, from, size) ? -EFAULT : 0;
	page = user_begin(to, true);
	if (unlikely(!page))
		return -EFAULT;
	move_value(page, from, size);
	um_user_end();
	return 0;
}
EXPORT_SYMBOL(um_put_user);

/*
 * Copy up to and including the first NUL of a part of one page. Every byte is
 * read once: a string that changes meanwhile can't be longer than what was
 * tested. Returns the number of bytes before the NUL, or @n if there is none.
 */
static unsigned long copy_string(char *to, const char *from, unsigned long n)
{
	const struct word_at_a_time constants = WORD_AT_A_TIME_CONSTANTS;
	unsigned long done = 0, word, bits;

	while (n - done >= sizeof(word)) {
		word = READ_ONCE(*(const unsigned long *)(from + done));
		*(unsigned long *)(to + done) = word;
		if (has_zero(word, &bits, &constants)) {
			bits = prep_zero_mask(word, bits, &constants);
			bits = create_zero_mask(bits);
			return done + find_zero(bits);
		}
		done += sizeof(word);
	}
	while (done < n) {
		to[done] = READ_ONCE(from[done]);
		if (!to[done])
			break;
		done++;
	}
	return done;
}

/**
 * strncpy_from_user() - copy a string from user memory
 * @dst: where to, @count bytes
 * @src: the string
 * @count: most bytes to copy, including the NUL
 *
 * Returns the length without the NUL, @count if there was none (@dst is not
 * terminated then), or -EFAULT. Bytes of @dst behind the NUL may be changed.
 */
long strncpy_from_user(char *dst, const char __user *src, long count)
{
	long done = 0;

	if (count <= 0)
		return 0;
	if (!access_ok(src, 1))
		return -EFAULT;

	might_fault();
	while (done < count) {
		unsigned long part = min_t(unsigned long, count - done,
					   left_in_page(src + done));
		unsigned long length;
		const char *page = user_begin(src + done, false);

		if (!page)
			return -EFAULT;
		length = copy_string(dst + done, page, part);
		um_user_end();
		done += length;
		if (length < part)
			break;
	}
	return done;
}
EXPORT_SYMBOL(strncpy_from_user);

/**
 * strnlen_user() - size of a string in user memory
 * @src: the string
 * @count: most bytes to look at
 *
 * Returns the size including the NUL, @count + 1 if there was none, or 0 if
 * the memory is not accessible.
 */
long strnlen_user(const char __user *src, long count)
{
	long done = 0;

	if (count <= 0 || !access_ok(src, 1))
		return 0;

	might_fault();
	while (done < count) {
		unsigned long part = min_t(unsigned long, count - done,
					   left_in_page(src + done));
		unsigned long length;
		const char *page = user_begin(src + done, false);

		if (!page)
			return 0;
		length = strnlen(page, part);
		um_user_end();
		done += length;
		if (length < part)
			return done + 1;
	}
	return count + 1;
}
EXPORT_SYMBOL(strnlen_user);
