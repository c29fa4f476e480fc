// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes (hostfs_host.h).
 *
 * Their calls take neither path descriptors nor AT_EMPTY_PATH, so they go through
 * /proc/self/fd. In a plain tree the guest's names are the host's, and the host
 * decides what we may. In a mapped tree they are renamed (mapped_host.c).
 */
#include <string.h>
#include <sys/xattr.h>

#include "host.h"

#define NAME_SIZE	256

static const char *host_name(int how, const char *name, char *buf, int *err)
{
	*err = 0;
	if (!(how & HOST_HOSTFS_MAPPED))
		return name;
	*err = hostfs_mapped_xattr(name, buf);
	return buf;
}

int host_hostfs_get_xattr(int fd, int how, const char *name, void *buf, unsigned long len)
{
	struct hostfs_proc_path path;
	char mapped[NAME_SIZE];
	int err;

	name = host_name(how, name, mapped, &err);
	if (err)
		return -ENODATA;
	return RETRY(getxattr(hostfs_proc_path(&path, fd), name, buf, len));
}

int host_hostfs_set_xattr(int fd, int how, const char *name, const void *value,
			  unsigned long len, int flags)
{
	struct hostfs_proc_path path;
	char mapped[NAME_SIZE];
	int err;

	name = host_name(how, name, mapped, &err);
	if (err)
		return err;
	hostfs_proc_path(&path, fd);
	if (!value)
		return RETRY(removexattr(path.text, name));
	if (!(how & (HOST_HOSTFS_MAPPED | HOST_HOSTFS_SETID)) && !strcmp(name, "security.capability"))
		return -EPERM;
	return RETRY(setxattr(path.text, name, value, len, flags));
}

/* Translate a list in place; returns its new length. Names only get shorter. */
static long guest_names(char *list, long len)
{
	char *from = list, *to = list;

	while (from < list + len) {
		size_t size = strlen(from) + 1;
		const char *name = hostfs_mapped_listed(from);

		if (name) {
			size_t n = strlen(name) + 1;

			memmove(to, name, n);
			to += n;
		}
		from += size;
	}
	return to - list;
}

int host_hostfs_list_xattr(int fd, int how, char *buf, unsigned long len)
{
	struct hostfs_proc_path path;
	long n;

	n = RETRY(listxattr(hostfs_proc_path(&path, fd), buf, len));
	if (n <= 0 || !len || !(how & HOST_HOSTFS_MAPPED))
		return n;
	return guest_names(buf, n);
}
