// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs of files in the folder that is the argument, as attributes: who may what by
 * them, what becomes of them by chmod, and what new files inherit. The host's own
 * file system is the oracle. With "keep" only a file "kept" with an ACL is made.
 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "tap.h"
#include "util.h"

#define ACCESS	"system.posix_acl_access"
#define DEFAULT	"system.posix_acl_default"
#define FRIEND	12345
#define OTHER	12346

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry e[8];
	int n;
};

static void add(struct acl *acl, int tag, int perm, unsigned int id)
{
	acl->header.a_version = POSIX_ACL_XATTR_VERSION;
	acl->e[acl->n++] = (struct posix_acl_xattr_entry){ tag, perm, id };
}

static size_t size_of(const struct acl *acl)
{
	return sizeof(acl->header) + acl->n * sizeof(acl->e[0]);
}

/* u::rw- u:FRIEND:@friend g::@group m::@mask o::--- */
static struct acl with_friend(int friend, int group, int mask)
{
	struct acl acl = { .n = 0 };

	add(&acl, ACL_USER_OBJ, 6, -1);
	add(&acl, ACL_USER, friend, FRIEND);
	add(&acl, ACL_GROUP_OBJ, group, -1);
	add(&acl, ACL_MASK, mask, -1);
	add(&acl, ACL_OTHER, 0, -1);
	return acl;
}

static int set(const char *path, const char *name, const struct acl *acl)
{
	return setxattr(path, name, acl, size_of(acl), 0) ? errno : 0;
}

/* The permission that an entry gives, or -1. */
static int perm(const char *path, const char *name, int tag)
{
	struct acl acl;
	ssize_t size = getxattr(path, name, &acl, sizeof(acl.header) + sizeof(acl.e));

	for (size_t i = 0; size > 0 && i < (size - sizeof(acl.header)) / sizeof(acl.e[0]); i++)
		if (acl.e[i].e_tag == tag)
			return acl.e[i].e_perm;
	return -1;
}

static int mode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

/* The error that somebody gets from open(), 0 if it succeeds. */
static int open_as(unsigned int uid, const char *path, int flags)
{
	int status;

	if (!fork()) {
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(255);
		_exit(open(path, flags) < 0 ? errno : 0);
	}
	wait(&status);
	return WEXITSTATUS(status);
}

static void rights(void)
{
	struct acl acl = with_friend(6, 4, 6);

	close(open("f", O_CREAT | O_WRONLY, 0600));
	is(open_as(FRIEND, "f", O_RDONLY), EACCES, "without an ACL nobody else may read");
	is(set("f", ACCESS, &acl), 0, "set an access ACL");
	is(mode("f"), 0660, "its mask is in the mode");
	is(perm("f", ACCESS, ACL_USER), 6, "it is what was set");
	is(open_as(FRIEND, "f", O_RDWR), 0, "who is named may");
	is(open_as(OTHER, "f", O_RDONLY), EACCES, "others may not");
	is(chmod("f", 0640), 0, "chmod");
	is(perm("f", ACCESS, ACL_MASK), 4, "sets the mask");
	is(open_as(FRIEND, "f", O_RDWR), EACCES, "which takes rights away");
	is(open_as(FRIEND, "f", O_RDONLY), 0, "and leaves others");
	acl = with_friend(0, 4, 6);
	is(set("f", ACCESS, &acl), 0, "name somebody who may not");
	is(chmod("f", 0644), 0, "let all read");
	is(open_as(FRIEND, "f", O_RDONLY), EACCES, "but him");
	is(open_as(OTHER, "f", O_RDONLY), 0, "others may");
	is(removexattr("f", ACCESS), 0, "remove it");
	is(perm("f", ACCESS, ACL_USER), -1, "it is gone");
	is(open_as(FRIEND, "f", O_RDONLY), 0, "and he is like others");
	unlink("f");
}

