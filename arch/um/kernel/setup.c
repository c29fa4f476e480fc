// SPDX-License-Identifier: GPL-2.0
/*
 * From the host half's main() to start_kernel(): the boot task, the command
 * line, memory and the initial ram disk.
 */
#include <linux/cacheinfo.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/sched/task.h>
#include <linux/screen_info.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <asm/memory.h>
#include <asm/sections.h>
#include <asm/early_console.h>
#include <asm/setup.h>
#include <asm/stacktrace.h>
#include <host/memory.h>
#include <host/process.h>
#include <host/usermode.h>
#include <host/vcpu.h>

asmlinkage void __noreturn um_start(const char *cmdline);

int cache_line_size(void)
{
	return L1_CACHE_BYTES;
}

/* Called by entry.S on the boot task's stack. */
asmlinkage void __init __noreturn um_start(const char *cmdline)
{
	struct vcpu *vcpu = this_vcpu();

	vcpu->current_task = &init_task;
	vcpu->stack_lo = (unsigned long)init_task.stack;
	vcpu->stack_hi = vcpu->stack_lo + THREAD_SIZE;
	um_clock_start();
	strscpy(boot_command_line, cmdline, COMMAND_LINE_SIZE);
	start_kernel();
	BUG();
}

#ifdef CONFIG_BLK_DEV_INITRD
static void __init load_initrd(void)
{
	long size = host_initrd_size();
	void *area;

	if (size <= 0)
		return;
	area = memblock_alloc(PAGE_ALIGN(size), PAGE_SIZE);
	if (!area) {
		pr_err("initrd: %ld bytes don't fit into memory; use a larger mem=\n", size);
		return;
	}
	size = host_initrd_load(area, size);
	if (size <= 0) {
		pr_err("initrd: can't be read (error %ld)\n", -size);
		return;
	}
	initrd_start = (unsigned long)area;
	initrd_end = initrd_start + size;
}
#else
static void __init load_initrd(void) { }
#endif

static void __init seed_random(void)
{
	u8 seed[64];

	if (host_random(seed, sizeof(seed)) == sizeof(seed))
		add_bootloader_randomness(seed, sizeof(seed));
	memzero_explicit(seed, sizeof(seed));
}

void __init setup_arch(char **cmdline_p)
{
	static char command_line[COMMAND_LINE_SIZE] __initdata;

	/* First of all quiet and loglevel=, which the early console honours. */
	parse_early_param();
	um_early_console();
	setup_initial_init_mm(_stext, _etext, _edata, _end);
	strscpy(command_line, boot_command_line, COMMAND_LINE_SIZE);
	*cmdline_p = command_line;

	um_memory_setup();
	load_initrd();
	paging_init();
	seed_random();
	if (host_memory.asked)
		pr_notice("Memory: %lu MiB instead of %lu MiB (mem=), to stay below the limit of the host's memory cgroup\n",
			  host_memory.ram_size >> 20, host_memory.asked >> 20);
	pr_info("UML running in %s mode (%s)\n", host_usermode->name,
		host_usermode_reason());
}

