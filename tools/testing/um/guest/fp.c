// SPDX-License-Identifier: GPL-2.0
/*
 * Canaries in every floating-point and vector register, in the bases of fs and
 * gs, and in the protection keys' register where the CPU has one: they must
 * survive system calls, being preempted, signals whose handlers use the same
 * registers, faults and fork.  Several threads and processes do it at once,
 * each with its own pattern, so a leak between tasks shows as well.
 *
 *   fp [--loops N]     N rounds per task (default 1000)
 */
#include <cpuid.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "tap.h"
#include "util.h"

enum { SSE, AVX, AVX512 };

struct regs {
	unsigned char v[32][64];
	uint64_t k[8];
	uint64_t mmx[8];	/* the x87 registers' mantissas */
	uint32_t mxcsr;
	uint16_t cw;
	uint32_t pkru;
	uint64_t gs;
	uint64_t fs;
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct regs, mxcsr) == 2176 && offsetof(struct regs, pkru) == 2184 &&
	       offsetof(struct regs, fs) == 2200, "GO() knows them");

static int level, loops = 1000;
static int has_bases, has_keys;
static volatile int handled;

#define ALL_XMM "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",	\
	"xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

#define V16(op)								\
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7)			\
	op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define V16HI(op)							\
	op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23)		\
	op(24) op(25) op(26) op(27) op(28) op(29) op(30) op(31)

#define L_SSE(n) "movdqu 64*" #n "(%%rbx), %%xmm" #n "\n"
#define S_SSE(n) "movdqu %%xmm" #n ", 64*" #n "(%%r12)\n"
#define L_AVX(n) "vmovdqu 64*" #n "(%%rbx), %%ymm" #n "\n"
#define S_AVX(n) "vmovdqu %%ymm" #n ", 64*" #n "(%%r12)\n"
#define L_512(n) "vmovdqu64 64*" #n "(%%rbx), %%zmm" #n "\n"
#define S_512(n) "vmovdqu64 %%zmm" #n ", 64*" #n "(%%r12)\n"
#define L_K(n) "kmovw 2048+8*" #n "(%%rbx), %%k" #n "\n"
#define S_K(n) "kmovw %%k" #n ", 2048+8*" #n "(%%r12)\n"
#define L_MM(n) "movq 2112+8*" #n "(%%rbx), %%mm" #n "\n"
#define S_MM(n) "movq %%mm" #n ", 2112+8*" #n "(%%r12)\n"
#define EIGHT(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7)

/*
 * GO() - load everything from in, spin, do system call nr (negative: none),
 * spin, store everything to out.  Defines the system call's result.  getppid and
 * sched_yield have instructions of their own, which can be patched: the nop makes
 * sure of that.
 */
