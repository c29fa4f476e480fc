/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user-mode backend: how guest code is executed in host processes.
 *
 * A backend mm is the host side of one guest address space: a TLB. Nothing in
 * it is the only copy of anything. All calls are made by a vCPU thread in the
 * kernel half's task context unless said otherwise; none of them is called
 * for one mm by two vCPUs at once. Errors are negative errno values.
 *
 * Whatever a backend reads from memory the guest can write is hostile and may
 * change between two reads: it is copied once and checked.
 */
#ifndef __HOST_USERMODE_H
#define __HOST_USERMODE_H

#include <host/cpu.h>

/* Index of each register in the general register file, in the host's order. */
enum um_reg {
	UM_R15, UM_R14, UM_R13, UM_R12, UM_RBP, UM_RBX, UM_R11, UM_R10,
	UM_R9, UM_R8, UM_RAX, UM_RCX, UM_RDX, UM_RSI, UM_RDI, UM_ORIG_RAX,
	UM_RIP, UM_CS, UM_EFLAGS, UM_RSP, UM_SS, UM_FS_BASE, UM_GS_BASE,
	UM_DS, UM_ES, UM_FS, UM_GS, UM_NR_REGS
};

struct um_mm;		/* opaque, owned by the backend */

enum um_event_kind {
	UM_EV_SYSCALL,		/* gp[UM_ORIG_RAX] is the number; code is a UM_BY_* */
	UM_EV_FAULT,		/* page fault: addr, error_code, ip in gp */
	UM_EV_TRAP,		/* other exception: signo, code, addr, trapno */
	UM_EV_INTERRUPT,	/* vcpu->pending is set; the guest still runs */
	UM_EV_KICKED,		/* stopped because of kick(), nothing else to do; code is
				 * not 0 if it did not run as what map() left failed */
	UM_EV_DEAD,		/* the host process is gone; the mm is unusable */
};

/**
 * struct um_patch - a system call by a patched instruction
 * @ret: where it returns to, below UM_STUB_START
 * @nr: its number; negative: it is in rax
 * @moved: the instruction at @ret is not there any more, but cmp $@imm, %rax of
 *	six bytes. Who is to continue at @ret executes a copy of it.
 * @imm: see @moved
 */
struct um_patch {
	unsigned long ret;
	int nr;
	int moved;
	int imm;
};

/* How a system call came */
#define UM_BY_TRAP	0	/* an instruction trapped: a slow way */
#define UM_BY_PATCH	1	/* by a call site that was patched */

/**
 * struct um_event - why wait() returned
 * @kind: which of the above
 * @signo: signal the exception stands for (UM_EV_FAULT: SIGSEGV or SIGBUS)
 * @code: its si_code as the host reported it, or UM_BY_*
 * @addr: faulting address
 * @trapno: x86 vector number
 * @error_code: x86 page-fault error code (1 present, 2 write, 4 user, 16 fetch)
 */
struct um_event {
	enum um_event_kind kind;
	int signo;
	int code;
	unsigned long addr;
	unsigned long trapno;
	unsigned long error_code;
};

/*
 * UM_ADD is a UM_MAP that takes no access away: what was mapped there is
 * nothing, or the same page with fewer rights, or one that executes alike.
 * UM_REPLACE is a UM_MAP over a page that the caller keeps until guest code has
 * been running. UM_PROTECT changes the rights of what is mapped, which is what it
 * should be but need not be all there; without rights it is unmapped. All three may
 * be done as late as at the next resume().
 */
enum um_map_kind { UM_MAP, UM_ADD, UM_REPLACE, UM_UNMAP, UM_PROTECT };

/**
 * struct um_map_op - one change of a backend mm
 * @kind: what to do
 * @lazy: the pages are not needed at once
 * @prot: HOST_PROT_* (not for UM_UNMAP)
 * @addr: page-aligned guest address, below UM_STUB_START
 * @len: bytes, a multiple of the page size
 * @offset: offset in the memory file (not for UM_UNMAP); of a UM_PROTECT also
 *	UM_SCATTERED
 */
struct um_map_op {
	enum um_map_kind kind;
	int prot;
	unsigned long addr;
	unsigned long len;
	unsigned long offset;
	int lazy;
};

#define UM_SCATTERED	(~0UL)	/* the pages are not next to each other */

