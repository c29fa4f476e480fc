// SPDX-License-Identifier: GPL-2.0
/*
 * The ends of a run: halt and power-off leave the process with an exit code,
 * reboot executes the program again, a panic dies visibly unless panic= asks
 * for a reboot.
 */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/kmsg_dump.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/proc_fs.h>
#include <linux/reboot.h>
#include <linux/uaccess.h>
#include <asm/current.h>
#include <host/process.h>
#include <host/vcpu.h>

static int exit_code;

/* Set, because the generic code would halt instead where it is not. */
void (*pm_power_off)(void) = machine_power_off;
EXPORT_SYMBOL(pm_power_off);

void machine_restart(char *command)
{
	/* Somebody asked for an end, and a panic would not let it through. */
	if (READ_ONCE(this_vcpu()->pending) & BIT(UM_IRQ_SHUTDOWN))
		host_exit(1);
	/* After a panic the log says why; without reboot the code does. */
	if (host_noreboot())
		host_exit(panic_in_progress() ? 1 : exit_code);
	host_reboot();
}

void machine_halt(void)
{
	host_exit(exit_code);
}

void machine_power_off(void)
{
	host_exit(exit_code);
}

static int panic_end(struct notifier_block *self, unsigned long event, void *text)
{
	/* panic=N, N != 0: the generic code waits and calls machine_restart(). */
	if (panic_timeout)
		return NOTIFY_DONE;
	bust_spinlocks(0);
	kmsg_dump(KMSG_DUMP_PANIC);
	console_flush_on_panic(CONSOLE_FLUSH_PENDING);
	host_abort();
}

/* Last of all, so that every other listener hears of the panic first. */
static struct notifier_block panic_end_notifier = {
	.notifier_call	= panic_end,
	.priority	= INT_MIN,
};

#ifdef CONFIG_PROC_FS
/* /proc/exitcode: what the kernel process leaves behind at halt. */
static ssize_t exitcode_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *pos)
{
	int err = kstrtoint_from_user(buf, count, 0, &exit_code);

	return err ?: count;
}

static ssize_t exitcode_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	char text[16];

	return simple_read_from_buffer(buf, count, pos, text,
				       scnprintf(text, sizeof(text), "%d\n", exit_code));
}

static const struct proc_ops exitcode_ops = {
	.proc_read	= exitcode_read,
	.proc_write	= exitcode_write,
	.proc_lseek	= default_llseek,
};

static int __init exitcode_init(void)
{
	if (!proc_create("exitcode", 0600, NULL, &exitcode_ops))
		pr_warn("Can't create /proc/exitcode\n");
	return 0;
}
late_initcall(exitcode_init);
#endif

static int __init panic_end_init(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_end_notifier);
}
early_initcall(panic_end_init);
