// SPDX-License-Identifier: GPL-2.0
/* Each event with its exact meaning: system calls, faults, traps, steps. */
#include "usermode_test.h"

void test_syscall(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, g_syscall);
	gp[UM_RDI] = 11;
	gp[UM_RSI] = 22;
	gp[UM_RDX] = 33;
	gp[UM_R10] = 44;
	gp[UM_R8] = 55;
	gp[UM_R9] = -1UL;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39 && gp[UM_RDI] == 11 &&
	      gp[UM_RSI] == 22 && gp[UM_RDX] == 33 && gp[UM_R10] == 44 && gp[UM_R8] == 55 &&
	      gp[UM_R9] == -1UL && gp[UM_RIP] == CODE + 7, "system call with six arguments");
	/* A restart code must come back as it is, not make the host restart. */
	gp[UM_RAX] = -512L;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_RBX] == -512UL && gp[UM_ORIG_RAX] == -512UL,
	      "result of a system call is what the kernel set");
	for (long nr = 0; nr < 600; nr++) {
		gp[UM_RAX] = nr;
		gp[UM_RIP] = CODE + 5;
		/* The one number that new hosts answer (ENXIO) before they ask filters. */
		if (nr == 336 && host_usermode->eager)
			continue;
		run(mm, gp, &ev);
		if (ev.kind != UM_EV_SYSCALL || gp[UM_ORIG_RAX] != (unsigned long)nr) {
			check(0, "system call number %ld is ours", nr);
			break;
		}
	}
	check(ev.kind == UM_EV_SYSCALL, "all system call numbers are ours");
	gp[UM_RAX] = 0x40000000 + 39;
	gp[UM_RIP] = CODE + 5;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 0x40000027, "x32 number is ours");
	host_usermode->mm_destroy(mm);
}

GUEST(g_rmw, "lock incq (%rdi); ud2");

void test_faults(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE + 8;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE + 8, 4) && gp[UM_RIP] == CODE && gp[UM_RDI] == HOLE + 8 &&
	      gp[UM_RSP] == STACK_TOP, "read of nothing");
	*(long *)(mem + RO_OFF + 8) = 0x1234;
	check(!host_usermode->map(mm, &op, 1), "map after the fault");
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGILL, ILL_ILLOPN, 6) && gp[UM_RAX] == 0x1234 &&
	      gp[UM_RIP] == CODE + 3 && ev.addr == CODE + 3, "the access succeeds afterwards; ud2");

	LOAD(gp, g_write);
	gp[UM_RDI] = RO;
	run(mm, gp, &ev);
	check(is_fault(&ev, RO, 7), "write to a read-only page");
	gp[UM_RDI] = HOLE + 4096;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE + 4096, 6), "write to nothing");
	gp[UM_RDI] = DATA;
	gp[UM_RAX] = 77;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGILL, ILL_ILLOPN, 6) && *(long *)(mem + DATA_OFF) == 77,
	      "write to a page");
	gp[UM_RIP] = CODE;
	gp[UM_RDI] = 0xffff888000000000UL;
	run(mm, gp, &ev);
	check(is_fault(&ev, 0xffff888000000000UL, 7), "write to a host kernel address");
	gp[UM_RIP] = CODE;
	gp[UM_RDI] = 0x1234567812345678UL;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGSEGV, SI_KERNEL, 13) && gp[UM_RIP] == CODE,
	      "write to a non-canonical address");

	LOAD(gp, g_rmw);
	gp[UM_RDI] = RO;
	run(mm, gp, &ev);
	check(is_fault(&ev, RO, 7), "atomic on a read-only page");

	LOAD(gp, g_jump);
	gp[UM_RDI] = DATA;
	run(mm, gp, &ev);
	check(is_fault(&ev, DATA, 0x15) && gp[UM_RIP] == DATA, "execution of a data page");
	gp[UM_RIP] = HOLE + 4096;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE + 4096, 0x14), "execution of nothing");
	gp[UM_RIP] = 0xffffffff81000000UL;
	run(mm, gp, &ev);
	check(is_fault(&ev, 0xffffffff81000000UL, 0x15), "execution of a host kernel address");
	gp[UM_RIP] = 0x1234567812345678UL;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_TRAP && ev.signo == SIGSEGV && ev.trapno == 13,
	      "execution of a non-canonical address");

	op = (struct um_map_op){ UM_PROTECT, 0, HOLE, 4096, 0 };
	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE;
	check(!host_usermode->map(mm, &op, 1), "protect");
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE, 4) || ev.error_code == 5, "read of a PROT_NONE page");
	op = (struct um_map_op){ UM_UNMAP, 0, DATA, 4096, 0 };
	check(!host_usermode->map(mm, &op, 1), "unmap");
	LOAD(gp, g_read);
	gp[UM_RDI] = DATA;
	run(mm, gp, &ev);
	check(is_fault(&ev, DATA, 4), "read of an unmapped page");
	host_usermode->mm_destroy(mm);
}

