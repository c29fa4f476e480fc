// SPDX-License-Identifier: GPL-2.0
/* What guests and other processes can try. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "usermode_test.h"

GUEST(g_stack, "mov %rdi, %rsp; mov (%rsi), %rax; ud2");

void test_isolation(void)
{
	struct um_mm *mm = new_mm();
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;
	struct um_map_op op = { UM_MAP, HOST_PROT_READ, UM_STUB_START, 4096, 0 };
	char path[64], line[300];
	int foreign = 0, wx = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", stub_of(mm));
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		char rights[8];

		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3)
			break;
		/* The patch table is ours and may be read. */
		if (start < UM_STUB_START && !strstr(line, "memfd:test") &&
		    !(start == UM_PATCH_TABLE && end == UM_PATCH_TABLE_END && rights[1] == '-'))
			foreign++;
		if (rights[1] == 'w' && rights[2] == 'x')
			wx++;
	}
	check(maps && !foreign && !wx, "nothing but guest memory below the stub");
	if (maps)
		fclose(maps);

	{
		int fds = 0;

		for (int fd = 0; fd < 64; fd++) {
			snprintf(path, sizeof(path), "/proc/%d/fd/%d", stub_of(mm), fd);
			fds += readlink(path, line, sizeof(line)) > 0;
		}
		check(fds == (host_usermode->eager ? 0 : 2),
		      "the stub has only its memory files open (%d)", fds);
	}

	LOAD(gp, g_write);
	gp[UM_RDI] = UM_STUB_START;
	run(mm, gp, &ev);
	check(is_fault(&ev, UM_STUB_START, 7), "stub code is read-only");
	gp[UM_RIP] = CODE;
	gp[UM_RDI] = UM_STUB_START + 0x10000;
	run(mm, gp, &ev);
	check(is_fault(&ev, UM_STUB_START + 0x10000, 7), "command page is read-only");

	/* A fault with the stack pointer in the stub's own stack. */
	LOAD(gp, g_stack);
	for (unsigned long sp = 0; sp <= 0x4000; sp += 0x100) {
		gp[UM_RIP] = CODE;
		gp[UM_RDI] = UM_STUB_START + (host_usermode->eager ? 0x48000 : 0x20000) + sp;
		gp[UM_RSI] = HOLE;
		run(mm, gp, &ev);
		if (!is_fault(&ev, HOLE, 4) || gp[UM_RSP] != gp[UM_RDI])
			break;
	}
	check(ev.kind == UM_EV_FAULT, "fault with the stack pointer on the signal stack");

	/* Each syscall instruction of the stub, by jumping to it. */
	LOAD(gp, g_jump);
	{
		int bad = 0, calls = 0, dead = 0;

		for (unsigned long off = 0; off < 0x800; off++) {
			gp[UM_RIP] = UM_STUB_START + off;
			gp[UM_RSP] = STACK_TOP;
			gp[UM_RAX] = SYS_mmap;
			gp[UM_RDI] = 0x900000;
			gp[UM_RSI] = 4096;
			gp[UM_RDX] = 7;
			gp[UM_R10] = MAP_SHARED | MAP_FIXED;
			gp[UM_RBX] = UM_STUB_START + 0x10000;
			gp[UM_R12] = gp[UM_RBX] + 4096;
			run_briefly(mm, gp, &ev, 0);
			calls += ev.kind == UM_EV_SYSCALL;
			if (ev.kind != UM_EV_DEAD)
				continue;
			/* Where the stub is in the same process, it may die. */
			bad += !host_usermode->eager;
			dead++;
			host_usermode->mm_destroy(mm);
			mm = new_mm();
		}
		LOAD(gp, g_write);
		gp[UM_RDI] = 0x900000;
		run(mm, gp, &ev);
		check(!bad && (calls >= 3 || dead) && is_fault(&ev, 0x900000, 6),
		      "jumps into the stub (%d reached a system call)", calls);
	}
	check(host_usermode->map(mm, &op, 1) == -EINVAL, "no mapping over the stub");
	op.addr = UM_STUB_START - 4096;
	op.len = 8192;
	check(host_usermode->map(mm, &op, 1) == -EINVAL, "no mapping into the stub");
	op.len = 4096;
	check(!host_usermode->map(mm, &op, 1), "mapping below the stub");
	host_usermode->mm_destroy(mm);
}

/* Signals from other processes must not show. */
void test_signals(void)
{
	static const int sent[] = { SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGSYS, SIGTERM,
		SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGSTOP, SIGCONT, SIGTTIN, SIGWINCH, SIGALRM,
		SIGCHLD, SIGUSR1, 34, 64 };
	struct um_mm *mm = new_mm();
	int stub = stub_of(mm), killer, other = 0, calls = 0, status;
	unsigned long gp[UM_NR_REGS];
	struct um_event ev;

	killer = fork();
	if (!killer) {
		for (int i = 0; i < 3000; i++) {
			kill(stub, sent[i % (sizeof(sent) / sizeof(sent[0]))]);
			usleep(50);
		}
		_exit(0);
	}
	LOAD(gp, g_call);
	while (!waitpid(killer, &status, WNOHANG)) {
		struct um_map_op op = { calls & 1 ? UM_MAP : UM_UNMAP, HOST_PROT_READ, HOLE, 4096, RO_OFF };

		run(mm, gp, &ev);
		if (ev.kind != UM_EV_SYSCALL || gp[UM_ORIG_RAX] != 39) {
			printf("# kind %d signo %d\n", ev.kind, ev.signo);
			if (++other > 5)
				break;
		}
		calls++;
		gp[UM_RAX] = 0;
		if (calls % 16 == 0 && host_usermode->map(mm, &op, 1))
			other++;
	}
	check(!other && calls > 1000, "3000 signals from outside during %d calls", calls);
	LOAD(gp, g_read);
	gp[UM_RDI] = HOLE + 0x100000;
	run(mm, gp, &ev);
	check(is_fault(&ev, HOLE + 0x100000, 4), "faults still work");
	host_usermode->mm_destroy(mm);
}
