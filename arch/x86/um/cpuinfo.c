// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/cpuinfo in the format of x86: programs parse it (lscpu, compilers,
 * JITs, monitoring). Guest code runs on the host's CPU, so CPUID, which guest
 * programs can execute as well, is the source; of the flags only those are
 * left out that promise something a guest program can't use.
 */
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <asm/cpuid.h>
#include <asm/processor.h>
#include <host/time.h>

#define NR_WORDS	22

static const char * const flag_names[NR_WORDS * 32] = {
#include "cpuflags.h"
};

/*
 * Which register of which CPUID leaf fills a word of flags. Words that are
 * not here are made up by x86's kernel.
 */
enum reg { EAX, EBX, ECX, EDX };

static const struct {
	u32 leaf, subleaf;
	enum reg reg;
	u32 word;
} flag_words[] = {
	{ 0x00000001, 0, EDX, 0 },
	{ 0x80000001, 0, EDX, 1 },
	{ 0x00000001, 0, ECX, 4 },
	{ 0x80000001, 0, ECX, 6 },
	{ 0x00000007, 0, EBX, 9 },
	{ 0x0000000d, 1, EAX, 10 },
	{ 0x00000007, 1, EAX, 12 },
	{ 0x80000008, 0, EBX, 13 },
	{ 0x00000007, 0, ECX, 16 },
	{ 0x80000007, 0, EBX, 17 },
	{ 0x00000007, 0, EDX, 18 },
};

/* Virtualisation, control of the hardware, protection keys, shadow stacks. */
static const char * const hidden_flags[] = {
	"vmx", "svm", "smx", "skinit", "pku", "ospke", "shstk", "ibt", "user_shstk",
	"monitor", "mwaitx", "pcid", "invpcid", "dtes64", "ds_cpl", "dts", "amx_tile",
	"amx_bf16", "amx_int8", "la57", "lam", "umip", "x2apic", "tsc_deadline_timer",
};

/* The time-stamp counter and the clock at boot. */
static u64 start_tsc __ro_after_init;
static u64 start_ns __ro_after_init;

static u32 max_leaf(u32 leaf)
{
	return cpuid_read(leaf & 0x80000000, 0).a;
}

static bool has_leaf(u32 leaf)
{
	return leaf <= max_leaf(leaf);
}

static u32 select_reg(struct cpuid_regs r, enum reg reg)
{
	switch (reg) {
	case EAX:
		return r.a;
	case EBX:
		return r.b;
	case ECX:
		return r.c;
	default:
		return r.d;
	}
}

static bool is_hidden(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hidden_flags); i++) {
		if (!strcmp(name, hidden_flags[i]))
			return true;
	}
	return false;
}

static void show_flags(struct seq_file *m)
{
	unsigned long bits;
	int i, bit;

	seq_puts(m, "flags\t\t:");
	for (i = 0; i < ARRAY_SIZE(flag_words); i++) {
		if (!has_leaf(flag_words[i].leaf))
			continue;
		bits = select_reg(cpuid_read(flag_words[i].leaf, flag_words[i].subleaf),
				  flag_words[i].reg);
		for_each_set_bit(bit, &bits, 32) {
			const char *name = flag_names[flag_words[i].word * 32 + bit];

			if (name && !is_hidden(name))
				seq_printf(m, " %s", name);
		}
	}

	/* What the kernel of x86 derives for itself. */
	seq_puts(m, " cpuid nopl rep_good");
	if (has_leaf(0x80000007) && cpuid_read(0x80000007, 0).d & BIT(8))
		seq_puts(m, " constant_tsc nonstop_tsc");
	seq_putc(m, '\n');
}

static void show_vendor(struct seq_file *m)
{
	struct cpuid_regs r = cpuid_read(0, 0);
	char vendor[13] = { };

	memcpy(vendor, &r.b, 4);
	memcpy(vendor + 4, &r.d, 4);
	memcpy(vendor + 8, &r.c, 4);
	seq_printf(m, "vendor_id\t: %s\n", vendor);
}

static void show_model_name(struct seq_file *m)
{
	struct cpuid_regs name[3];
	char text[sizeof(name) + 1] = "unknown";
	int i;

	if (has_leaf(0x80000004)) {
		for (i = 0; i < 3; i++)
			name[i] = cpuid_read(0x80000002 + i, 0);
		memcpy(text, name, sizeof(name));
		text[sizeof(name)] = '\0';
	}
	seq_printf(m, "model name\t: %s\n", strim(text));
}

