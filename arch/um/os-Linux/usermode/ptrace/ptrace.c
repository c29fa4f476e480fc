// SPDX-License-Identifier: GPL-2.0
/*
 * The ptrace backend: guest code runs under PTRACE_SYSEMU.
 *
 * Every guest address space is a stub process, a clone of the zygote, traced
 * by the vCPU thread. SYSEMU stops it at each system call without performing
 * it; exceptions stop it as signals (decode.c). Host mappings are changed by
 * the stub's own code on our orders (stub.S), which are in a page it can't
 * write. So guest code has nothing to reach the host with.
 *
 * A kick is PTRACE_INTERRUPT. If another stop comes first, the host may still
 * stop the stub once more later; as no kick is wanted then, that is ignored.
 *
 * Stubs that are no longer needed are killed at once and reaped when they are
 * dead, so that nobody waits for the host to take them apart.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <host/memory.h>
#include <host/process.h>
#include <host/vcpu.h>
#include "../../internal.h"
#include "trace.h"

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU			31
#define PTRACE_SYSEMU_SINGLESTEP	32
#endif

/* Address spaces at once; a host has as many processes by default. */
#define MM_MAX			32768
#define DYING_MAX		64
/* Mappings up to this size are filled at once, one fault saved per page. */
#define POPULATE_MAX		0x200000UL
/* Largest extended state: with AMX it is 11 KiB. */
#define FP_MAX			16384

static struct um_mm *mm_table;		/* entry 0 is not used: the zygote's page */
static unsigned int mm_used = 1;
static struct um_mm *mm_free;
static struct um_mm *dying;
static unsigned int nr_dying;
static char *control;
static unsigned int fp_size;		/* what PTRACE_SETREGSET insists on */
static unsigned char fp_buffer[FP_MAX] __attribute__((aligned(64)));

struct stub_op *zygote_page(unsigned int slot)
{
	return (struct stub_op *)(control + slot * UM_PAGE_SIZE);
}

/* Take what died off the list; with @wait, wait for one. */
static void reap(int wait)
{
	struct um_mm **p = &dying, *mm;
	int status, ret;

	while ((mm = *p)) {
		ret = wait4(mm->pid, &status, __WALL | (wait ? 0 : WNOHANG), NULL);
		if (!ret || (ret > 0 && WIFSTOPPED(status)) || (ret < 0 && errno == EINTR)) {
			if (!ret)
				p = &mm->next;
			continue;
		}
		wait = 0;
		*p = mm->next;
		nr_dying--;
		mm->pid = 0;
		mm->next = mm_free;
		mm_free = mm;
	}
}

static struct um_mm *alloc_mm(void)
{
	struct um_mm *mm = mm_free;

	if (mm) {
		mm_free = mm->next;
	} else if (mm_used < MM_MAX) {
		mm = &mm_table[mm_used];
		mm->slot = mm_used++;
	} else {
		return NULL;
	}
	*mm = (struct um_mm){ .slot = mm->slot };
	return mm;
}

static int ptrace_mm_create(struct um_mm **result)
{
	struct um_mm *mm;
	int err;

	if (dying)
		reap(0);
	mm = alloc_mm();
	if (!mm)
		return -ENOMEM;
	err = zygote_fork(mm);
	if (err) {
		mm->next = mm_free;
		mm_free = mm;
		return err;
	}
	*result = mm;
	return 0;
}

static void ptrace_mm_destroy(struct um_mm *mm)
{
	if (!mm->pid) {
		mm->next = mm_free;
		mm_free = mm;
		return;
	}
	kill(mm->pid, SIGKILL);
	mm->mode = 0;
	mm->next = dying;
	dying = mm;
	nr_dying++;
	reap(nr_dying > DYING_MAX);
}

static void ptrace_abandon(struct um_mm *mm)
{
	trace_kill(mm);
	mm->mode = 0;
}

static struct stub_op encode_map(const struct um_map_op *map)
{
	unsigned long flags = MAP_SHARED | MAP_FIXED;

	if (map->prot && !map->lazy && map->len <= POPULATE_MAX)
		flags |= MAP_POPULATE;
	return (struct stub_op){ SYS_mmap, { map->addr, map->len, map->prot, flags,
		STUB_FD_MEMORY, map->offset } };
}