static void simple(void)
{
	struct acl acl = { .n = 0 };
	char list[256];
	ssize_t n;

	add(&acl, ACL_USER_OBJ, 7, -1);
	add(&acl, ACL_GROUP_OBJ, 5, -1);
	add(&acl, ACL_OTHER, 1, -1);
	close(open("f", O_CREAT | O_WRONLY, 0600));
	is(set("f", ACCESS, &acl), 0, "an ACL that says what a mode can");
	is(mode("f"), 0751, "becomes the mode");
	is(getxattr("f", ACCESS, NULL, 0) < 0 ? errno : 0, ENODATA, "and there is none");
	acl = with_friend(6, 4, 6);
	set("f", ACCESS, &acl);
	n = listxattr("f", list, sizeof(list));
	ok(n > 0 && memmem(list, n, ACCESS, sizeof(ACCESS)), "it is listed");
	acl.e[1].e_tag = 0x40;
	is(set("f", ACCESS, &acl), EINVAL, "nonsense is refused");
	acl = with_friend(6, 4, 6);
	acl.n = 3;
	is(set("f", ACCESS, &acl), EINVAL, "what is incomplete, too");
	acl = with_friend(6, 4, 6);
	is(set("f", DEFAULT, &acl), EACCES, "a default ACL is for folders");
	unlink("f");
}

static void inheritance(void)
{
	struct acl acl = with_friend(6, 4, 6);
	int fd;

	mkdir("d", 0755);
	is(set("d", DEFAULT, &acl), 0, "set a default ACL");
	is(mode("d"), 0755, "which is not about the folder");
	umask(022);
	close(open("d/f", O_CREAT | O_WRONLY, 0666));
	is(mode("d/f"), 0660, "a new file has it, whatever the umask says");
	is(perm("d/f", ACCESS, ACL_USER), 6, "whole");
	is(open_as(FRIEND, "d/f", O_RDWR), 0, "so that who is named may");
	close(open("d/g", O_CREAT | O_WRONLY, 0640));
	is(mode("d/g"), 0640, "but not more than open() says");
	is(open_as(FRIEND, "d/g", O_RDWR), EACCES, "to him either");
	is(mknod("d/p", S_IFIFO | 0666, 0), 0, "a FIFO");
	is(perm("d/p", ACCESS, ACL_USER), 6, "has it, too");
	is(mkdir("d/d", 0777), 0, "a new folder");
	is(mode("d/d"), 0660, "has it");
	is(perm("d/d", DEFAULT, ACL_USER), 6, "and hands it on");
	is(symlink("f", "d/l"), 0, "a symbolic link doesn't mind");
	fd = open("d", O_TMPFILE | O_RDWR, 0666);
	if (fd < 0) {
		skip("unnamed file", "there are none");
	} else {
		struct stat st;

		fstat(fd, &st);
		is(st.st_mode & 07777, 0660, "an unnamed file has it");
		close(fd);
	}
	is(removexattr("d", DEFAULT), 0, "remove it");
	close(open("d/h", O_CREAT | O_WRONLY, 0666));
	is(mode("d/h"), 0644, "the umask counts again");
	is(perm("d/h", ACCESS, ACL_USER), -1, "and nothing is inherited");
	unlink("d/f");
	unlink("d/g");
	unlink("d/h");
	unlink("d/p");
	unlink("d/l");
	rmdir("d/d");
	rmdir("d");
}

int main(int argc, char **argv)
{
	char name[] = "acl-XXXXXX";
	struct acl acl = with_friend(6, 4, 6);

	if (argc > 2 && !strcmp(argv[2], "keep")) {
		if (chdir(argv[1]) || close(open("kept", O_CREAT | O_WRONLY, 0600)))
			return 1;
		return set("kept", ACCESS, &acl);
	}
	if (chdir(argc > 1 ? argv[1] : "/tmp") || !mkdtemp(name) || chmod(name, 0755) ||
	    chdir(name))
		die("folder");
	if (set(".", DEFAULT, &acl) == EOPNOTSUPP) {
		is(getxattr(".", ACCESS, NULL, 0) < 0 ? errno : 0, EOPNOTSUPP,
		   "no ACLs: get says so, too");
	} else {
		removexattr(".", DEFAULT);
		rights();
		simple();
		inheritance();
	}
	if (chdir("..") || rmdir(name))
		diag("something is left: %m");
	return tap_done();
}