GUEST(g_int3, "int3; nop");
GUEST(g_icebp, ".byte 0xf1; nop");
GUEST(g_div, "xor %edx, %edx; xor %ecx, %ecx; div %ecx");
GUEST(g_hlt, "hlt");
GUEST(g_int4, "int $4");
GUEST(g_sse, "push $0x1d80; ldmxcsr (%rsp); pop %rax; xorps %xmm0, %xmm0; movl $1, -8(%rsp); "
	     "cvtsi2ss -8(%rsp), %xmm1; divss %xmm0, %xmm1; ud2");
GUEST(g_x87, "fninit; push $0; fldcw (%rsp); fld1; fldz; fdivrp; fwait; ud2");
GUEST(g_align, "pushf; orl $0x40000, (%rsp); popf; mov 1(%rdi), %rax; ud2");
GUEST(g_int80, "nop; int $0x80; ud2");
GUEST(g_sysenter, "sysenter; ud2");
GUEST(g_tf, "pushf; orl $0x100, (%rsp); popf; nop; nop; nop");

void test_traps(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, g_int3);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGTRAP, SI_KERNEL, 3) && gp[UM_RIP] == CODE + 1, "int3");
	LOAD(gp, g_icebp);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGTRAP, TRAP_BRKPT, 1), "int1");
	LOAD(gp, g_div);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGFPE, FPE_INTDIV, 0) && ev.addr == CODE + 4, "division by zero");
	LOAD(gp, g_hlt);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGSEGV, SI_KERNEL, 13) && gp[UM_RIP] == CODE, "hlt");
	LOAD(gp, g_int4);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_TRAP && ev.signo == SIGSEGV, "int $4: trap %lu", ev.trapno);
	LOAD(gp, g_sse);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGFPE, FPE_FLTDIV, 19), "SSE division by zero");
	LOAD(gp, g_x87);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGFPE, FPE_FLTDIV, 16), "x87 division by zero");
	LOAD(gp, g_align);
	gp[UM_RDI] = DATA;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGBUS, BUS_ADRALN, 17), "alignment check");
	LOAD(gp, g_int80);
	gp[UM_RAX] = 20;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGSEGV, SI_KERNEL, 13) && ev.error_code == 0x402 &&
	      gp[UM_RIP] == CODE + 1 && gp[UM_RAX] == 20, "int $0x80");
	/* Dressed up as a syscall instruction. */
	LOAD(gp, g_int80);
	gp[UM_RAX] = 39;
	gp[UM_RCX] = CODE + 3;
	gp[UM_R11] = 0x202;
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGSEGV, SI_KERNEL, 13), "int $0x80 disguised");
	LOAD(gp, g_sysenter);
	gp[UM_RAX] = 20;
	gp[UM_RBP] = STACK_TOP;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_TRAP && (ev.signo == SIGSEGV || ev.signo == SIGILL), "sysenter");
	LOAD(gp, g_tf);
	run(mm, gp, &ev);
	check(is_trap(&ev, SIGTRAP, TRAP_TRACE, 1) && gp[UM_EFLAGS] & 0x100,
	      "trap flag set by the guest");
	gp[UM_EFLAGS] &= ~0x100UL;
	host_usermode->mm_destroy(mm);

	mm = new_mm();
	LOAD(gp, g_read);
	ev.kind = UM_EV_DEAD;
	{
		struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, MEM_SIZE };

		host_usermode->map(mm, &op, 1);
	}
	gp[UM_RDI] = HOLE;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_FAULT && ev.signo == SIGBUS && ev.addr == HOLE &&
	      ev.code == BUS_ADRERR, "page without backing");
	host_usermode->mm_destroy(mm);
}

