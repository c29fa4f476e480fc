/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of hostfs' host half share with each other. */
#ifndef __HOSTFS_INTERNAL_HOST_H
#define __HOSTFS_INTERNAL_HOST_H

#include <errno.h>
#include <sys/stat.h>
#include "hostfs_host.h"

/* Calls on kernel stacks are interrupted by the guest's timer. */
#define RETRY(call)						\
({								\
	long retry_ret;						\
								\
	do {							\
		retry_ret = (call);				\
	} while (retry_ret == -1 && errno == EINTR);		\
	retry_ret == -1 ? -errno : retry_ret;			\
})

/** hostfs_component() - 1 if @name is one component that stays where it is */
int hostfs_component(const char *name);

/*
 * hostfs_given_mode() - the permissions a file gets on the host
 *
 * The guest is not the one to say that who starts a program of the host becomes
 * its owner, whom the host user is or may be.
 */
static inline unsigned int hostfs_given_mode(int how, unsigned int mode)
{
	if (S_ISREG(mode) && (how & (HOST_HOSTFS_MAPPED | HOST_HOSTFS_SETID)) != HOST_HOSTFS_SETID)
		mode &= ~(S_ISUID | S_ISGID);
	return mode & 07777;
}

/* A path through /proc to a descriptor. */
struct hostfs_proc_path {
	char text[32];
};

/**
 * hostfs_proc_path() - name the file of a descriptor
 *
 * Returns @path->text. Its last component is one of /proc's own links: following it
 * leads to the file itself, even if that is a symbolic link.
 */
const char *hostfs_proc_path(struct hostfs_proc_path *path, int fd);

/** hostfs_mapped_attr() - correct attributes by what the xattrs say; @path is a proc path */
void hostfs_mapped_attr(const char *path, struct host_hostfs_attr *attr);

/** hostfs_mapped_new() - note the attributes of a new file, open as @fd */
int hostfs_mapped_new(int fd, const struct host_hostfs_new *new);

/** hostfs_mapped_change() - note changed attributes of the file at @path */
int hostfs_mapped_change(const char *path, const struct host_hostfs_change *change);

/**
 * hostfs_mapped_xattr() - the host's name of an xattr of the guest
 * @name: the guest's
 * @buf: 256 bytes for the host's
 *
 * Returns 0, -EPERM for names by which the mapping itself works.
 */
int hostfs_mapped_xattr(const char *name, char *buf);

/** hostfs_mapped_listed() - the guest's name of a host's; NULL if it is to be hidden */
const char *hostfs_mapped_listed(const char *name);

#endif
