// SPDX-License-Identifier: GPL-2.0
/*
 * Starting the first stub process.
 *
 * A fork of the kernel process would copy the page tables of all guest memory,
 * so the child shares the address space until it executes the stub's image
 * from a sealed memory file (vfork semantics). It is created CLONE_UNTRACED:
 * under strace -f it would otherwise belong to strace.
 *
 * Where executing memory files is forbidden (vm.memfd_noexec=2), the child
 * executes /proc/self/exe instead; main() recognises the name, maps the image
 * and jumps to it.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../internal.h"
#include "common.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL		8
#define MFD_EXEC		16
#endif

#define STUB_NAME		"[uml-stub]"
/* Our own descriptors may be 0 to 2; they are first moved out of the way. */
#define FD_SAFE			16
/* Where the host doesn't know close_range(), this many are closed. */
#define FD_MANY			4096

/* The stub's descriptors, in this order from 0. */
enum { FD_MEMORY, FD_CONTROL, FD_IMAGE };

/* What parent and child tell each other. */
struct launch {
	int memory, control;
	volatile int error;
};

static int image_fd = -1;
static char launch_stack[16384] __attribute__((aligned(16)));

static int stub_memfd(void)
{
	/* From kernels that want to know whether it will be executed, to others. */
	static const unsigned int kinds[] = { MFD_EXEC, 0, MFD_NOEXEC_SEAL };
	int fd = -1;

	for (unsigned int i = 0; i < 3 && fd < 0; i++)
		fd = memfd_create("uml-stub", MFD_CLOEXEC | MFD_ALLOW_SEALING | kinds[i]);
	return fd;
}

int launch_init(const void *image, unsigned long size)
{
	/* Another backend may have tried before. */
	if (image_fd >= 0)
		close(image_fd);
	image_fd = stub_memfd();
	if (image_fd < 0)
		return -errno;
	if (write(image_fd, image, size) != (ssize_t)size ||
	    fcntl(image_fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return 0;
}

/*
 * The child shares our memory and thread pointer: nothing but system calls
 * here.
 */
static int launch_child(void *arg)
{
	struct launch *launch = arg;
	static char *const argv[] = { STUB_NAME, NULL };
	static char *const envp[] = { NULL };
	struct { void *handler; unsigned long flags, restorer, mask; } sa = { 0 };
	int memory, control, image;

	/* No handler of ours may run here; ignored signals would be inherited. */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, &sa, NULL, 8);
	memory = fcntl(launch->memory, F_DUPFD_CLOEXEC, FD_SAFE);
	control = fcntl(launch->control, F_DUPFD_CLOEXEC, FD_SAFE);
	image = fcntl(image_fd, F_DUPFD_CLOEXEC, FD_SAFE);
	if (memory < 0 || control < 0 || image < 0 ||
	    dup2(memory, FD_MEMORY) < 0 || dup2(control, FD_CONTROL) < 0 ||
	    dup2(image, FD_IMAGE) < 0 || chdir("/") < 0) {
		launch->error = errno;
		_exit(1);
	}
	/* Ours are closed by exec, but we may have inherited others. */
	if (syscall(SYS_close_range, FD_IMAGE + 1, ~0U, 0) < 0)
		for (int fd = FD_IMAGE + 1; fd < FD_MANY; fd++)
			close(fd);
	/* Puts the vDSO where the stub wants it; may be forbidden. */
	personality(ADDR_NO_RANDOMIZE);
	syscall(SYS_execveat, FD_IMAGE, "", argv, envp, AT_EMPTY_PATH);
	execve("/proc/self/exe", argv, envp);
	launch->error = errno;
	_exit(1);
}

int launch_stub(int memory, int control)
{
	struct launch launch = { .memory = memory, .control = control };
	sigset_t all, old;
	int pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone(launch_child, launch_stack + sizeof(launch_stack),
		    CLONE_VM | CLONE_VFORK | CLONE_UNTRACED | SIGCHLD, &launch);
	if (pid < 0)
		pid = -errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid > 0 && launch.error) {
		syscall(SYS_wait4, pid, NULL, 0, NULL);
		return -launch.error;
	}
	return pid;
}

/**
 * host_stub_main() - first thing main() calls
 * @argc: its arguments
 * @argv: its arguments
 *
 * Where the host forbids executing memory files, stubs are started by
 * executing our own program again under a special name. Returns 0 in any other
 * process, does not return in such a one unless it can't become a stub.
 */
int host_stub_main(int argc, char **argv)
{
	const Elf64_Ehdr *code;

	if (argc != 1 || strcmp(argv[0], STUB_NAME))
		return 0;
	/* What the host kernel writes to on its own goes away with our image. */
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	code = mmap((void *)UM_STUB_START, UM_PAGE_SIZE, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_FIXED, FD_IMAGE, 0);
	if (code != MAP_FAILED)
		((void (*)(void))code->e_entry)();
	return 1;
}
