// SPDX-License-Identifier: GPL-2.0
/*
 * The host's clock for guests: clock_gettime() of the host's vDSO.
 *
 * The vDSO image in our process is the same as in a stub, so the function is
 * found here. Whether it answers without a system call each backend tries in a
 * stub, as if it were guest code.
 */
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "common.h"

#define CLOCK_NAME	"__vdso_clock_gettime"
/* The probe must read the host's clock to within this. */
#define PROBE_SLACK_S	60

static unsigned long clock_addr;

unsigned long host_vdso_clock(void)
{
	return clock_addr;
}

void vdso_clock_set(unsigned long addr)
{
	clock_addr = addr;
}

int vdso_clock_good(int clock, unsigned long seconds)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec - (long)seconds < PROBE_SLACK_S &&
	       (long)seconds - now.tv_sec < PROBE_SLACK_S;
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

unsigned long vdso_clock_offset(void)
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