#define GO(loads, stores)						\
	asm volatile("ldmxcsr 2176(%%rbx)\nfldcw 2180(%%rbx)\n"		\
		     "cmpl $0, %[bases]; je 3f\n"			\
		     "mov 2192(%%rbx), %%rax; wrgsbase %%rax\n3:"	\
		     "cmpl $0, %[keys]; je 3f; xor %%ecx, %%ecx; xor %%edx, %%edx\n"	\
		     "mov 2184(%%rbx), %%eax; wrpkru\n3:"		\
		     EIGHT(L_MM) loads					\
		     "mov %%r14, %%rcx\n1: dec %%rcx; jns 1b\n"		\
		     "mov %%r13, %%rax; test %%eax, %%eax; js 2f\n"	\
		     "cmp $110, %%eax; jne 4f; nop; mov $110, %%eax; syscall; jmp 5f\n"	\
		     "4: cmp $24, %%eax; jne 4f; nop; mov $24, %%eax; syscall; jmp 5f\n"	\
		     "4: syscall\n5: mov %%rax, %%r15\n2:\n"		\
		     "mov %%r14, %%rcx\n1: dec %%rcx; jns 1b\n"		\
		     stores EIGHT(S_MM)					\
		     "cmpl $0, %[bases]; je 3f\n"			\
		     "rdgsbase %%rax; mov %%rax, 2192(%%r12)\n"		\
		     "rdfsbase %%rax; mov %%rax, 2200(%%r12)\n3:"	\
		     "cmpl $0, %[keys]; je 3f; xor %%ecx, %%ecx\n"	\
		     "rdpkru; mov %%eax, 2184(%%r12)\n3:"		\
		     "stmxcsr 2176(%%r12)\nfnstcw 2180(%%r12)\nemms\n"	\
		     "fninit\nldmxcsr %[init]\n"			\
		     : "+r"(ret)					\
		     : "r"(b), "r"(o), "r"(n), "r"(s), "D"(a1), "S"(a2),	\
		       [init] "m"(mxinit), [bases] "m"(has_bases), [keys] "m"(has_keys)	\
		     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11",	\
		       "memory", "cc", ALL_XMM)

static long __attribute__((noinline)) go(const struct regs *in, struct regs *out, long nr,
					 long spin, long a1, long a2)
{
	register const struct regs *b asm("rbx") = in;
	register struct regs *o asm("r12") = out;
	register long n asm("r13") = nr;
	register long s asm("r14") = spin;
	register long ret asm("r15") = 0;
	static const uint32_t mxinit = 0x1f80;

	if (level == AVX512)
		GO(V16(L_512) V16HI(L_512) EIGHT(L_K), V16(S_512) V16HI(S_512) EIGHT(S_K));
	else if (level == AVX)
		GO(V16(L_AVX), V16(S_AVX));
	else
		GO(V16(L_SSE), V16(S_SSE));
	return ret;
}

static void fill(struct regs *r, unsigned int seed)
{
	static const int width[] = { 16, 32, 64 }, count[] = { 16, 16, 32 };
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;
	int i, j;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < count[level]; i++)
		for (j = 0; j < width[level]; j++)
			r->v[i][j] = lcg(&x) >> 56;
	for (i = 0; i < 8; i++) {
		if (level == AVX512)
			r->k[i] = (x >> (i + 8)) & 0xffff;
		r->mmx[i] = x ^ (0x0101010101010101ULL * i);
	}
	r->mxcsr = 0x1f80 | (seed & 3) << 13;		/* rounding mode */
	r->cw = 0x37f & ~((seed & 1) << 8);		/* precision */
	if (has_bases) {
		r->gs = x & 0x7fffffffffff;
		asm("rdfsbase %0" : "=r"(r->fs));
	}
	if (has_keys)
		r->pkru = x & ~3U;			/* key 0 is all memory's */
}

/* Trash everything, as a handler compiled with AVX would. */
static void handler(int sig, siginfo_t *si, void *uc)
{
	struct regs in, out;
	uint64_t gs = 0;

	(void)sig; (void)si; (void)uc;
	/* What no signal frame holds. */
	if (has_bases)
		asm volatile("rdgsbase %0" : "=r"(gs));
	fill(&in, 0xbad);
	go(&in, &out, -1, 0, 0, 0);
	if (has_bases)
		asm volatile("wrgsbase %0" : : "r"(gs));
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
}

static int same(const struct regs *a, const struct regs *b, const char *what)
{
	const unsigned int size = offsetof(struct regs, fs) + 8;
	static int told;

	if (!memcmp(a, b, size))
		return 1;
	for (unsigned int i = 0; i < size; i++)
		if (((char *)a)[i] != ((char *)b)[i] && told++ < 20) {
			diag("%s: differs at byte %u (v: 64 each to 2048, k, mmx, mxcsr, cw, ...)",
			     what, i);
			break;
		}
	return 0;
}

