// SPDX-License-Identifier: GPL-2.0
/*
 * An init that says it is there, with its arguments and the environment's
 * NEWS, and powers off: what boot time is measured with.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *news = getenv("NEWS");
	int fd = open("/dev/console", O_RDWR);
	int i;

	if (fd < 0)
		fd = 1;
	dprintf(fd, "UM-TEST-READY");
	for (i = 0; i < argc; i++)
		dprintf(fd, " %s", argv[i]);
	dprintf(fd, "%s%s\n", news ? " NEWS=" : "", news ? news : "");
	sync();
	/* On a host this must do no harm: only the first process may. */
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 1;
}
