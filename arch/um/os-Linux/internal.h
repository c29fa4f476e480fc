/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the host half share with each other. */
#ifndef __OS_LINUX_INTERNAL_H
#define __OS_LINUX_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <host/vcpu.h>

/* Of Linux 5.14; older headers of libc don't have it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

extern struct vcpu host_boot_vcpu;

/* Original command line, for reboot and messages. */
extern char **host_argv;

/**
 * host_syscall_pending() - a system call that an interrupt must not miss
 * @vcpu: the calling vCPU
 * @nr: system call number
 *
 * Returns -EINTR without calling if something is pending; a signal that
 * arrives between that check and the call makes it return -EINTR too (the
 * handler moves the instruction pointer). Else the raw result.
 */
long host_syscall_pending(struct vcpu *vcpu, long nr, long a1, long a2, long a3,
			  long a4, long a5, long a6);

/* Labels inside host_syscall_pending() for the signal handler. */
extern char host_syscall_pending_begin[], host_syscall_pending_insn[];
extern char host_syscall_pending_abort[];

/**
 * host_vcpu_raise() - make an interrupt pending on a vCPU
 * @vcpu: the target
 * @irq: UM_IRQ_*
 *
 * From any host thread or from a signal handler.
 */
void host_vcpu_raise(struct vcpu *vcpu, int irq);

/**
 * host_idle_sleep - how the vCPU sleeps while it is idle, or NULL: in pause()
 *
 * For a service that the vCPU itself can wait for. It must sleep by
 * host_syscall_pending(), and may return whenever it likes.
 */
extern void (*host_idle_sleep)(struct vcpu *vcpu);

/* Start-up, in the order main() calls them; 0 or -1 after a message. */
int host_options_parse(int argc, char **argv);
const char *host_options_cmdline(void);
int host_memory_init(void);
int host_signal_init(void);
int host_vcpu_init(void);
int host_time_init(void);
int host_event_init(void);
int host_initrd_init(void);

/** memory_limit() - bytes of guest memory that our memory cgroups leave room for */
unsigned long memory_limit(void);

/**
 * huge_memory_init() - ask for huge pages of the host, if the user wants them
 * @addr: guest memory, just mapped
 * @size: of it, in bytes
 * @is_memfd: what kind of file it is
 */
void huge_memory_init(void *addr, unsigned long size, int is_memfd);

/** backing_init() - prepare to watch how much memory the host has left */
void backing_init(void);

/* A child started as a stub program (memfd refused): see usermode/. */
int host_stub_main(int argc, char **argv);

/* SIGWINCH arrived; async-signal-safe (tty.c). */
void host_tty_winch(void);

/* The retry timer of signal.c: look again soon. Async-signal-safe. */
void host_timer_nag(void);

/* Run the exit nodes once. */
void host_run_exit_nodes(void);

/** host_die() - print "linux: <text>" and leave with exit code 1 */
void __attribute__((noreturn, format(printf, 1, 2))) host_die(const char *fmt, ...);

/** host_warn() - print "linux: <text>" */
void __attribute__((format(printf, 1, 2))) host_warn(const char *fmt, ...);

#endif
