// SPDX-License-Identifier: GPL-2.0
/*
 * Tests the user-mode backend without a kernel: this program plays the kernel
 * half. It maps small pieces of guest code into stubs and checks every event,
 * what hostile code and registers can do, and what is left behind.
 *
 * Prints TAP. Exit status 1 if anything failed. The first argument may be an
 * option usermode=; --measure also prints times.
 */
#include "usermode_test.h"

int main(int argc, char **argv)
{
	int pids[64];

	if (host_stub_main(argc, argv))
		return 1;
	if (argc > 1 && !strncmp(argv[1], "usermode=", 9)) {
		choose(argv[1]);
		argv++;
		argc--;
	}
	start();
	if (argc > 1 && !strcmp(argv[1], "--hold")) {
		unsigned long gp[UM_NR_REGS];
		struct um_mm *mm[3];

		for (int i = 0; i < 3; i++)
			mm[i] = new_mm();
		LOAD(gp, g_loop);
		host_usermode->resume(mm[1], gp, 0);
		for (;;)
			pause();
	}
	printf("# backend %s, %s; extended state %u bytes, features %llx, vDSO clock %lx\n",
	       host_usermode->name, host_usermode_reason(), host_cpu.fp_size, host_cpu.xfeatures,
	       host_vdso_clock());
	test_syscall();
	test_faults();
	test_traps();
	test_vsyscall();
	test_step();
	test_interrupts();
	test_fp();
	test_debugreg();
	test_registers();
	test_patch();
	test_isolation();
	test_signals();
	test_death();
	test_many();
	test_limits();
	test_clock();
	test_orphans();
	if (argc > 1 && !strcmp(argv[1], "--measure"))
		measure();
	run_exit_nodes();
	check(!stub_pids(pids, 64, getpid()), "nothing left after the end");
	return check_end();
}
