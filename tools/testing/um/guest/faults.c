// SPDX-License-Identifier: GPL-2.0
/*
 * What a fault tells its handler: si_code, si_addr, and trapno, err and cr2 of
 * the frame, for every exception that user code can cause.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <ucontext.h>

#include "tap.h"
#include "util.h"

#define SI_KERNEL_CODE 0x80
#define KERNEL_ADDR 0xffff800000001000UL
#define NON_CANONICAL 0x800000000000dead

static sigjmp_buf back;
static volatile siginfo_t info;
static volatile greg_t regs[NGREG];

static void catch(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;
	int i;

	(void)sig;
	info = *si;
	for (i = 0; i < NGREG; i++)
		regs[i] = uc->uc_mcontext.gregs[i];
	siglongjmp(back, 1);
}

/* FAULT() - run @code; afterwards info and regs describe the signal. */
#define FAULT(code)							\
do {									\
	info.si_signo = 0;						\
	if (!sigsetjmp(back, 1)) {					\
		code;							\
	}								\
} while (0)

static void check(const char *what, int sig, int code, unsigned long addr, int trap, int err)
{
	int good = info.si_signo == sig && info.si_code == code &&
		   (unsigned long)info.si_addr == addr && regs[REG_TRAPNO] == trap &&
		   (err < 0 || regs[REG_ERR] == err);

	if (!ok(good, "%s", what)) {
		diag("got signal %d code %d addr %p trapno %lld err %#llx cr2 %#llx",
		     info.si_signo, info.si_code, info.si_addr,
		     (long long)regs[REG_TRAPNO], (long long)regs[REG_ERR],
		     (long long)regs[REG_CR2]);
		diag("want signal %d code %d addr %#lx trapno %d err %#x", sig, code, addr,
		     trap, err);
	}
	if (trap == 14)
		is(regs[REG_CR2], addr, "... with cr2");
}

static void load(unsigned long a)
{
	asm volatile("movb (%0), %%al" : : "r"(a) : "rax", "memory");
}

static void store(unsigned long a)
{
	asm volatile("movb $1, (%0)" : : "r"(a) : "memory");
}

static void jump(unsigned long a)
{
	asm volatile("call *%0" : : "r"(a) : "rax", "rcx", "rdx", "rdi", "rsi", "r8",
		     "r9", "r10", "r11", "memory");
}

/*
 * Bit 0 of err (protection) is what the host's CPU saw.  It may differ between
 * a page that was never touched and one that was, so only bits 1, 2 and 4 are
 * asked for where that matters.
 */
static void pages(void)
{
	char *none = map_pages(1, PROT_NONE);
	char *ro = map_pages(1, PROT_READ);
	char *rw = map_pages(1, PROT_READ | PROT_WRITE);
	char *gone = map_pages(1, PROT_READ);
	char *two = map_pages(2, PROT_READ);

	munmap(gone, 4096);
	munmap(two + 4096, 4096);
	load((long)ro);
	*rw = (char)0xc3;
	FAULT(load(16));
	check("read of address 16", SIGSEGV, SEGV_MAPERR, 16, 14, 4);
	FAULT(store(16));
	check("write to address 16", SIGSEGV, SEGV_MAPERR, 16, 14, 6);
	FAULT(load((long)gone + 5));
	check("read of unmapped memory", SIGSEGV, SEGV_MAPERR, (long)gone + 5, 14, 4);
	FAULT(load((long)none));
	check("read of PROT_NONE memory", SIGSEGV, SEGV_ACCERR, (long)none, 14, -1);
	FAULT(store((long)ro + 4095));
	check("write to read-only memory", SIGSEGV, SEGV_ACCERR, (long)ro + 4095, 14, 7);
	FAULT(jump((long)rw));
	check("execution of data", SIGSEGV, SEGV_ACCERR, (long)rw, 14, -1);
	is(regs[REG_ERR] & 0x16, 0x14, "... is a fetch from user mode");
	is(regs[REG_RIP], (long)rw, "... with rip there");
	FAULT(jump((long)gone));
	check("execution of nothing", SIGSEGV, SEGV_MAPERR, (long)gone, 14, -1);
	/* A read that crosses into an unmapped page names that page. */
	FAULT(asm volatile("movq (%0), %%rax" : : "r"(two + 4092) : "rax"));
	check("a read across a page's end", SIGSEGV, SEGV_MAPERR, (long)two + 4096, 14, 4);
}

