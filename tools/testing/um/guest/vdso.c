// SPDX-License-Identifier: GPL-2.0
/*
 * The vDSO: there, complete, in agreement with the system calls, monotonic in
 * several threads at once, and without a trap.
 */
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/time.h>

#include "tap.h"
#include "util.h"

static int (*v_gettime)(clockid_t, struct timespec *);
static int (*v_getres)(clockid_t, struct timespec *);
static int (*v_gettimeofday)(struct timeval *, void *);
static time_t (*v_time)(time_t *);
static int (*v_getcpu)(unsigned int *, unsigned int *, void *);

/* lookup() - a dynamic symbol of the image at @base; NULL if it isn't there. */
static void *lookup(unsigned long base, const char *name)
{
	ElfW(Ehdr) *eh = (void *)base;
	ElfW(Phdr) *ph = (void *)(base + eh->e_phoff);
	ElfW(Dyn) *dyn = NULL;
	ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	uint32_t *hash = NULL, *gnu = NULL, n = 0, i;
	unsigned long bias = 0;

	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !bias)
			bias = base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag; dyn++) {
		void *p = (void *)(bias + dyn->d_un.d_ptr);

		if (dyn->d_tag == DT_SYMTAB)
			sym = p;
		else if (dyn->d_tag == DT_STRTAB)
			str = p;
		else if (dyn->d_tag == DT_HASH)
			hash = p;
		else if (dyn->d_tag == DT_GNU_HASH)
			gnu = p;
	}
	if (!sym || !str)
		return NULL;
	if (hash) {
		n = hash[1];
	} else if (gnu) {
		/* Highest bucket, then to the end of its chain. */
		uint32_t *bucket = gnu + 4 + gnu[2] * 2, *chain = bucket + gnu[0];

		for (i = 0; i < gnu[0]; i++)
			if (bucket[i] > n)
				n = bucket[i];
		if (n)
			while (!(chain[n++ - gnu[1]] & 1))
				;
	}
	for (i = 0; i < n; i++)
		if (sym[i].st_shndx && !strcmp(str + sym[i].st_name, name))
			return (void *)(bias + sym[i].st_value);
	return NULL;
}

static int64_t ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000LL + t->tv_nsec;
}

/* A vDSO reading must lie between two system calls around it. */
static int agrees(clockid_t id, int64_t slack)
{
	struct timespec a, v, b;
	int i, bad = 0;

	for (i = 0; i < 2000; i++) {
		raw(SYS_clock_gettime, id, (long)&a, 0, 0, 0, 0);
		if (v_gettime(id, &v))
			return 0;
		raw(SYS_clock_gettime, id, (long)&b, 0, 0, 0, 0);
		if (ns(&v) < ns(&a) - slack || ns(&v) > ns(&b) + slack) {
			if (!bad++)
				diag("clock %d: %lld, vDSO %lld, %lld", id, (long long)ns(&a),
				     (long long)ns(&v), (long long)ns(&b));
		}
	}
	return !bad;
}

