// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of access to user memory, and of the kernel's own where it may be absent.
 *
 * These are about what is counted and refused; the page tables are walked for
 * it, what the host has mapped does not matter.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

/* Byte counts of copies that end at a hole, and addresses that are refused. */
static void partial_copies(struct kunit *test)
{
	char *buffer = kunit_kmalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	long __user *fresh;
	char __user *last;
	unsigned long base;
	long value = 1;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	base = kunit_vm_mmap(test, NULL, 0, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL((void *)base));
	last = (char __user *)base + 2 * PAGE_SIZE;
	fresh = (long __user *)(base + 3 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_munmap(base + 2 * PAGE_SIZE, PAGE_SIZE), 0);

	memset(buffer, 'x', 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, copy_to_user(last - 10, buffer, 25), 15);
	KUNIT_EXPECT_EQ(test, copy_from_user(buffer, last - 5000, 5001), 1);
	KUNIT_EXPECT_EQ(test, buffer[4989], 0);
	KUNIT_EXPECT_EQ(test, buffer[4990], 'x');
	KUNIT_EXPECT_EQ(test, clear_user(last - 3, 8), 5);
	KUNIT_EXPECT_EQ(test, put_user(value, (long __user *)(last - 4)), -EFAULT);
	KUNIT_EXPECT_EQ(test, put_user(value, (long __user *)(last - 8)), 0);
	KUNIT_EXPECT_EQ(test, get_user(value, (long __user *)(last - 7)), -EFAULT);

	KUNIT_ASSERT_EQ(test, copy_to_user(last - 4100, "0123456789", 11), 0);
	KUNIT_EXPECT_EQ(test, strnlen_user(last - 4100, 100), 11);
	KUNIT_EXPECT_EQ(test, strnlen_user(last - 4100, 5), 6);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(buffer, last - 4100, 100), 10);
	KUNIT_EXPECT_STREQ(test, buffer, "0123456789");
	KUNIT_EXPECT_EQ(test, strncpy_from_user(buffer, last - 4100, 7), 7);
	KUNIT_ASSERT_EQ(test, copy_to_user(last - 4, "abcd", 4), 0);
	KUNIT_EXPECT_EQ(test, strnlen_user(last - 4, 100), 0);
	KUNIT_EXPECT_EQ(test, strncpy_from_user(buffer, last - 4, 100), -EFAULT);

	KUNIT_EXPECT_EQ(test, raw_copy_from_user(&value, (void __user *)buffer, 8), 8);
	KUNIT_EXPECT_EQ(test, raw_copy_to_user((void __user *)buffer, &value, 8), 8);
	KUNIT_EXPECT_EQ(test, raw_copy_from_user(&value, (void __user *)TASK_SIZE, 8), 8);
	KUNIT_EXPECT_EQ(test, raw_copy_from_user(&value, (void __user *)(base + (1UL << 48)), 8),
			8);

	pagefault_disable();
	KUNIT_EXPECT_EQ(test, __copy_from_user_inatomic(&value, fresh, 8), 8);
	pagefault_enable();
	KUNIT_EXPECT_EQ(test, get_user(value, fresh), 0);
	pagefault_disable();
	KUNIT_EXPECT_EQ(test, __copy_from_user_inatomic(&value, fresh, 8), 0);
	pagefault_enable();
}

/* Kernel memory that is absent is reported, not fatal. */
static void kernel_nofault(struct kunit *test)
{
	unsigned long value = 5, from = 7;

	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, &from, 8), 0);
	KUNIT_EXPECT_EQ(test, value, 7);
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, (void *)VMALLOC_END - 64, 8),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, copy_to_kernel_nofault((void *)VMALLOC_END - 64, &value, 8),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, NULL, 8), -ERANGE);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(partial_copies),
	KUNIT_CASE(kernel_nofault),
	{}
};

static struct kunit_suite suite = {
	.name = "um_uaccess",
	.test_cases = cases,
};
kunit_test_suite(suite);
