// SPDX-License-Identifier: GPL-2.0
/*
 * What our cgroups allow, as arch/um/os-Linux/cgroup.c finds it:
 *
 *	cgroup_show CONTROLLER FILE-OF-V2 FILE-OF-V1
 */
#include <stdio.h>

#include "cgroup.h"

static char **names;

static unsigned long allows(const char *folder, int v2)
{
	unsigned long number = cgroup_number(folder, names[v2 ? 0 : 1], NULL);

	printf("%s %s %lu\n", v2 ? "v2" : "v1", folder, number);
	return number;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	names = argv + 2;
	printf("least %lu\n", cgroup_least(argv[1], allows));
	return 0;
}
