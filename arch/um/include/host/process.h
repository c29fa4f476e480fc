/* SPDX-License-Identifier: GPL-2.0 */
/* Life and death of the kernel process, and what start-up hands over. */
#ifndef __HOST_PROCESS_H
#define __HOST_PROCESS_H

/**
 * um_kernel_start() - entry of the kernel half, on the boot task's stack
 * @cmdline: the kernel command line that is left for the kernel half
 *
 * Never returns.
 */
void __attribute__((__noreturn__)) um_kernel_start(const char *cmdline);

/**
 * host_exit() - end the kernel process in order
 * @code: exit code
 *
 * Kills every stub and helper, restores terminals, removes the umid directory.
 */
void __attribute__((__noreturn__)) host_exit(int code);

/**
 * host_abort() - end after a panic
 *
 * Like host_exit(), but leaves the umid directory and dies by SIGABRT, so
 * that a core dump is possible (status 134 in a shell).
 */
void __attribute__((__noreturn__)) host_abort(void);

/**
 * host_reboot() - start again in the same host process
 *
 * Cleans up like host_exit() and executes the program with its original
 * arguments; exits with 1 if that fails.
 */
void __attribute__((__noreturn__)) host_reboot(void);

/** host_noreboot() - true if the user asked for exit instead of reboot */
int host_noreboot(void);

/**
 * host_at_exit() - have a function called by host_exit/abort/reboot
 * @node: static storage, @node->fn set by the caller
 *
 * For host-half code only. Runs on the ending thread, last registered first.
 */
struct host_exit_node {
	void (*fn)(void);
	struct host_exit_node *next;
};
void host_at_exit(struct host_exit_node *node);

/** host_write_stderr() - unbuffered diagnostic output, any context */
void host_write_stderr(const char *text, unsigned long len);

/** host_random() - fill @buf from the host's random source; bytes or -errno */
long host_random(void *buf, unsigned long len);

/**
 * host_initrd() - the file named by initrd=, read into memory below the linear
 * map's end by host_initrd_load()
 */
long host_initrd_size(void);

/** host_initrd_load() - read the initrd into @buf of host_initrd_size() bytes */
long host_initrd_load(void *buf, unsigned long len);

#endif
