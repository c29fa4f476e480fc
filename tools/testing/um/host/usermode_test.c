// SPDX-License-Identifier: GPL-2.0
/*
 * Tests the user-mode backend without a kernel: this program plays the kernel
 * half. It maps small pieces of guest code into stubs and checks every event,
 * what hostile code and registers can do, and what is left behind.
 *
 * Prints TAP. Exit status 1 if anything failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <host/layout.h>
#include <host/memory.h>
#include <host/options.h>
#include <host/process.h>
#include <host/usermode.h>
#include <host/vcpu.h>
#include "../../../../arch/um/os-Linux/internal.h"

#define MEM_SIZE	(16UL << 20)
#define CODE		0x400000UL	/* offset 0, r-x */
#define DATA		0x500000UL	/* offset 1 MiB, rw- */
#define STACK		0x600000UL	/* offset 2 MiB, rw-, 64 KiB */
#define RO		0x700000UL	/* offset 3 MiB, r-- */
#define HOLE		0x800000UL	/* nothing */
#define DATA_OFF	0x100000UL
#define STACK_OFF	0x200000UL
#define RO_OFF		0x300000UL
#define STACK_SIZE	0x10000UL
#define STACK_TOP	(STACK + STACK_SIZE - 0x100)
#define VSYSCALL_TIME	0xffffffffff600400UL

static int mem_fd;
static char *mem;
static int nr_tests, nr_failed;

/* What the rest of the host half would give. */
struct vcpu host_boot_vcpu;
static struct host_exit_node *exit_nodes;

int host_memory_fd(void)
{
	return mem_fd;
}

long host_syscall_pending(struct vcpu *vcpu, long nr, long a1, long a2, long a3,
			  long a4, long a5, long a6)
{
	long ret;

	if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST))
		return -EINTR;
	ret = syscall(nr, a1, a2, a3, a4, a5, a6);
	return ret < 0 ? -errno : ret;
}

int host_option_error(const char *fmt, ...)
{
	return -1;
}

void host_at_exit(struct host_exit_node *node)
{
	node->next = exit_nodes;
	exit_nodes = node;
}

static void check(int good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", good ? "" : "not ", ++nr_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	nr_failed += !good;
}

#define GUEST(name, text)						\
	extern const char name[], name##_end[];				\
	__asm__(".pushsection .rodata\n" #name ":\n" text "\n" #name "_end:\n.popsection\n")

static struct um_mm *new_mm(void)
{
	static const struct um_map_op ops[] = {
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_EXEC, CODE, 4096, 0 },
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, DATA, 4096, DATA_OFF },
		{ UM_MAP, HOST_PROT_READ | HOST_PROT_WRITE, STACK, STACK_SIZE, STACK_OFF },
		{ UM_MAP, HOST_PROT_READ, RO, 4096, RO_OFF },
	};
	struct um_mm *mm;
	int err = host_usermode->mm_create(&mm);

	if (err || host_usermode->map(mm, ops, 4)) {
		printf("Bail out! cannot create an address space: %d\n", err);
		exit(1);
	}
	return mm;
}

static void load_code(unsigned long *gp, const char *start, const char *end)
{
	memcpy(mem, start, end - start);
	memset(gp, 0, UM_NR_REGS * sizeof(*gp));
	gp[UM_RIP] = CODE;
	gp[UM_RSP] = STACK_TOP;
	gp[UM_EFLAGS] = 0x202;
}
#define LOAD(gp, name) load_code(gp, name, name##_end)

static void finish(struct um_mm *mm, unsigned long *gp, struct um_event *ev)
{
	do {
		memset(ev, 0, sizeof(*ev));
		host_usermode->wait(mm, gp, ev);
		host_boot_vcpu.pending = 0;
	} while (ev->kind == UM_EV_INTERRUPT);
}

static void run_flags(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags)
{
	host_usermode->resume(mm, gp, flags);
	finish(mm, gp, ev);
}

static void run(struct um_mm *mm, unsigned long *gp, struct um_event *ev)
{
	run_flags(mm, gp, ev, 0);
}

static int is_fault(const struct um_event *ev, unsigned long addr, unsigned long code)
{
	int good = ev->kind == UM_EV_FAULT && ev->signo == SIGSEGV && ev->trapno == 14 &&
		   ev->addr == addr && ev->error_code == code;

	if (!good)
		printf("# kind %d signo %d code %d addr %lx trapno %lu error %lx\n", ev->kind,
		       ev->signo, ev->code, ev->addr, ev->trapno, ev->error_code);
	return good;
}

