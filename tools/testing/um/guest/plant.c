// SPDX-License-Identifier: GPL-2.0
/*
 * Root of a guest wants the host to have programs of his with rights of the host user:
 *
 *	plant DIR
 *
 * tries all ways to get set-id bits, capabilities and devices there, and to change
 * what is in the programs DIR/mine-0 ... that have set-id bits already. Whether one
 * succeeded is for the host to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char evil[] = "evil";

static void make(void)
{
	struct stat st;
	int fd;

	umask(0);
	fd = open("open", O_CREAT | O_RDWR, 06777);
	write(fd, evil, sizeof(evil));
	close(fd);
	close(open("fchmod", O_CREAT | O_RDWR, 0777));
	fd = open("fchmod", O_RDONLY);
	fchmod(fd, 06777);
	close(fd);
	close(open("chmod", O_CREAT | O_RDWR, 0777));
	chmod("chmod", 04777);
	chmod("chmod", 02777);
	chown("chmod", 0, 0);
	chmod("chmod", 06777);
	mknod("mknod", S_IFREG | 06777, 0);
	fd = open(".", O_TMPFILE | O_RDWR, 06777);
	linkat(AT_FDCWD, "", fd, "", 0);
	if (fd >= 0) {
		char name[40];

		fchmod(fd, 06777);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, name, AT_FDCWD, "tmpfile", AT_SYMLINK_FOLLOW);
		close(fd);
	}
	/* A set-gid directory may hand on its group, but not the bit. */
	mkdir("dir", 02777);
	close(open("dir/file", O_CREAT | O_RDWR, 06777));
	mknod("null", S_IFCHR | 0666, makedev(1, 3));
	mknod("disk", S_IFBLK | 0666, makedev(254, 0));
	if (!stat("null", &st))
		puts("a device");
}

static void give_capability(void)
{
	struct vfs_ns_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { .permitted = -1 }, { .permitted = -1 } },
	};

	close(open("caps", O_CREAT | O_RDWR, 0777));
	setxattr("caps", "security.capability", &caps, XATTR_CAPS_SZ_2, 0);
	caps.magic_etc = VFS_CAP_REVISION_3 | VFS_CAP_FLAGS_EFFECTIVE;
	setxattr("caps", "security.capability", &caps, XATTR_CAPS_SZ_3, 0);
}

static void change(void)
{
	char *p;
	int fd, from;

	fd = open("mine-0", O_WRONLY);
	write(fd, evil, sizeof(evil));
	close(fd);

	fd = open("mine-1", O_RDWR);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		memcpy(p, evil, sizeof(evil));
		msync(p, 4096, MS_SYNC);
	}
	close(fd);

	fd = open("mine-2", O_WRONLY | O_TRUNC);
	pwrite(fd, evil, sizeof(evil), 0);
	close(fd);

	from = open("open", O_RDONLY);
	fd = open("mine-3", O_WRONLY);
	copy_file_range(from, NULL, fd, NULL, sizeof(evil), 0);
	close(fd);
	close(from);

	fd = open("mine-4", O_WRONLY | O_DIRECT);
	if (fd < 0)
		fd = open("mine-4", O_WRONLY | O_APPEND);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(p, evil, sizeof(evil));
	write(fd, p, 4096);
	fchmod(fd, 06755);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		return 2;
	make();
	give_capability();
	change();
	return 0;
}