#define UM_RUN_STEP	1	/* stop after one instruction (UM_EV_TRAP, SIGTRAP, TRAP_TRACE) */

/**
 * struct um_backend - the operations
 *
 * @name: "ptrace", "seccomp"
 * @eager: guest code may go on although wait() said it has stopped (it can't
 *	do anything but use its mappings). So access must be taken away by
 *	map() before a page is given to others, and not only before the next
 *	resume().
 * @init: probe the host and prepare (first stub, filters). Before the kernel
 *	half starts, on the boot vCPU's thread. Returns 0 or a negative errno
 *	value; then @why says what is missing, and nothing is left behind.
 * @mm_create: make an empty address space
 * @mm_destroy: drop it and its host processes. Never fails. When it returns
 *	the guest's memory is out of their reach.
 * @abandon: the mm can't be kept right: take its host processes and, before this
 *	returns, guest memory away from them. wait() will return UM_EV_DEAD, and
 *	it is still to be destroyed.
 * @map: apply a batch, in order. When it returns 0 all of it is done and
 *	visible to guest code; -ENOMEM when the host's limits are exhausted
 *	(an unknown prefix is done; the caller drops the range and retries).
 *	With @nr 0: what was left for resume() is done now.
 * @resume: does what is left of map(), then lets the guest run with these registers. cs and ss are forced to
 *	user selectors, eflags masked, rip checked by the backend. The
 *	registers' orig_rax is ignored: no host system call restart happens.
 * @wait: wait for the running guest. On all kinds but UM_EV_INTERRUPT the
 *	guest has stopped and @gp is its register file.
 * @park: no guest will run soon; nobody is to spend CPU time on waiting for it.
 *	May be NULL.
 * @kick: make a running guest stop soon; wait() then returns UM_EV_KICKED, or
 *	whatever else stopped it first (then no UM_EV_KICKED follows).
 * @fp_get: read the stopped runner's extended state (standard-format XSAVE
 *	image as PTRACE_GETREGSET NT_X86_XSTATE gives it), fp_size bytes
 * @fp_set: load it; -EINVAL if the host rejects the image
 * @patch: make slot @slot of the mm's table ready: guest code that jumps through
 *	entry @slot of the array of addresses at UM_PATCH_TABLE makes the system
 *	call @patch. rip, as visible in gp, is never in the backend's own code
 *	for this: it is before the system call (two bytes before @patch->ret;
 *	the number is loaded), or after it. Done when the guest is resumed.
 *	NULL if patching brings nothing.
 * @pid: the host process that has the mappings, or 0; for looking at it
 * @debugreg_get: read debug register @n (0-3, 6, 7) of the stopped runner
 * @debugreg_set: write it; -EIO/-EINVAL when impossible
 */
struct um_backend {
	const char *name;
	int eager;
	int (*init)(const char **why);
	int (*mm_create)(struct um_mm **mm);
	void (*mm_destroy)(struct um_mm *mm);
	void (*abandon)(struct um_mm *mm);
	int (*map)(struct um_mm *mm, const struct um_map_op *ops, unsigned int nr);
	int (*resume)(struct um_mm *mm, unsigned long *gp, unsigned int flags);
	void (*wait)(struct um_mm *mm, unsigned long *gp, struct um_event *event);
	void (*park)(void);
	void (*kick)(struct um_mm *mm);
	int (*fp_get)(struct um_mm *mm, void *buf);
	int (*fp_set)(struct um_mm *mm, const void *buf);
	void (*patch)(struct um_mm *mm, unsigned int slot, const struct um_patch *patch);
	int (*pid)(struct um_mm *mm);
	int (*debugreg_get)(struct um_mm *mm, int n, unsigned long *value);
	int (*debugreg_set)(struct um_mm *mm, int n, unsigned long value);
};

extern const struct um_backend *host_usermode;	/* the one in use */

/** host_patching - whether call sites may be patched: patch= */
extern int host_patching;

/** host_usermode_init() - choose a backend by usermode= and the host's abilities */
int host_usermode_init(void);

/** host_usermode_reason() - a short text for the boot log: why this backend */
const char *host_usermode_reason(void);

/**
 * host_vdso_clock() - where the guest finds the host's clock
 *
 * Address, valid in every backend mm, of the host vDSO's clock_gettime(), or
 * 0 when the host's would trap into the host kernel or could not be placed.
 */
unsigned long host_vdso_clock(void);

#endif