static int is_trap(const struct um_event *ev, int signo, int code, unsigned long trapno)
{
	int good = ev->kind == UM_EV_TRAP && ev->signo == signo && ev->code == code &&
		   ev->trapno == trapno;

	if (!good)
		printf("# kind %d signo %d code %d addr %lx trapno %lu error %lx\n", ev->kind,
		       ev->signo, ev->code, ev->addr, ev->trapno, ev->error_code);
	return good;
}

/* Pids of the stubs, by their name; children of this process only. */
static int stub_pids(int *pids, int max, int parent)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(dir)) && n < max) {
		char path[300], text[400], *p;
		int fd, len, ppid;
		char state;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (len <= 0)
			continue;
		text[len] = 0;
		p = strrchr(text, ')');
		if (sscanf(p + 1, " %c %d", &state, &ppid) != 2)
			continue;
		if ((parent ? ppid == parent : 1) && state != 'X' && strstr(text, "(uml-guest)"))
			pids[n++] = atoi(e->d_name);
	}
	closedir(dir);
	return n;
}

/* The stub of the newest mm. */
static int newest_stub(void)
{
	int pids[1024], n = stub_pids(pids, 1024, getpid()), max = 0;

	for (int i = 0; i < n; i++)
		if (pids[i] > max)
			max = pids[i];
	return max;
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

GUEST(g_syscall,
	"mov $39, %eax; syscall\n"
	"mov %rax, %rbx; syscall\n"
	"1: jmp 1b");

static void test_syscall(void)
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

GUEST(g_read, "mov (%rdi), %rax; ud2");
GUEST(g_write, "mov %rax, (%rdi); ud2");
GUEST(g_jump, "jmp *%rdi");
GUEST(g_rmw, "lock incq (%rdi); ud2");

static void test_faults(void)
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

static void test_traps(void)
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

static void test_vsyscall(void)
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

static void test_step(void)
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

GUEST(g_loop, "1: inc %rax; jmp 1b");
GUEST(g_call, "1: mov $39, %eax; syscall; jmp 1b");

static void on_alarm(int sig)
{
	host_boot_vcpu.pending |= 1 << UM_IRQ_TIMER;
}

static void test_interrupts(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS], before;
	struct um_event ev;
	struct itimerval tick = { { 0, 1000 }, { 0, 1000 } }, off = { 0 };
	int interrupts = 0, kicked = 0, other = 0;

	signal(SIGALRM, SIG_DFL);
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	LOAD(gp, g_loop);
	host_usermode->resume(mm, gp, 0);
	while (interrupts < 20) {
		host_usermode->wait(mm, gp, &ev);
		host_boot_vcpu.pending = 0;
		interrupts += ev.kind == UM_EV_INTERRUPT;
		other += ev.kind != UM_EV_INTERRUPT;
		if (other > 3)
			break;
	}
	check(interrupts == 20 && !other, "interrupts while the guest runs");
	host_usermode->kick(mm);
	host_usermode->kick(mm);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_KICKED && gp[UM_RAX] > 1000, "kick");
	before = gp[UM_RAX];
	host_usermode->resume(mm, gp, 0);
	host_boot_vcpu.pending = 0;
	host_usermode->wait(mm, gp, &ev);
	check(ev.kind == UM_EV_INTERRUPT, "one kick is reported once");
	host_usermode->kick(mm);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_KICKED && gp[UM_RAX] >= before, "registers survive a kick");

	/* Kicks that come too late must not be seen, nor disturb map. */
	other = 0;
	LOAD(gp, g_call);
	for (int i = 0; i < 3000; i++) {
		struct um_map_op op = { i & 1 ? UM_MAP : UM_UNMAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

		host_usermode->resume(mm, gp, 0);
		for (volatile int spin = 0; spin < (i % 50) * 100; spin++)
			;
		host_usermode->kick(mm);
		finish(mm, gp, &ev);
		kicked += ev.kind == UM_EV_KICKED;
		if (ev.kind == UM_EV_SYSCALL && gp[UM_ORIG_RAX] == 39)
			gp[UM_RAX] = 0;
		else if (ev.kind != UM_EV_KICKED)
			other++;
		if (i % 3 == 0 && host_usermode->map(mm, &op, 1))
			other++;
		if (i % 5 == 0) {
			run(mm, gp, &ev);
			if (ev.kind != UM_EV_SYSCALL)
				other++;
		}
	}
	check(!other && kicked && kicked < 3000, "kicks against system calls (%d of 3000 hit)", kicked);
	setitimer(ITIMER_REAL, &off, NULL);
	host_usermode->mm_destroy(mm);
}

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