/* One task's rounds; returns the number of corruptions. */
static int rounds(unsigned int seed)
{
	struct timespec ts = { 0, 100000 };
	struct regs in, out;
	int i, bad = 0;

	for (i = 0; i < loops; i++) {
		memset(&out, 0, sizeof(out));
		fill(&in, seed * 100003 + i);
		go(&in, &out, -1, 200000, 0, 0);
		bad += !same(&in, &out, "spinning");
		memset(&out, 0, sizeof(out));
		go(&in, &out, SYS_getppid, 50, 0, 0);
		bad += !same(&in, &out, "getppid");
		memset(&out, 0, sizeof(out));
		go(&in, &out, SYS_sched_yield, 50, 0, 0);
		bad += !same(&in, &out, "sched_yield");
		if (i % 10)
			continue;
		memset(&out, 0, sizeof(out));
		go(&in, &out, SYS_nanosleep, 50, (long)&ts, 0);
		bad += !same(&in, &out, "nanosleep");
	}
	return bad;
}

static void *thread(void *seed)
{
	return (void *)(long)rounds((long)seed);
}

/* Of this process and those it has waited for. */
static long switches(void)
{
	struct rusage own, others;

	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &others);
	return own.ru_nvcsw + own.ru_nivcsw + others.ru_nvcsw + others.ru_nivcsw;
}

/* CPUID: the kernel below has switched the register on. */
static int pkru_usable(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1 << 4;
}

static void start_timer(int us)
{
	struct itimerval it = { { 0, us }, { 0, us } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void fork_keeps(void)
{
	struct regs in, out;
	int i, st, bad = 0;

	for (i = 0; i < 20; i++) {
		long pid;

		fill(&in, 77 + i);
		memset(&out, 0, sizeof(out));
		pid = go(&in, &out, SYS_fork, 1000, 0, 0);
		if (!pid)
			_exit(!same(&in, &out, "fork, child"));
		bad += !same(&in, &out, "fork, parent");
		waitpid(pid, &st, 0);
		bad += st != 0;
	}
	is(bad, 0, "fork copies the registers");
}

/* A store that faults (first touch of a page) in the middle. */
static void faults_keep(void)
{
	struct regs in;
	int i, bad = 0;
	char *p = map_pages(64, PROT_READ | PROT_WRITE);

	for (i = 0; i < 32; i++) {
		struct regs *out = (struct regs *)(p + i * 8192 + 4096 - 1024);

		fill(&in, 500 + i);
		go(&in, out, -1, 10, 0, 0);
		bad += !same(&in, out, "first touch");
	}
	is(bad, 0, "page faults keep the registers");
}

int main(int argc, char **argv)
{
	static const char * const name[] = { "SSE", "AVX", "AVX-512" };
	pthread_t t[4];
	pid_t pid[3];
	void *res;
	long i, bad;
	int st;

	if (argc == 3 && !strcmp(argv[1], "--loops"))
		loops = atoi(argv[2]);
	if (__builtin_cpu_supports("avx512f"))
		level = AVX512;
	else if (__builtin_cpu_supports("avx"))
		level = AVX;
	has_bases = !!(getauxval(AT_HWCAP2) & 2);
	has_keys = pkru_usable();
	diag("%s registers%s%s, %d loops", name[level], has_bases ? ", fs and gs" : "",
	     has_keys ? ", PKRU" : "", loops);

	is(rounds(1), 0, "one task alone");
	fork_keeps();
	faults_keep();
	on_signal(SIGALRM, handler, SA_RESTART);
	start_timer(1000);
	is(rounds(2), 0, "one task under a storm of signals");
	ok(handled > 0, "handlers ran (%d)", handled);

	/* Timers are not inherited: every process starts its own. */
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			start_timer(1500 + 300 * i);
			_exit(rounds(10 + i) != 0);
		}
	}
	for (i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread, (void *)(20 + i)))
			die("pthread_create");
	for (i = 0, bad = 0; i < 4; i++) {
		pthread_join(t[i], &res);
		bad += (long)res;
	}
	start_timer(0);
	is(bad, 0, "four threads with signals");
	for (i = 0, bad = 0; i < 3; i++) {
		waitpid(pid[i], &st, 0);
		bad += st != 0;
	}
	is(bad, 0, "three processes with signals at the same time");
	diag("%ld switches, %d signals in this process", switches(), handled);
	return tap_done();
}