/* At most two operations. Returns their number, or -EINVAL. */
static int encode_op(struct stub_op *op, const struct um_map_op *map)
{
	const struct stub_op unmap = { SYS_munmap, { map->addr, map->len } };

	if (map->addr >= UM_STUB_START || map->len > UM_STUB_START - map->addr)
		return -EINVAL;
	switch (map->kind) {
	case UM_MAP:
	case UM_ADD:
	case UM_REPLACE:
		op[0] = encode_map(map);
		return 1;
	case UM_UNMAP:
		op[0] = unmap;
		return 1;
	case UM_PROTECT:
		if (!map->prot) {
			op[0] = unmap;
			return 1;
		}
		op[0] = (struct stub_op){ SYS_mprotect | OP_OR_NEXT, { map->addr, map->len,
			map->prot } };
		/* Not all of it is there. */
		op[1] = map->offset == UM_SCATTERED ? unmap : encode_map(map);
		return 2;
	}
	return -EINVAL;
}

static int ptrace_map(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr)
{
	struct stub_op *page = zygote_page(mm->slot);
	int ret, err = 0;

	if (mm->mode)
		return -EBUSY;
	while (nr && !err) {
		unsigned int n = 0;

		for (; nr && n < STUB_OPS_PER_PAGE - 1; nr--, ops++) {
			ret = encode_op(&page[n], ops);
			if (ret < 0)
				return ret;
			n += ret;
		}
		err = trace_batch(mm, n);
	}
	/* What is dead maps nothing; wait() will tell. */
	return err == -ESRCH ? 0 : err;
}

static int ptrace_resume(struct um_mm *mm, unsigned long *gp, unsigned int flags)
{
	int mode = flags & UM_RUN_STEP ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU;

	if (dying)
		reap(0);
	mm->kicked = 0;
	/* Most likely the stub is dying; if not, wait() would wait for ever. */
	if (mm->pid && (trace_load(mm, gp) || trace_ptrace(mode, mm->pid, 0, 0)) && mm->pid)
		kill(mm->pid, SIGKILL);
	mm->mode = mode;
	return 0;
}

static void ptrace_wait(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	int status, ret;
	long pid;

	event->code = 0;
	for (;;) {
		pid = -ECHILD;
		if (mm->pid)
			pid = host_syscall_pending(&host_boot_vcpu, SYS_wait4, mm->pid,
						   (long)&status, __WALL, 0, 0, 0);
		if (pid == -EINTR) {
			event->kind = UM_EV_INTERRUPT;
			return;
		}
		if (pid < 0 || !WIFSTOPPED(status))
			break;
		ret = event_decode(mm, status >> 8, gp, event);
		if (ret > 0) {
			mm->mode = 0;
			mm->kicked = 0;
			return;
		}
		if (!ret)
			trace_ptrace(mm->mode, mm->pid, 0, 0);
		else if (!mm->pid)
			break;
	}
	trace_gone(mm);
	event->kind = UM_EV_DEAD;
}

static void ptrace_kick(struct um_mm *mm)
{
	if (!mm->mode || !mm->pid || mm->kicked)
		return;
	mm->kicked = 1;
	trace_ptrace(PTRACE_INTERRUPT, mm->pid, 0, 0);
}

static int ptrace_fp_get(struct um_mm *mm, void *buf)
{
	struct iovec iov = { buf, host_cpu.fp_size };
	int type = cpu_has_xsave() ? NT_X86_XSTATE : NT_PRFPREG;
	long err;

	if (!mm->pid)
		return -ESRCH;
	err = trace_ptrace(PTRACE_GETREGSET, mm->pid, type, (unsigned long)&iov);
	if (!err && iov.iov_len < host_cpu.fp_size)
		memset((char *)buf + iov.iov_len, 0, host_cpu.fp_size - iov.iov_len);
	return err;
}

static int ptrace_fp_set(struct um_mm *mm, const void *buf)
{
	struct iovec iov = { fp_buffer, fp_size };
	int type = cpu_has_xsave() ? NT_X86_XSTATE : NT_PRFPREG;

	if (!mm->pid)
		return -ESRCH;
	/* The rest of the buffer stays zero. */
	memcpy(fp_buffer, buf, host_cpu.fp_size < fp_size ? host_cpu.fp_size : fp_size);
	return trace_ptrace(PTRACE_SETREGSET, mm->pid, type, (unsigned long)&iov);
}

static unsigned long debugreg_offset(int n)
{
	return offsetof(struct user, u_debugreg) + n * sizeof(long);
}

static int ptrace_debugreg_get(struct um_mm *mm, int n, unsigned long *value)
{
	if (!mm->pid)
		return -ESRCH;
	return trace_ptrace(PTRACE_PEEKUSER, mm->pid, debugreg_offset(n), (unsigned long)value);
}