static void clocks(void)
{
	static const struct {
		clockid_t id;
		const char *name;
		int64_t slack;
	} c[] = {
		{ CLOCK_REALTIME, "REALTIME", 0 },
		{ CLOCK_MONOTONIC, "MONOTONIC", 0 },
		{ CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW", 0 },
		{ CLOCK_BOOTTIME, "BOOTTIME", 0 },
		{ CLOCK_TAI, "TAI", 0 },
		{ CLOCK_REALTIME_COARSE, "REALTIME_COARSE", 0 },
		{ CLOCK_MONOTONIC_COARSE, "MONOTONIC_COARSE", 0 },
		{ CLOCK_PROCESS_CPUTIME_ID, "PROCESS_CPUTIME_ID", 1000000 },
		{ CLOCK_THREAD_CPUTIME_ID, "THREAD_CPUTIME_ID", 1000000 },
	};
	struct timespec ts, r1, r2;
	struct timeval tv;
	unsigned int i, cpu = 77, node = 77;
	time_t t, u;

	for (i = 0; i < sizeof(c) / sizeof(*c); i++)
		ok(agrees(c[i].id, c[i].slack), "%s agrees with the system call", c[i].name);
	ts.tv_nsec = 0;
	ok(v_gettime(12345, &ts) != 0, "an unknown clock is refused");
	if (v_getres) {
		v_getres(CLOCK_MONOTONIC, &r1);
		raw(SYS_clock_getres, CLOCK_MONOTONIC, (long)&r2, 0, 0, 0, 0);
		ok(ns(&r1) == ns(&r2) && ns(&r1) == 1, "the resolution is 1 ns in both");
	} else {
		skip("clock_getres", "not in this vDSO");
	}
	raw(SYS_clock_gettime, CLOCK_REALTIME, (long)&ts, 0, 0, 0, 0);
	v_gettimeofday(&tv, NULL);
	ok(labs((tv.tv_sec - ts.tv_sec) * 1000000 + tv.tv_usec - ts.tv_nsec / 1000) < 500000,
	   "gettimeofday is the same time");
	is(v_gettimeofday(NULL, NULL), 0, "gettimeofday(NULL)");
	t = v_time(&u);
	ok(t == u && labs(t - ts.tv_sec) <= 1, "time, too");
	is(v_getcpu(&cpu, &node, NULL), 0, "getcpu");
	ok(cpu < (unsigned int)sysconf(_SC_NPROCESSORS_CONF) && node < 1024, "cpu %u, node %u",
	   cpu, node);
	is(v_getcpu(NULL, NULL, NULL), 0, "getcpu(NULL, NULL)");
}

static int64_t newest;

/* All threads together must never see time go back. */
static void *race(void *arg)
{
	long bad = 0;
	int i;

	(void)arg;
	for (i = 0; i < 200000; i++) {
		int64_t seen = __atomic_load_n(&newest, __ATOMIC_SEQ_CST), t;
		struct timespec ts;

		v_gettime(CLOCK_MONOTONIC, &ts);
		t = ns(&ts);
		bad += t < seen;
		while (seen < t && !__atomic_compare_exchange_n(&newest, &seen, t, 0,
								 __ATOMIC_SEQ_CST,
								 __ATOMIC_SEQ_CST))
			;
	}
	return (void *)bad;
}

static void monotonic(void)
{
	pthread_t t[4];
	long bad = 0;
	void *r;
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, race, NULL);
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], &r);
		bad += (long)r;
	}
	is(bad, 0, "four threads never see time go back");
}

/* fast() - nanoseconds of one vDSO call, the best of several runs. */
static long fast(int vdso)
{
	long best = 1L << 60;
	int i, run;

	for (run = 0; run < 7; run++) {
		int64_t t0 = now_ns(), took;
		struct timespec ts;

		for (i = 0; i < 2000; i++)
			if (vdso)
				v_gettime(CLOCK_MONOTONIC, &ts);
			else
				raw(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0, 0, 0);
		took = (now_ns() - t0) / 2000;
		if (took < best)
			best = took;
	}
	return best;
}

int main(void)
{
	unsigned long base = getauxval(AT_SYSINFO_EHDR);

	if (!ok(base != 0, "AT_SYSINFO_EHDR is there"))
		return tap_done();
	ok(!memcmp((void *)base, ELFMAG, SELFMAG), "and points to an ELF image");
	v_gettime = lookup(base, "__vdso_clock_gettime");
	v_getres = lookup(base, "__vdso_clock_getres");
	v_gettimeofday = lookup(base, "__vdso_gettimeofday");
	v_time = lookup(base, "__vdso_time");
	v_getcpu = lookup(base, "__vdso_getcpu");
	if (!ok(v_gettime && v_gettimeofday && v_time && v_getcpu, "with the four functions"))
		return tap_done();
	clocks();
	monotonic();
	long slow = fast(0), quick = fast(1);

	ok(quick < 1000 && quick <= slow, "clock_gettime: %ld ns, the system call %ld ns", quick,
	   slow);
	return tap_done();
}