static void test_fp(void)
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

static void test_debugreg(void)
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

static void test_registers(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	unsigned long seed = 88172645463325252UL;
	int bad = 0;

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
		host_usermode->resume(mm, gp, i % 7 == 0 ? UM_RUN_STEP : 0);
		host_boot_vcpu.pending = 0;
		{
			unsigned long long end = now_ns() + 50000000;

			alarm(0);
			ualarm(20000, 0);
			host_usermode->wait(mm, gp, &ev);
			if (ev.kind == UM_EV_INTERRUPT) {
				host_usermode->kick(mm);
				finish(mm, gp, &ev);
			}
			bad = now_ns() > end + 5000000000ULL;
		}
		ualarm(0, 0);
		if (ev.kind == UM_EV_DEAD)
			bad = 1;
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

GUEST(g_stack, "mov %rdi, %rsp; mov (%rsi), %rax; ud2");

static void test_isolation(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, UM_STUB_START, 4096, 0 };
	char path[64], line[300];
	int foreign = 0, vvar = 0, wx = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", newest_stub());
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char rights[8];

		sscanf(line, "%lx-%lx %7s", &start, &end, rights);
		if (start < UM_STUB_START && !strstr(line, "memfd:test"))
			foreign++;
		vvar += !!strstr(line, "[vvar");
		if (rights[1] == 'w' && rights[2] == 'x')
			wx++;
	}
	check(maps && !foreign && !wx, "nothing but guest memory below the stub");
	if (maps)
		fclose(maps);

	LOAD(gp, g_write);
	gp[UM_RDI] = UM_STUB_START;
	run(mm, gp, &ev);
	check(is_fault(&ev, UM_STUB_START, 7), "stub code is read-only");
	gp[UM_RIP] = CODE;
	gp[UM_RDI] = UM_STUB_START + 0x10000;
	run(mm, gp, &ev);
	check(is_fault(&ev, UM_STUB_START + 0x10000, 7), "command page is read-only");

	/* A fault with the stack pointer in the stub's own stack. */
	LOAD(gp, g_stack);
	for (unsigned long sp = 0; sp <= 0x4000; sp += 0x100) {
		gp[UM_RIP] = CODE;
		gp[UM_RDI] = UM_STUB_START + 0x20000 + sp;
		gp[UM_RSI] = HOLE;
		run(mm, gp, &ev);
		if (!is_fault(&ev, HOLE, 4) || gp[UM_RSP] != gp[UM_RDI])
			break;
	}
	check(ev.kind == UM_EV_FAULT, "fault with the stack pointer on the signal stack");

	/* Each syscall instruction of the stub, by jumping to it. */
	LOAD(gp, g_jump);
	{
		int bad = 0, calls = 0;

		for (unsigned long off = 0; off < 0x300; off++) {
			gp[UM_RIP] = UM_STUB_START + off;
			gp[UM_RSP] = STACK_TOP;
			gp[UM_RAX] = SYS_mmap;
			gp[UM_RDI] = 0x900000;
			gp[UM_RSI] = 4096;
			gp[UM_RDX] = 7;
			gp[UM_R10] = MAP_SHARED | MAP_FIXED;
			gp[UM_RBX] = UM_STUB_START + 0x10000;
			gp[UM_R12] = gp[UM_RBX] + 4096;
			run(mm, gp, &ev);
			calls += ev.kind == UM_EV_SYSCALL;
			bad += ev.kind == UM_EV_DEAD;
		}
		LOAD(gp, g_write);
		gp[UM_RDI] = 0x900000;
		run(mm, gp, &ev);
		check(!bad && calls >= 3 && is_fault(&ev, 0x900000, 6),
		      "jumps into the stub (%d reached a system call)", calls);
	}
	check(host_usermode->map(mm, &op, 1) == -EINVAL, "no mapping over the stub");
	op.addr = UM_STUB_START - 4096;
	op.len = 8192;
	check(host_usermode->map(mm, &op, 1) == -EINVAL, "no mapping into the stub");
	op.len = 4096;
	check(!host_usermode->map(mm, &op, 1), "mapping below the stub");
	host_usermode->mm_destroy(mm);
}