static int ptrace_debugreg_set(struct um_mm *mm, int n, unsigned long value)
{
	if (!mm->pid)
		return -ESRCH;
	/* The stub's own code must not stop. */
	if (n < 4 && value >= UM_STUB_START)
		return -EINVAL;
	return trace_ptrace(PTRACE_POKEUSER, mm->pid, debugreg_offset(n), value);
}

/* Leave no process behind, not even for the blink until the host does it. */
static void ptrace_exit(void)
{
	zygote_stop();
	for (unsigned int i = 1; i < mm_used; i++)
		if (mm_table[i].pid)
			kill(mm_table[i].pid, SIGKILL);
	for (unsigned int i = 1; i < mm_used; i++)
		trace_kill(&mm_table[i]);
}

static struct host_exit_node exit_node = { .fn = ptrace_exit };

/* Everything the tracer and its stubs share. */
static int prepare_memory(void)
{
	void *table;
	int fd;

	fd = memfd_create("uml-control", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, MM_MAX * UM_PAGE_SIZE))
		return -errno;
	control = mmap(NULL, MM_MAX * UM_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	table = mmap(NULL, MM_MAX * sizeof(*mm_table), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (control == MAP_FAILED || table == MAP_FAILED)
		return -errno;
	mm_table = table;
	stub_info.control_fd = fd;
	stub_info.memory_fd = host_memory_fd();
	stub_info.stack_size = (host_cpu.minsigstksz + 3 * UM_PAGE_SIZE) & ~(UM_PAGE_SIZE - 1);
	return stub_info.stack_size > STUB_STACK_MAX ? -E2BIG : launch_init(stub_image, stub_image_end - stub_image);
}

/* Does SYSEMU work, and how large is the extended state? */
static int probe(const char **why)
{
	struct iovec iov = { fp_buffer, sizeof(fp_buffer) };
	unsigned long regs[UM_NR_REGS];
	int type = cpu_has_xsave() ? NT_X86_XSTATE : NT_PRFPREG;
	int stop, err;

	err = trace_ptrace(PTRACE_GETREGSET, zygote.pid, type, (unsigned long)&iov);
	if (err) {
		*why = "the host doesn't give access to the extended CPU state of a traced process";
		return err;
	}
	fp_size = iov.iov_len;
	memset(fp_buffer, 0, sizeof(fp_buffer));

	trace_start_regs(regs, STUB_ADDR(stub_call));
	regs[UM_RAX] = SYS_getpid;
	err = trace_ptrace(PTRACE_SETREGS, zygote.pid, 0, (unsigned long)regs);
	if (!err)
		err = trace_ptrace(PTRACE_SYSEMU, zygote.pid, 0, 0);
	if (!err)
		err = trace_wait(&zygote, &stop);
	if (!err && stop != (SIGTRAP | 0x80))
		err = -ENOSYS;
	if (err) {
		*why = "the host's ptrace can't emulate system calls (PTRACE_SYSEMU); run on a Linux 5.15 or newer kernel";
		return err;
	}
	return clock_probe(&zygote);
}

static int ptrace_init(const char **why)
{
	int err;

	/* An ignored SIGCHLD would make stubs vanish unseen. */
	signal(SIGCHLD, SIG_DFL);
	*why = "cannot set up memory for guest processes";
	err = prepare_memory();
	if (err)
		return err;
	err = zygote_start();
	if (err == -EPERM || err == -EACCES)
		*why = "the host doesn't allow tracing guest processes; set kernel.yama.ptrace_scope to 1, or give a container --cap-add=SYS_PTRACE";
	else if (err)
		*why = "cannot start a guest process";
	else
		err = probe(why);
	if (err)
		zygote_stop();
	else
		host_at_exit(&exit_node);
	return err;
}

static int ptrace_pid(struct um_mm *mm)
{
	return mm->pid;
}

const struct um_backend ptrace_backend = {
	.name = "ptrace",
	.init = ptrace_init,
	.mm_create = ptrace_mm_create,
	.mm_destroy = ptrace_mm_destroy,
	.abandon = ptrace_abandon,
	.map = ptrace_map,
	.resume = ptrace_resume,
	.wait = ptrace_wait,
	.kick = ptrace_kick,
	.fp_get = ptrace_fp_get,
	.fp_set = ptrace_fp_set,
	.pid = ptrace_pid,
	.debugreg_get = ptrace_debugreg_get,
	.debugreg_set = ptrace_debugreg_set,
};
