// SPDX-License-Identifier: GPL-2.0
/* KUnit tests of patch.c: which instructions are patched, and to what. */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/ptrace.h>
#include <asm/text_shadow.h>

#define SLOT	5
#define CALL	0x104

static u8 *text, *orig;
static struct text_patch patch;
static int readied;

static void ready(void *arg, const struct text_patch *p)
{
	/* Before the page is changed, and complete. */
	readied += arg == text && p == &patch && p->call == CALL && text[CALL] == 0x0f;
}

static enum text_result try_at(unsigned int call, unsigned long nr, unsigned long r8)
{
	struct pt_regs regs = { .ip = 0x555555554000 + call, .orig_ax = nr, .r8 = r8 };

	patch = (struct text_patch){ .slot = SLOT };
	readied = 0;
	return text_patch(text, orig, &regs, &patch, ready, text);
}

/* Code of a page, the rest of which is one-byte instructions. */
static void put(unsigned int at, const char *code, unsigned int len)
{
	memset(text, 0x50, PAGE_SIZE);		/* push %rax */
	memcpy(text + at, code, len);
	memcpy(orig, text, PAGE_SIZE);
}

static void add(unsigned int at, const char *code, unsigned int len)
{
	memcpy(text + at, code, len);
	memcpy(orig + at, code, len);
}

/* ret and many nops */
static const u8 padding[] = {
	0xc3, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
};

#define PUT(at, code)	put(at, code, sizeof(code) - 1)

static void with_number(struct kunit *test)
{
	static const u8 jump[] = { 0xff, 0x24, 0x25, SLOT * 8, 0, 6, 0 };

	PUT(CALL - 5, "\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110, 0), TEXT_PATCHED_A);
	KUNIT_EXPECT_EQ(test, readied, 1);
	KUNIT_EXPECT_EQ(test, patch.nr, 110);
	KUNIT_EXPECT_TRUE(test, text_boundary(&patch));
	KUNIT_EXPECT_MEMEQ(test, text + CALL - 5, jump, sizeof(jump));
	KUNIT_EXPECT_EQ(test, text[CALL + 2], 0x50);
	KUNIT_EXPECT_EQ(test, text[CALL - 6], 0x50);
}

static void not_its_number(struct kunit *test)
{
	PUT(CALL - 5, "\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 111, 0), TEXT_NO_ROOM);
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110 + (1UL << 32), 0), TEXT_NO_ROOM);
	/* mov $110, %r8d */
	PUT(CALL - 6, "\x41\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110, 7), TEXT_NO_ROOM);
	/* movl $110, -0x48(%rbp) */
	PUT(CALL - 7, "\xc7\x45\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110, 0), TEXT_NO_ROOM);
	/* cmp $110, %eax by the long form; lea 110(%rax), %edi */
	PUT(CALL - 6, "\x81\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110, 0), TEXT_NO_ROOM);
	PUT(CALL - 6, "\x8d\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 110, 0), TEXT_NO_ROOM);
}

static void with_padding(struct kunit *test)
{
	static const u8 jump[] = { 0xff, 0x24, 0x25, SLOT * 8, 0, 6, 0 };

	/* pop %rbx; ret; nopl 0(%rax,%rax,1) */
	PUT(CALL, "\x0f\x05\x5b\xc3\x0f\x1f\x84\x00\x00\x00\x00\x00");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_P);
	KUNIT_EXPECT_EQ(test, readied, 1);
	KUNIT_EXPECT_EQ(test, patch.nr, -1);
	KUNIT_EXPECT_EQ(test, patch.hop, CALL + 4);
	KUNIT_EXPECT_FALSE(test, text_boundary(&patch));
	KUNIT_EXPECT_EQ(test, text[CALL], 0xeb);
	KUNIT_EXPECT_EQ(test, text[CALL + 1], 2);
	KUNIT_EXPECT_EQ(test, text[CALL + 3], 0xc3);
	KUNIT_EXPECT_MEMEQ(test, text + CALL + 4, jump, sizeof(jump));

	/* ret; int3 nine times */
	PUT(CALL, "\x0f\x05\xc3\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_P);
	/* jmp, and nops of several sizes */
	PUT(CALL, "\x0f\x05\xeb\x10\x66\x90\x90\x0f\x1f\x40\x00\x90");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_P);
}

static void without_padding(struct kunit *test)
{
	/* Nops that are executed */
	PUT(CALL, "\x0f\x05\x5b\x0f\x1f\x80\x00\x00\x00\x00\xc3");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* Too few */
	PUT(CALL, "\x0f\x05\xc3\x66\x0f\x1f\x44\x00\x00\x50");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* What looks like a ret is in another instruction: mov $0xc3, %eax */
	PUT(CALL, "\x0f\x05\xb8\x00\x00\x00\xc3\x0f\x1f\x80\x00\x00\x00\x00");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* What looks like a jmp is vpor %xmm0, %xmm1, %xmm2 */
	PUT(CALL, "\x0f\x05\xc5\xf1\xeb\xd0\x0f\x1f\x80\x00\x00\x00\x00");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* A function may begin with nops at a multiple of 16 */
	PUT(CALL, "\x0f\x05\x50\x50\x50\x50\x50\x50\x50\x50\x50\xc3\x0f\x1f\x80\x00\x00\x00\x00");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	PUT(CALL, "\x0f\x05\x50\xc3\x90\x90\x90\x90\x90\x90\x90");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	PUT(CALL, "\x0f\x05\x50\xc3\x90\x90\x90\x90\x90\x90\x90\x90");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_P);
	PUT(CALL, "\x0f\x05\x50\x50\x50\xc3\x90\x90\x90\x90\x90\x90\x90");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* pause is no nop */
	PUT(CALL, "\x0f\x05\xc3\xf3\x90\xf3\x90\xf3\x90\xf3\x90");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* A patched call looks like a jmp */
	PUT(CALL, "\x0f\x05\x0f\x05\x0f\x1f\x80\x00\x00\x00\x00");
	memcpy(text + CALL + 2, "\xeb\x20", 2);
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	/* Out of reach */
	PUT(CALL, "\x0f\x05");
	add(CALL + 2 + 127, padding, sizeof(padding));
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	add(CALL + 2 + 126, padding, sizeof(padding));
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_P);
}

static void with_compare(struct kunit *test)
{
	static const u8 moved[] = { 0xeb, 1, 6, 0xe9, 0xf5, 0, 0, 0, 0x50 };

	/* cmp $-4096, %rax; and padding too far for a short jump */
	PUT(CALL, "\x0f\x05\x48\x3d\x00\xf0\xff\xff");
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_NO_ROOM);
	add(CALL + 8 + 244, padding, sizeof(padding));
	KUNIT_EXPECT_EQ(test, try_at(CALL, 1, 0), TEXT_PATCHED_E);
	KUNIT_EXPECT_EQ(test, readied, 1);
	KUNIT_EXPECT_TRUE(test, patch.moved);
	KUNIT_EXPECT_EQ(test, patch.imm, -4096);
	KUNIT_EXPECT_EQ(test, patch.hop, CALL + 8 + 245);
	KUNIT_EXPECT_MEMEQ(test, text + CALL, moved, sizeof(moved));
	KUNIT_EXPECT_TRUE(test, text_inside(&patch, CALL + 3));
	KUNIT_EXPECT_TRUE(test, text_inside(&patch, patch.hop));
	KUNIT_EXPECT_FALSE(test, text_inside(&patch, CALL));
	KUNIT_EXPECT_FALSE(test, text_inside(&patch, CALL + 2));
}