/* Signals from other processes must not show. */
static void test_signals(void)
{
	static const int sent[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS, SIGTERM,
		SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGSTOP, SIGCONT, SIGTTIN, SIGWINCH, SIGALRM,
		SIGCHLD, SIGUSR1, 34, 64 };
	struct um_mm *mm = new_mm();
	int stub = newest_stub(), killer, other = 0, calls = 0, status;
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	killer = fork();
	if (!killer) {
		for (int i = 0; i < 3000; i++) {
			kill(stub, sent[i % (sizeof(sent) / sizeof(sent[0]))]);
			usleep(50);
		}
		_exit(0);
	}
	LOAD(gp, g_call);
	while (!waitpid(killer, &status, WNOHANG)) {
		struct um_map_op op = { calls & 1 ? UM_MAP : UM_UNMAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

		run(mm, gp, &ev);
		if (ev.kind != UM_EV_SYSCALL || gp[UM_ORIG_RAX] != 39) {
			printf("# kind %d signo %d\n", ev.kind, ev.signo);
			if (++other > 5)
				break;
		}
		calls++;
		gp[UM_RAX] = 0;
		if (calls % 16 == 0 && host_usermode->map(mm, &op, 1))
			other++;
	}
	check(!other && calls > 1000, "3000 signals from outside during %d calls", calls);
	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE + 0x100000;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE + 0x100000, 4), "faults still work");
	host_usermode->mm_destroy(mm);
}

static void test_death(void)
{
	struct um_mm *mm = new_mm(), *mm2;
	int stub = newest_stub(), pids[64];
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_map_op op = { UM_UNMAP, 0, DATA, 4096, 0 };

	LOAD(gp, g_loop);
	host_usermode->resume(mm, gp, 0);
	kill(stub, SIGKILL);
	finish(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "stub killed while it ran");
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "it stays dead");
	check(!host_usermode->map(mm, &op, 1) &&
	      host_usermode->fp_get(mm, malloc(host_cpu.fp_size)) == -ESRCH, "operations on the dead");
	host_usermode->kick(mm);
	host_usermode->mm_destroy(mm);

	mm = new_mm();
	kill(newest_stub(), SIGKILL);
	check(!host_usermode->map(mm, &op, 1), "map of a stopped stub that was killed");
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_DEAD, "stub killed while it was stopped");
	host_usermode->mm_destroy(mm);

	mm = new_mm();
	for (int i = stub_pids(pids, 64, getpid()) - 1; i >= 0; i--)
		if (pids[i] != newest_stub())
			kill(pids[i], SIGKILL);
	mm2 = new_mm();
	LOAD(gp, g_syscall);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "a stub outlives the zygote");
	gp[UM_RIP] = CODE;
	run(mm2, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "the zygote is replaced");
	host_usermode->mm_destroy(mm);
	host_usermode->mm_destroy(mm2);
}

GUEST(g_private, "mov %rdi, (%rsi); mov $39, %eax; syscall; mov (%rsi), %rdi; mov $40, %eax; syscall");

static void test_many(void)
{
	enum { N = 200 };
	struct um_mm *mm[N];
	static unsigned long gp[N][UM_NR_REGS];
	static struct um_map_op ops[500];
	struct um_event ev;
	unsigned long long start = now_ns();
	int bad = 0, pids[N + 10], n;

	for (int i = 0; i < N; i++) {
		struct um_map_op op = { UM_MAP, 3, HOLE, 4096, 0x400000 + i * 4096 };

		mm[i] = new_mm();
		host_usermode->map(mm[i], &op, 1);
	}
	printf("# %d address spaces: %llu us each\n", N, (now_ns() - start) / 1000 / N);
	for (int i = 0; i < N; i++) {
		LOAD(gp[i], g_private);
		gp[i][UM_RDI] = i;
		gp[i][UM_RSI] = HOLE;
		run(mm[i], gp[i], &ev);
		bad += ev.kind != UM_EV_SYSCALL || gp[i][UM_ORIG_RAX] != 39;
	}
	for (int i = 0; i < N; i++) {
		run(mm[i], gp[i], &ev);
		bad += ev.kind != UM_EV_SYSCALL || gp[i][UM_RDI] != (unsigned long)i;
	}
	check(!bad, "200 address spaces with memory of their own");
	for (int i = 0; i < 500; i++)
		ops[i] = (struct um_map_op){ UM_MAP, 1, 0x10000000UL + i * 8192, 4096, i * 4096 };
	check(!host_usermode->map(mm[0], ops, 500), "batch of 500 operations");
	for (int i = 0; i < N; i++)
		host_usermode->mm_destroy(mm[i]);
	for (int i = 0; i < 100; i++) {
		usleep(10000);
		mm[0] = new_mm();
		LOAD(gp[0], g_syscall);
		run(mm[0], gp[0], &ev);
		host_usermode->mm_destroy(mm[0]);
		n = stub_pids(pids, N + 10, getpid());
		if (n <= 3)
			break;
	}
	check(n <= 3, "destroyed stubs are gone (%d left with the zygote)", n);
}

