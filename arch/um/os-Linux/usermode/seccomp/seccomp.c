// SPDX-License-Identifier: GPL-2.0
/*
 * The seccomp backend: guest code runs freely, and its system calls trap.
 *
 * An address space is two host processes that share their memory: the runner
 * executes guest code and may do nothing but wait for its turn and hand it
 * over; the agent maps and unmaps by our orders. So guest code is in one
 * process with what controls it, but whatever it does to the memory they
 * share, it can neither make a system call nor pretend that the agent has done
 * something. The turn word in STATE passes control between us and the runner;
 * see stub.S for the other side.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <host/memory.h>
#include <host/process.h>
#include "../../internal.h"
#include "../common.h"
#include "seccomp.h"

/* Enough for a dozen signals that interrupt each other. */
#define FRAMES		12
#define STACK_MIN	65536UL
#define PAGE_UP(x)	(((x) + UM_PAGE_SIZE - 1) & ~(UM_PAGE_SIZE - 1))

struct sc_info sc_info = { .control_fd = -1, .memory_fd = -1 };

/* Leave no process behind, not even for the blink until the host does it. */
static void sc_exit(void)
{
	nursery_stop();
	table_kill();
}

static struct host_exit_node exit_node = { .fn = sc_exit };

static int prepare_memory(void)
{
	unsigned long size;
	void *control;
	int fd;

	sc_info.state_size = PAGE_UP(STATE_AREA + host_cpu.fp_size);
	sc_info.stack_size = PAGE_UP(FRAMES * host_cpu.minsigstksz);
	if (sc_info.stack_size < STACK_MIN)
		sc_info.stack_size = STACK_MIN;
	if (sc_info.state_size > SC_STATE_MAX || sc_info.stack_size > SC_STACK_MAX)
		return -E2BIG;
	sc_info.slot_size = 2 * UM_PAGE_SIZE + sc_info.state_size + sc_info.stack_size +
			    SC_TABLE_SIZE + SC_PATCH_SIZE;
	sc_info.pid = getpid();
	sc_info.memory_fd = host_memory_fd();

	size = MM_MAX * sc_info.slot_size;
	fd = memfd_create("uml-control", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	control = MAP_FAILED;
	if (!ftruncate(fd, size))
		control = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			       fd, 0);
	if (control == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	madvise(control, size, MADV_DONTDUMP);
	sc_info.control = control;
	sc_info.control_fd = fd;
	return 0;
}

static void drop_memory(void)
{
	munmap(sc_info.control, MM_MAX * sc_info.slot_size);
	close(sc_info.control_fd);
}

/* A first address space: does everything work? */
static int probe(void)
{
	struct um_mm *mm;
	int err = sc_mm_create(&mm);

	if (err)
		return err;
	sc_clock_probe(mm);
	sc_mm_destroy(mm);
	return 0;
}

static int sc_init(const char **why)
{
	int err;

	*why = "the host lacks FSGSBASE (kernel 5.9 and a CPU of the last ten years)";
	if (!(host_cpu.hwcap2 & HWCAP2_FSGSBASE))
		return -EOPNOTSUPP;
	*why = "the CPU lacks XSAVE";
	err = xstate_init();
	if (err)
		return err;
	/* An ignored SIGCHLD would make stubs vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	spin_init();
	*why = "cannot set up memory for guest processes";
	err = prepare_memory();
	if (err)
		return err;
	err = table_init();
	if (!err)
		err = nursery_init();
	if (!err)
		err = nursery_start();
	if (!err)
		err = probe();
	if (!err) {
		host_at_exit(&exit_node);
		return 0;
	}
	if (err == -EINVAL || err == -ENOSYS)
		*why = "the host kernel has no seccomp filters";
	else if (err == -EPERM || err == -EACCES)
		*why = "the host doesn't allow seccomp filters here";
	else
		*why = "cannot start a guest process";
	sc_exit();
	drop_memory();
	return err;
}

static int sc_pid(struct um_mm *mm)
{
	return mm->agent;
}

const struct um_backend seccomp_backend = {
	.name = "seccomp",
	.eager = 1,
	.init = sc_init,
	.mm_create = sc_mm_create,
	.mm_destroy = sc_mm_destroy,
	.abandon = sc_abandon,
	.map = sc_map,
	.resume = sc_resume,
	.wait = sc_wait,
	.kick = sc_kick,
	.park = sc_park,
	.fp_get = sc_fp_get,
	.fp_set = sc_fp_set,
	.patch = sc_patch,
	.pid = sc_pid,
	.debugreg_get = sc_debugreg_get,
	.debugreg_set = sc_debugreg_set,
};