static void addresses(void)
{
	FAULT(load(KERNEL_ADDR));
	check("read of a kernel address", SIGSEGV, SEGV_MAPERR, KERNEL_ADDR, 14, 5);
	FAULT(store(KERNEL_ADDR));
	check("write to a kernel address", SIGSEGV, SEGV_MAPERR, KERNEL_ADDR, 14, 7);
	FAULT(jump(KERNEL_ADDR));
	check("execution of a kernel address", SIGSEGV, SEGV_MAPERR, KERNEL_ADDR, 14, -1);
	FAULT(load(-1UL));
	check("read of the last byte", SIGSEGV, SEGV_MAPERR, -1UL, 14, 5);
	FAULT(load(NON_CANONICAL));
	check("read of a non-canonical address", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(jump(NON_CANONICAL));
	check("jump to a non-canonical address", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(load(0x7ffffffff000UL));
	check("read of the hole under the kernel", SIGSEGV, SEGV_MAPERR, 0x7ffffffff000UL, 14,
	      -1);
}

static void traps(void)
{
	static volatile int one = 1, zero;
	unsigned long here = 0;
	unsigned int mx = 0x1f80 & ~0x200, init = 0x1f80;
	unsigned short cw = 0x37f & ~4;

	FAULT(asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; xor %%edx, %%edx\n"
			   "mov $1, %%eax; xor %%ecx, %%ecx\n1: idivl %%ecx"
			   : "=m"(here) : : "rax", "rcx", "rdx", "memory"));
	check("integer division by zero", SIGFPE, FPE_INTDIV, here, 0, 0);
	FAULT(asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; mov $-1, %%ecx\n"
			   "mov $0x80000000, %%eax; cltd\n1: idivl %%ecx"
			   : "=m"(here) : : "rax", "rcx", "rdx", "memory"));
	check("integer division overflow", SIGFPE, FPE_INTDIV, here, 0, 0);
	FAULT(asm volatile("ldmxcsr %1; lea 1f(%%rip), %%rax; mov %%rax, %0\n"
			   "cvtsi2ssl %2, %%xmm0; cvtsi2ssl %3, %%xmm1\n"
			   "1: divss %%xmm1, %%xmm0"
			   : "=m"(here) : "m"(mx), "m"(one), "m"(zero)
			   : "rax", "xmm0", "xmm1", "memory"));
	asm volatile("ldmxcsr %0" : : "m"(init));
	check("SSE division by zero", SIGFPE, FPE_FLTDIV, here, 19, 0);
	FAULT(asm volatile("fninit; fldcw %1; fld1; fldz; fdivrp; lea 1f(%%rip), %%rax\n"
			   "mov %%rax, %0\n1: fwait"
			   : "=m"(here) : "m"(cw) : "rax", "memory"));
	asm volatile("fninit");
	check("x87 division by zero", SIGFPE, FPE_FLTDIV, here, 16, 0);
	FAULT(asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0\n1: ud2"
			   : "=m"(here) : : "rax", "memory"));
	check("ud2", SIGILL, ILL_ILLOPN, here, 6, 0);
	FAULT(asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; int3\n1:"
			   : "=m"(here) : : "rax", "memory"));
	check("int3", SIGTRAP, SI_KERNEL_CODE, 0, 3, 0);
	is(regs[REG_RIP], here, "... with rip behind it");
	FAULT(asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; pushfq\n"
			   "orl $0x100, (%%rsp); popfq; nop\n1: nop; nop"
			   : "=m"(here) : : "rax", "memory", "cc"));
	check("the trap flag", SIGTRAP, TRAP_TRACE, here, 1, 0);
	is(regs[REG_EFL] & 0x100, 0x100, "... is seen in the frame's flags");
}

