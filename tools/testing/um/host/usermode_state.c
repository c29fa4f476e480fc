// SPDX-License-Identifier: GPL-2.0
/* Registers, extended state, debug registers, the clock. */
#include <time.h>
#include "usermode_test.h"

GUEST(g_fp,
	"mov $0x3f80, %eax; push %rax; ldmxcsr (%rsp); pop %rax\n"
	"fninit; fldpi; fld1\n"
	"mov (%rdi), %rax\n"		/* faults */
	"mov $39, %eax; syscall\n"
	"sub $16, %rsp\n"
	"stmxcsr (%rsp); mov (%rsp), %ebx\n"
	"faddp; fstpl 8(%rsp)\n"
	"int3");
GUEST(g_store, "fxsave64 (%rdi); int3");

/* A different value in every byte of the vector registers. */
static void fill_fp(unsigned char *fp, int seed)
{
	unsigned long long want = host_cpu.xfeatures & 0xe7, bits = want;
	unsigned int mxcsr = 0x1f80;

	memset(fp, 0, host_cpu.fp_size);
	for (unsigned int i = 32; i < host_cpu.fp_size; i++)
		fp[i] = (i * 7 + seed) | 1;
	memset(fp, 0, 32);
	fp[0] = 0x7f;
	fp[1] = 0x03;
	memcpy(fp + 24, &mxcsr, 4);
	memset(fp + 416, 0, 96);		/* reserved, used by software */
	memset(fp + 512, 0, 64);
	memcpy(fp + 512, &bits, 8);
	for (int i = 0; i < 8; i++)		/* 80-bit registers */
		memset(fp + 32 + i * 16 + 10, 0, 6);
}

/* Compare the components we set. */
static int same_fp(const unsigned char *a, const unsigned char *b)
{
	if (memcmp(a + 32, b + 32, 384))
		return 0;
	for (int i = 2; i < 8; i++) {
		unsigned int len, offset, c, d;

		if (!(host_cpu.xfeatures & 0xe7 & 1ULL << i))
			continue;
		__asm__("cpuid" : "=a" (len), "=b" (offset), "=c" (c), "=d" (d) : "a" (0xd), "c" (i));
		if (memcmp(a + offset, b + offset, len))
			return 0;
	}
	return 1;
}

void test_fp(void)
{
	struct um_mm *mm = new_mm(), *mm2 = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	unsigned char *a = aligned_alloc(64, host_cpu.fp_size);
	unsigned char *b = aligned_alloc(64, host_cpu.fp_size);
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };
	double sum;
	int bad = 0;

	LOAD(gp, g_fp);
	gp[UM_RDI] = HOLE;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE, 4), "fault with floating point in use");
	host_usermode->map(mm, &op, 1);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "system call with floating point in use");
	run(mm, gp, &ev);
	memcpy(&sum, mem + STACK_OFF + STACK_SIZE - 0x100 - 8, 8);
	check(ev.kind == UM_EV_TRAP && gp[UM_RBX] == 0x3f80 && sum > 4.14159 && sum < 4.1416,
	      "x87 and MXCSR survive fault, map and system call");

	/* A fault must leave each register of the extended state as it was. */
	LOAD(gp, g_read);
	for (int i = 0; i < 200; i++) {
		gp[UM_RIP] = CODE;
		gp[UM_RDI] = HOLE + 0x10000;
		fill_fp(a, i);
		if (host_usermode->fp_set(mm, a))
			bad |= 1;
		fill_fp(b, i + 100);
		if (host_usermode->fp_set(mm2, b))
			bad |= 1;
		run(mm, gp, &ev);
		if (!is_fault(&ev, HOLE + 0x10000, 4))
			bad |= 2;
		gp[UM_RIP] = CODE;
		run(mm2, gp, &ev);
		memset(b, 0, host_cpu.fp_size);
		if (host_usermode->fp_get(mm, b) || !same_fp(a, b))
			bad |= 4;
		host_usermode->map(mm, &op, 1);
		if (host_usermode->fp_get(mm, b) || !same_fp(a, b))
			bad |= 8;
	}
	check(!bad, "all %u bytes of extended state survive faults (%d)", host_cpu.fp_size, bad);

	fill_fp(a, 3);
	host_usermode->fp_set(mm, a);
	LOAD(gp, g_store);
	gp[UM_RDI] = DATA;
	run(mm, gp, &ev);
	check(!memcmp(a + 160, mem + DATA_OFF + 160, 256), "guest code sees what fp_set loaded");
	a[24 + 3] = 0xff;	/* reserved bits of MXCSR */
	check(host_usermode->fp_set(mm, a) == -EINVAL, "bad MXCSR is refused");
	fill_fp(a, 3);
	a[512 + 7] = 0x40;
	check(host_usermode->fp_set(mm, a) == -EINVAL, "unknown feature bits are refused");
	check(!host_usermode->fp_get(mm, b) && !memcmp(b + 160, mem + DATA_OFF + 160, 256),
	      "refused images change nothing");
	free(a);
	free(b);
	host_usermode->mm_destroy(mm);
	host_usermode->mm_destroy(mm2);
}