static void executing_compare(struct kunit *test)
{
	struct text_patch p = { .imm = -4096, .moved = true };
	struct pt_regs regs = { .ip = 0x1000, .ax = -1UL, .flags = 0x246 };

	text_execute_moved(&p, &regs);
	KUNIT_EXPECT_EQ(test, regs.ip, 0x1006);
	KUNIT_EXPECT_EQ(test, regs.flags & 0x8d5, 4);		/* above */
	regs.ax = -4096UL;
	text_execute_moved(&p, &regs);
	KUNIT_EXPECT_EQ(test, regs.flags, 0x246);		/* equal */
	regs.ax = 5;
	text_execute_moved(&p, &regs);
	KUNIT_EXPECT_EQ(test, regs.flags & 1, 1);		/* below */
}

static void page_edges(struct kunit *test)
{
	/* Padding of which the next page has a part */
	PUT(PAGE_SIZE - 8, "\x0f\x05\xc3\x90\x90\x90\x90\x90");
	KUNIT_EXPECT_EQ(test, try_at(PAGE_SIZE - 8, 1, 0), TEXT_NO_ROOM);
	PUT(PAGE_SIZE - 1, "\x0f");
	KUNIT_EXPECT_EQ(test, try_at(PAGE_SIZE - 1, 1, 0), TEXT_PAGE_EDGE);
	/* The load of the number begins in the page before, or may do so. */
	PUT(0, "\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(3, 1, 0), TEXT_PAGE_EDGE);
	PUT(0, "\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(5, 110, 0), TEXT_PAGE_EDGE);
	PUT(PAGE_SIZE - 7, "\xb8\x6e\x00\x00\x00\x0f\x05");
	KUNIT_EXPECT_EQ(test, try_at(PAGE_SIZE - 2, 110, 0), TEXT_PATCHED_A);
}

static int suite_init(struct kunit_suite *suite)
{
	text = (u8 *)__get_free_pages(GFP_KERNEL, 1);
	orig = text + PAGE_SIZE;
	return text ? 0 : -ENOMEM;
}

static void suite_exit(struct kunit_suite *suite)
{
	free_pages((unsigned long)text, 1);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(with_number),
	KUNIT_CASE(not_its_number),
	KUNIT_CASE(with_padding),
	KUNIT_CASE(without_padding),
	KUNIT_CASE(with_compare),
	KUNIT_CASE(executing_compare),
	KUNIT_CASE(page_edges),
	{}
};

static struct kunit_suite suite = {
	.name = "um_patch",
	.suite_init = suite_init,
	.suite_exit = suite_exit,
	.test_cases = cases,
};
kunit_test_suite(suite);

MODULE_LICENSE("GPL");
