// SPDX-License-Identifier: GPL-2.0
/*
 * Starting from a directory of the host: ubd0=<directory>, as if it were a disk.
 */
#include <host/options.h>
#include "host.h"
#include "options_host.h"

int hostfs_boot(const char *dir)
{
#ifndef UM_HOSTFS
	return host_option_error("%s is a directory, and this kernel has no hostfs", dir);
#else
	if (hostfs_set_root(dir, 0))
		return -1;
	host_option_default("root=", "root=/dev/root");
	host_option_default("rootfstype=", "rootfstype=hostfs");
	return 0;
#endif
}
