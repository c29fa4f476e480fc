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
#include "trace.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL		8
#define MFD_EXEC		16
#endif

#define STUB_NAME		"[uml-stub]"
/* Our own descriptors may be 0 to 2; they are first moved out of the way. */
#define FD_SAFE			16
/* Where the host doesn't know close_range(), this many are closed. */
#define FD_MANY			4096

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

/**
 * launch_init() - prepare the image
 *
 * Returns 0 or a negative errno value.
 */
int launch_init(void)
{
	ssize_t size = stub_image_end - stub_image;

	image_fd = stub_memfd();
	if (image_fd < 0)
		return -errno;
	if (write(image_fd, stub_image, size) != size ||
	    fcntl(image_fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return 0;
}

/*
 * The child shares our memory and thread pointer: nothing but system calls
 * here. @arg receives the error.
 */
static int launch_child(void *arg)
{
	static char *const argv[] = { STUB_NAME, NULL };
	static char *const envp[] = { NULL };
	struct { void *handler; unsigned long flags, restorer, mask; } sa = { 0 };
	int memory, control, image;

	/* No handler of ours may run here; ignored signals would be inherited. */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, &sa, NULL, 8);
	memory = fcntl(stub_info.memory_fd, F_DUPFD_CLOEXEC, FD_SAFE);
	control = fcntl(stub_info.control_fd, F_DUPFD_CLOEXEC, FD_SAFE);
	image = fcntl(image_fd, F_DUPFD_CLOEXEC, FD_SAFE);
	if (memory < 0 || control < 0 || image < 0 ||
	    dup2(memory, STUB_FD_MEMORY) < 0 || dup2(control, STUB_FD_CONTROL) < 0 ||
	    dup2(image, STUB_FD_IMAGE) < 0 || chdir("/") < 0) {
		*(int *)arg = errno;
		_exit(1);
	}
	/* Ours are closed by exec, but we may have inherited others. */
	if (syscall(SYS_close_range, STUB_FD_IMAGE + 1, ~0U, 0) < 0)
		for (int fd = STUB_FD_IMAGE + 1; fd < FD_MANY; fd++)
			close(fd);
	/* Puts the vDSO where the stub wants it; may be forbidden. */
	personality(ADDR_NO_RANDOMIZE);
	syscall(SYS_execveat, STUB_FD_IMAGE, "", argv, envp, AT_EMPTY_PATH);
	execve("/proc/self/exe", argv, envp);
	*(int *)arg = errno;
	_exit(1);
}

/**
 * launch_stub() - start a stub process
 *
 * It will wait in stub_idle, or is on its way there. Returns its pid or a
 * negative errno value.
 */
int launch_stub(void)
{
	volatile int child_error = 0;
	sigset_t all, old;
	int pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone(launch_child, launch_stack + sizeof(launch_stack),
		    CLONE_VM | CLONE_VFORK | CLONE_UNTRACED | SIGCHLD, (void *)&child_error);
	if (pid < 0)
		pid = -errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid > 0 && child_error) {
		syscall(SYS_wait4, pid, NULL, 0, NULL);
		return -child_error;
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
	void *code;

	if (argc != 1 || strcmp(argv[0], STUB_NAME))
		return 0;
	/* What the host kernel writes to on its own goes away with our image. */
	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	code = mmap((void *)STUB_CODE, UM_PAGE_SIZE, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_FIXED, STUB_FD_IMAGE, 0);
	if (code != MAP_FAILED)
		((void (*)(void))STUB_ADDR(stub_idle))();
	return 1;
}