/* The host allows 65530 mappings; the error must be clean. */
static void test_limits(void)
{
	static struct um_map_op ops[1000];
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	int err = 0;

	for (int round = 0; round < 80 && !err; round++) {
		for (int i = 0; i < 1000; i++)
			ops[i] = (struct um_map_op){ UM_MAP, 1,
				0x10000000UL + (round * 1000UL + i) * 8192, 4096, i * 4096 };
		err = host_usermode->map(mm, ops, 1000);
	}
	check(err == -ENOMEM, "too many mappings: %s", strerror(-err));
	ops[0] = (struct um_map_op){ UM_UNMAP, 0, 0x10000000UL, 0x20000000, 0 };
	check(!host_usermode->map(mm, ops, 1), "one unmap makes room");
	LOAD(gp, g_syscall);
	run(mm, gp, &ev);
	check(ev.kind == UM_EV_SYSCALL, "the stub still works");
	host_usermode->mm_destroy(mm);
}

GUEST(g_clock, "call *%rdx; mov $39, %eax; syscall");

static void test_clock(void)
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

static void measure(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	unsigned long long start;
	enum { N = 20000 };

	LOAD(gp, g_call);
	start = now_ns();
	for (int i = 0; i < N; i++)
		run(mm, gp, &ev);
	printf("# system call: %llu ns\n", (now_ns() - start) / N);
	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE;
	start = now_ns();
	for (int i = 0; i < N; i++)
		run(mm, gp, &ev);
	printf("# fault: %llu ns\n", (now_ns() - start) / N);
	start = now_ns();
	for (int i = 0; i < N; i++) {
		struct um_map_op op = { UM_MAP, HOST_PROT_READ, HOLE, 4096, (i & 15) * 4096 };

		host_usermode->map(mm, &op, 1);
	}
	printf("# map: %llu ns\n", (now_ns() - start) / N);
	host_usermode->mm_destroy(mm);
}

/* Start a copy of this test that holds stubs, kill it, see what is left. */
static void test_orphans(void)
{
	int fds[2], child, pids[64], n = 0, status;
	char c;

	if (pipe(fds))
		return;
	child = fork();
	if (!child) {
		execl("/proc/self/exe", "usermode_test", "--hold", NULL);
		_exit(1);
	}
	close(fds[1]);
	for (int i = 0; i < 500 && n < 4; i++) {
		usleep(10000);
		n = stub_pids(pids, 64, child);
	}
	check(n >= 4, "another kernel with %d stubs", n);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	for (int i = 0; i < 200; i++) {
		int left = 0;

		for (int k = 0; k < n; k++)
			left += !kill(pids[k], 0);
		if (!left)
			break;
		usleep(10000);
		c = left;
		(void)c;
	}
	for (int k = 0; k < n; k++)
		check(kill(pids[k], 0) < 0, "stub %d died with it", k);
	close(fds[0]);
}

static void start(void)
{
	mem_fd = memfd_create("test", MFD_CLOEXEC);
	if (mem_fd < 0 || ftruncate(mem_fd, MEM_SIZE)) {
		perror("memfd");
		exit(1);
	}
	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem_fd, 0);
	if (host_usermode_init()) {
		printf("Bail out! no backend\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int pids[64];

	if (host_stub_main(argc, argv))
		return 1;
	start();
	if (argc > 1 && !strcmp(argv[1], "--hold")) {
		unsigned long gp[UM_NR_REGS];
		struct um_mm *mm[3];

		for (int i = 0; i < 3; i++)
			mm[i] = new_mm();
		LOAD(gp, g_loop);
		host_usermode->resume(mm[1], gp, 0);
		for (;;)
			pause();
	}
	printf("# backend %s, %s; extended state %u bytes, features %llx, vDSO clock %lx\n",
	       host_usermode->name, host_usermode_reason(), host_cpu.fp_size, host_cpu.xfeatures,
	       host_vdso_clock());
	test_syscall();
	test_faults();
	test_traps();
	test_vsyscall();
	test_step();
	test_interrupts();
	test_fp();
	test_debugreg();
	test_registers();
	test_isolation();
	test_signals();
	test_death();
	test_many();
	test_limits();
	test_clock();
	test_orphans();
	if (argc > 1 && !strcmp(argv[1], "--measure"))
		measure();
	for (struct host_exit_node *node = exit_nodes; node; node = node->next)
		node->fn();
	check(!stub_pids(pids, 64, getpid()), "nothing left after the end");
	printf("1..%d\n", nr_tests);
	return nr_failed != 0;
}