static void privileged(void)
{
	FAULT(asm volatile("hlt"));
	check("hlt", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(asm volatile("cli"));
	check("cli", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(asm volatile("outb %%al, $0x80" : : : "memory"));
	check("outb", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(asm volatile("mov %%cr0, %%rax" : : : "rax"));
	check("a read of cr0", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
	FAULT(asm volatile("int $0x81"));
	check("int 0x81", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0x81 * 8 + 2);
	FAULT(asm volatile("mov $0xdb, %%eax; mov %%ax, %%fs" : : : "rax"));
	check("a bad selector", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0xd8);
}

static void bus(void)
{
	int fd = temp_file(100);
	char *p;

	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	FAULT(load((long)p + 200));
	is(info.si_signo, 0, "the rest of the last page can be read");
	FAULT(load((long)p + 4096 + 7));
	ok(info.si_signo == SIGBUS && info.si_code == BUS_ADRERR &&
	   info.si_addr == p + 4096 + 7, "a read behind the end of a file: BUS_ADRERR");
	FAULT(store((long)p + 4096));
	ok(info.si_signo == SIGBUS && info.si_code == BUS_ADRERR && info.si_addr == p + 4096,
	   "a write behind the end of a file: BUS_ADRERR");
	if (ftruncate(fd, 0))
		die("truncate");
	FAULT(load((long)p));
	ok(info.si_signo == SIGBUS, "truncation takes the pages away");
}

/* The handler needs a stack of its own when rsp itself is bad. */
static void bad_stack(void)
{
	FAULT(asm volatile("mov %%rsp, %%rbx; mov %0, %%rsp; pop %%rax; mov %%rbx, %%rsp"
			   : : "r"(NON_CANONICAL) : "rax", "rbx", "memory"));
	check("a pop from a non-canonical stack", SIGBUS, SI_KERNEL_CODE, 0, 12, 0);
	FAULT(asm volatile("mov %%rsp, %%rbx; mov $64, %%rsp; push %%rax; mov %%rbx, %%rsp"
			   : : : "rbx", "memory"));
	check("a push to address 64", SIGSEGV, SEGV_MAPERR, 56, 14, 6);
}

static void alignment(void)
{
	static char buf[16] __attribute__((aligned(16)));

	FAULT(asm volatile("pushfq; orl $0x40000, (%%rsp); popfq; mov 1(%0), %%rax\n"
			   "pushfq; andl $~0x40000, (%%rsp); popfq"
			   : : "r"(buf) : "rax", "memory", "cc"));
	asm volatile("pushfq; andl $~0x40000, (%%rsp); popfq" : : : "cc", "memory");
	if (info.si_signo == 0)
		skip("alignment check", "this CPU or hypervisor doesn't do it");
	else
		check("alignment check", SIGBUS, BUS_ADRALN, 0, 17, 0);
	FAULT(asm volatile("movaps 1(%0), %%xmm0" : : "r"(buf) : "xmm0"));
	check("movaps of an odd address", SIGSEGV, SI_KERNEL_CODE, 0, 13, 0);
}

int main(void)
{
	stack_t ss = { .ss_sp = map_pages(16, PROT_READ | PROT_WRITE), .ss_size = 65536 };
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
	unsigned int i;

	sigaltstack(&ss, NULL);
	for (i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		on_signal(sigs[i], catch, SA_ONSTACK);
	pages();
	addresses();
	traps();
	privileged();
	bus();
	bad_stack();
	alignment();
	return tap_done();
}
