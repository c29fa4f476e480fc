// SPDX-License-Identifier: GPL-2.0
/*
 * The host's clock for guests: clock_gettime() of the host's vDSO.
 *
 * The vDSO image in our process is the same as in a stub, so the function is
 * found here. Whether it answers without a system call is tried in the zygote
 * as if it were guest code: with SYSEMU a call would show.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <time.h>

#include "trace.h"

#define CLOCK_NAME	"__vdso_clock_gettime"
/* The probe must read the host's clock to within this. */
#define PROBE_SLACK_S	60

static unsigned long clock_addr;

unsigned long host_vdso_clock(void)
{
	return clock_addr;
}

struct vdso_image {
	const char *base;
	const Elf64_Sym *symtab;
	const char *strtab;
	const Elf64_Word *hash;
	const Elf64_Word *gnu_hash;
};

/* Number of symbols, from whichever hash table there is. */
static unsigned int nr_symbols(const struct vdso_image *v)
{
	const Elf64_Word *buckets, *chain;
	unsigned int nbuckets, first, last = 0;

	if (v->hash)
		return v->hash[1];
	if (!v->gnu_hash)
		return 0;
	nbuckets = v->gnu_hash[0];
	first = v->gnu_hash[1];
	buckets = v->gnu_hash + 4 + 2 * v->gnu_hash[2];
	chain = buckets + nbuckets;
	for (unsigned int i = 0; i < nbuckets; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < first)
		return first;
	while (!(chain[last - first] & 1))
		last++;
	return last + 1;
}

static void read_dynamic(struct vdso_image *v, const Elf64_Dyn *dyn, unsigned long bias)
{
	for (; dyn->d_tag != DT_NULL; dyn++) {
		const void *p = (const void *)(dyn->d_un.d_ptr + bias);

		switch (dyn->d_tag) {
		case DT_SYMTAB:
			v->symtab = p;
			break;
		case DT_STRTAB:
			v->strtab = p;
			break;
		case DT_HASH:
			v->hash = p;
			break;
		case DT_GNU_HASH:
			v->gnu_hash = p;
			break;
		}
	}
}

/* Offset of the function in the vDSO image, or 0. */
static unsigned long clock_offset(void)
{
	struct vdso_image v = { .base = (const char *)getauxval(AT_SYSINFO_EHDR) };
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)v.base;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *dyn = NULL;
	unsigned long bias = 0;

	if (!eh || memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return 0;
	ph = (const Elf64_Phdr *)(v.base + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			bias = (unsigned long)v.base + ph[i].p_offset - ph[i].p_vaddr;
		else if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(v.base + ph[i].p_offset);
	}
	if (dyn)
		read_dynamic(&v, dyn, bias);
	if (!v.symtab || !v.strtab)
		return 0;
	for (unsigned int i = 0, n = nr_symbols(&v); i < n; i++)
		if (v.symtab[i].st_shndx != SHN_UNDEF &&
		    !strcmp(v.strtab + v.symtab[i].st_name, CLOCK_NAME))
			return v.symtab[i].st_value + bias - (unsigned long)v.base;
	return 0;
}

/* Call the function for one clock. Returns 1 if it answered by itself. */
static int call_clock(struct um_mm *mm, unsigned long function, int clock)
{
	unsigned long top = STUB_STACK + stub_info.stack_size;
	unsigned long sp = top - 72, result = STUB_STACK + 256;
	unsigned long regs[UM_NR_REGS], seconds;
	struct timespec now;
	int stop;

	trace_start_regs(regs, function);
	regs[UM_RDI] = clock;
	regs[UM_RSI] = result;
	regs[UM_RSP] = sp;
	if (trace_ptrace(PTRACE_POKEDATA, mm->pid, sp, STUB_ADDR(stub_call_trap)) ||
	    trace_ptrace(PTRACE_SETREGS, mm->pid, 0, (unsigned long)regs))
		return 0;
	do {
		if (trace_ptrace(PTRACE_SYSEMU, mm->pid, 0, 0) || trace_wait(mm, &stop))
			return 0;
		/* Not interested in signals from outside. */
	} while (stop != SIGTRAP && stop != (SIGTRAP | 0x80) && stop != SIGSEGV);
	if (stop != SIGTRAP ||
	    trace_ptrace(PTRACE_GETREGS, mm->pid, 0, (unsigned long)regs) ||
	    regs[UM_RIP] != STUB_ADDR(stub_call_trap) + 1 || regs[UM_RAX] ||
	    trace_ptrace(PTRACE_PEEKDATA, mm->pid, result, (unsigned long)&seconds))
		return 0;
	clock_gettime(clock, &now);
	return now.tv_sec - (long)seconds < PROBE_SLACK_S &&
	       (long)seconds - now.tv_sec < PROBE_SLACK_S;
}

/**
 * vdso_probe() - find out what host_vdso_clock() is to be
 * @mm: the zygote
 *
 * Returns 0, or -ESRCH if the zygote is gone.
 */
int vdso_probe(struct um_mm *mm)
{
	unsigned long offset = stub_info.vdso ? clock_offset() : 0;

	if (offset && call_clock(mm, stub_info.vdso + offset, CLOCK_MONOTONIC) &&
	    call_clock(mm, stub_info.vdso + offset, CLOCK_REALTIME))
		clock_addr = stub_info.vdso + offset;
	return mm->pid ? 0 : -ESRCH;
}