void test_vsyscall(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, g_jump);
	gp[UM_RDI] = 0;
	for (unsigned long addr = VSYSCALL_TIME - 0x400; addr < VSYSCALL_TIME + 0x800; addr += 0x400) {
		gp[UM_RIP] = CODE;
		gp[UM_RSP] = STACK_TOP;
		gp[UM_RDI] = addr;
		*(long *)(mem + STACK_OFF + STACK_SIZE - 0x100) = CODE + 1;
		run(mm, gp, &ev);
		check(is_fault(&ev, addr, 0x15) && gp[UM_RIP] == addr && gp[UM_RSP] == STACK_TOP,
		      "vsyscall page, address %lx", addr);
	}
	/* Return address not readable; odd address; bad pointer */
	gp[UM_RIP] = VSYSCALL_TIME;
	gp[UM_RSP] = HOLE;
	run(mm, gp, &ev);
	check(is_fault(&ev, VSYSCALL_TIME, 0x15) && gp[UM_RSP] == HOLE, "vsyscall without a stack");
	gp[UM_RIP] = VSYSCALL_TIME + 1;
	gp[UM_RSP] = STACK_TOP;
	run(mm, gp, &ev);
	check(is_fault(&ev, VSYSCALL_TIME + 1, 0x15), "vsyscall at an odd address");
	gp[UM_RIP] = VSYSCALL_TIME;
	gp[UM_RDI] = 0xffff888000000000UL;
	run(mm, gp, &ev);
	check(is_fault(&ev, VSYSCALL_TIME, 0x15), "vsyscall with a bad pointer");
	host_usermode->mm_destroy(mm);
}

GUEST(g_step, "mov $1, %eax; mov $2, %ebx; mov (%rdi), %rcx; syscall; nop; nop");

void test_step(void)
{
	static const unsigned long next[] = { CODE + 5, CODE + 10 };
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	LOAD(gp, g_step);
	gp[UM_RDI] = HOLE;
	for (int i = 0; i < 2; i++) {
		run_flags(mm, gp, &ev, UM_RUN_STEP);
		check(is_trap(&ev, SIGTRAP, TRAP_TRACE, 1) && gp[UM_RIP] == next[i] &&
		      !(gp[UM_EFLAGS] & 0x100), "step %d", i);
	}
	run_flags(mm, gp, &ev, UM_RUN_STEP);
	check(is_fault(&ev, HOLE, 4) && gp[UM_RIP] == CODE + 10 && !(gp[UM_EFLAGS] & 0x100),
	      "step into a fault");
	gp[UM_RDI] = DATA;
	run_flags(mm, gp, &ev, UM_RUN_STEP);
	check(is_trap(&ev, SIGTRAP, TRAP_TRACE, 1) && gp[UM_RIP] == CODE + 13, "step after a fault");
	run_flags(mm, gp, &ev, UM_RUN_STEP);
	check(ev.kind == UM_EV_SYSCALL && gp[UM_RIP] == CODE + 15, "step into a system call");
	{
		struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

		check(!host_usermode->map(mm, &op, 1), "map while stepping");
	}
	run_flags(mm, gp, &ev, UM_RUN_STEP);
	check(is_trap(&ev, SIGTRAP, TRAP_TRACE, 1) && gp[UM_RIP] == CODE + 16,
	      "step after a system call");
	gp[UM_RIP] = CODE + 13;
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "no step is left over");
	host_usermode->mm_destroy(mm);
}