static void show_model(struct seq_file *m)
{
	u32 a = cpuid_read(1, 0).a;
	u32 family = (a >> 8) & 0xf;
	u32 model = (a >> 4) & 0xf;

	if (family >= 6)
		model += ((a >> 16) & 0xf) << 4;
	if (family == 0xf)
		family += (a >> 20) & 0xff;

	seq_printf(m, "cpu family\t: %u\n", family);
	seq_printf(m, "model\t\t: %u\n", model);
	show_model_name(m);
	seq_printf(m, "stepping\t: %u\n", a & 0xf);
}

/* The last level of the cache; Intel and AMD number these leaves differently. */
static void show_cache_size(struct seq_file *m)
{
	u32 leaf = has_leaf(0x8000001d) && cpuid_read(0x8000001d, 0).a ? 0x8000001d : 4;
	struct cpuid_regs r;
	u64 size = 0;
	int i;

	for (i = 0; has_leaf(leaf) && i < 8; i++) {
		r = cpuid_read(leaf, i);
		if (!(r.a & 0x1f))
			break;
		/* ways * partitions * line size * sets */
		size = (u64)((r.b >> 22) + 1) * (((r.b >> 12) & 0x3ff) + 1) *
		       ((r.b & 0xfff) + 1) * (r.c + 1);
	}
	if (size)
		seq_printf(m, "cache size\t: %llu KB\n", size / 1024);
}

static u64 read_tsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return (u64)hi << 32 | lo;
}

/* The time-stamp counter runs at the nominal frequency. */
static void show_mhz(struct seq_file *m)
{
	u64 ns = host_clock_ns() - start_ns;
	u64 khz = mul_u64_u64_div_u64(read_tsc() - start_tsc, USEC_PER_SEC, max(ns, 1ULL));

	seq_printf(m, "cpu MHz\t\t: %llu.%03llu\n", khz / 1000, khz % 1000);
}

static int show_cpuinfo(struct seq_file *m, void *v)
{
	u32 sizes = has_leaf(0x80000008) ? cpuid_read(0x80000008, 0).a : 0x3024;

	seq_puts(m, "processor\t: 0\n");
	show_vendor(m);
	show_model(m);
	show_mhz(m);
	show_cache_size(m);
	seq_puts(m, "physical id\t: 0\n");
	seq_puts(m, "siblings\t: 1\n");
	seq_puts(m, "core id\t\t: 0\n");
	seq_puts(m, "cpu cores\t: 1\n");
	seq_puts(m, "apicid\t\t: 0\n");
	seq_puts(m, "initial apicid\t: 0\n");
	seq_puts(m, "fpu\t\t: yes\n");
	seq_puts(m, "fpu_exception\t: yes\n");
	seq_printf(m, "cpuid level\t: %u\n", max_leaf(0));
	seq_puts(m, "wp\t\t: yes\n");
	show_flags(m);
	seq_puts(m, "bugs\t\t:\n");
	seq_printf(m, "bogomips\t: %lu.%02lu\n", loops_per_jiffy / (500000 / HZ),
		   loops_per_jiffy / (5000 / HZ) % 100);
	seq_printf(m, "clflush size\t: %u\n", ((cpuid_read(1, 0).b >> 8) & 0xff) * 8);
	seq_printf(m, "cache_alignment\t: %d\n", L1_CACHE_BYTES);
	seq_printf(m, "address sizes\t: %u bits physical, %u bits virtual\n",
		   sizes & 0xff, (sizes >> 8) & 0xff);
	seq_puts(m, "power management:\n\n");
	return 0;
}

static void *cpuinfo_start(struct seq_file *m, loff_t *pos)
{
	return *pos == 0 ? SEQ_START_TOKEN : NULL;
}

static void *cpuinfo_next(struct seq_file *m, void *v, loff_t *pos)
{
	(*pos)++;
	return NULL;
}

static void cpuinfo_stop(struct seq_file *m, void *v)
{
}

/* Opened by fs/proc/cpuinfo.c. */
const struct seq_operations cpuinfo_op = {
	.start	= cpuinfo_start,
	.next	= cpuinfo_next,
	.stop	= cpuinfo_stop,
	.show	= show_cpuinfo,
};

static int __init cpuinfo_init(void)
{
	start_tsc = read_tsc();
	start_ns = host_clock_ns();
	return 0;
}
core_initcall(cpuinfo_init);