void test_debugreg(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS], value = 0;
	struct um_event ev;

	LOAD(gp, g_write);
	gp[UM_RDI] = DATA;
	if (host_usermode->debugreg_set(mm, 0, DATA) || host_usermode->debugreg_set(mm, 7, 0x90001)) {
		check(1, "# SKIP no debug registers on this host");
		host_usermode->mm_destroy(mm);
		return;
	}
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGTRAP, TRAP_HWBKPT, 1) && gp[UM_RIP] == CODE + 3, "watchpoint");
	check(!host_usermode->debugreg_get(mm, 6, &value) && value & 1, "DR6 tells which");
	check(!host_usermode->debugreg_get(mm, 0, &value) && value == DATA, "DR0 reads back");
	check(host_usermode->debugreg_set(mm, 1, UM_STUB_START) == -EINVAL &&
	      host_usermode->debugreg_set(mm, 1, 0xffff888000000000UL) == -EINVAL,
	      "breakpoints in the stub or the host kernel are refused");
	host_usermode->debugreg_set(mm, 7, 0);
	gp[UM_RIP] = CODE;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGILL, ILL_ILLOPN, 6), "watchpoint removed");
	host_usermode->mm_destroy(mm);
}

GUEST(g_bases, "rdfsbase %rax; rdgsbase %rbx; mov %ds, %ecx; mov %fs, %edx; syscall");

void test_registers(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	unsigned long seed = 88172645463325252UL;
	int bad = 0, spoilt = 0;

	LOAD(gp, g_bases);
	gp[UM_FS_BASE] = 0x123456789000;
	gp[UM_GS_BASE] = 0x7fff12345000;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_RAX] == -38UL && gp[UM_FS_BASE] == 0x123456789000 &&
	      gp[UM_RBX] == 0x7fff12345000 && gp[UM_ORIG_RAX] == 0x123456789000, "segment bases");
	gp[UM_RIP] = CODE;
	gp[UM_FS_BASE] = 0xffff888000001000UL;
	gp[UM_GS_BASE] = 0x5000;
	gp[UM_R12] = 0x1212;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 0xffff888000001000UL &&
	      gp[UM_RBX] == 0x5000 && gp[UM_R12] == 0x1212 && gp[UM_FS_BASE] == 0xffff888000001000UL,
	      "segment base in the host kernel's range, as wrfsbase allows");
	gp[UM_RIP] = CODE;
	gp[UM_FS_BASE] = 0x1234567812345678UL;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "non-canonical segment base");

	LOAD(gp, g_syscall);
	gp[UM_CS] = 0x10;
	gp[UM_SS] = 0x18;
	gp[UM_DS] = 0x10;
	gp[UM_FS] = 0x18;
	gp[UM_GS] = 0xffff;
	gp[UM_EFLAGS] = 0x3000 | 0x200000 | 0x4000 | 0x10000 | 0x20000;
	gp[UM_RSP] = 0xdeadbeefdeadbeefUL;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_CS] == 0x33 && gp[UM_SS] == 0x2b &&
	      !(gp[UM_EFLAGS] & 0x3000) && gp[UM_EFLAGS] & 0x200, "kernel selectors, IOPL, IF");

	/* Any registers at all: the stub survives, and no call reaches the host. */
	for (int i = 0; i < 20000 && !bad; i++) {
		for (int r = 0; r < UM_NR_REGS; r++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			gp[r] = (seed >> 60) > 8 ? seed : CODE + (seed & 0xfff);
		}
		/* In a third of the cases somewhere in the stub. */
		if (i % 3 == 0)
			gp[UM_RIP] = UM_STUB_START + seed % 0x400;
		if (i % 9 == 0)
			gp[UM_RSP] = UM_STUB_START + 0x20000 + seed % 0x5000;
		{
			unsigned long long end = now_ns() + 5000000000ULL;

			run_briefly(mm, gp, &ev, i % 7 == 0 ? UM_RUN_STEP : 0);
			bad = now_ns() > end;
		}
		/* Who jumped into the stub may die of it, at once or later. */
		spoilt |= i % 3 == 0;
		if (ev.kind == UM_EV_DEAD && spoilt && host_usermode->eager) {
			host_usermode->mm_destroy(mm);
			mm = new_mm();
			spoilt = 0;
		} else if (ev.kind == UM_EV_DEAD) {
			bad = 1;
		}
		if (bad)
			printf("# iteration %d rip %lx kind %d\n", i, gp[UM_RIP], ev.kind);
	}
	check(!bad, "20000 random register files");
	if (ev.kind == UM_EV_DEAD) {
		host_usermode->mm_destroy(mm);
		mm = new_mm();
	}
	LOAD(gp, g_syscall);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39, "the stub works as before");
	host_usermode->mm_destroy(mm);
}

GUEST(g_clock, "call *%rdx; mov $39, %eax; syscall");

void test_clock(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct timespec t, now;

	if (!host_vdso_clock()) {
		check(1, "# SKIP the host's vDSO clock can't be used");
		return;
	}
	LOAD(gp, g_clock);
	gp[UM_RDX] = host_vdso_clock();
	gp[UM_RDI] = CLOCK_MONOTONIC;
	gp[UM_RSI] = DATA;
	run(mm, gp, &ev);
	memcpy(&t, mem + DATA_OFF, sizeof(t));
	clock_gettime(CLOCK_MONOTONIC, &now);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39 && now.tv_sec - t.tv_sec <= 1 &&
	      now.tv_sec >= t.tv_sec, "the host's clock without a system call");
	host_usermode->mm_destroy(mm);
}
