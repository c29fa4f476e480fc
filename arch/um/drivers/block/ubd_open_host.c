// SPDX-License-Identifier: GPL-2.0
/*
 * Opening disks (ubd_host.h, ubd_format_host.h): the file, its lock, what it
 * asks of requests, and whose format it is.
 *
 * Files are locked with OFD locks. They conflict with the record locks other
 * kernels take, but belong to our open file: neither closing another
 * descriptor of the same file nor a fork can drop them, they die with us, and
 * a file that is opened twice by the same kernel is noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ubd_format_host.h"

#define SECTOR		512
#define ALIGN_MAX	4096

static const struct ubd_format *const ubd_formats[] = {
	&ubd_raw_format,
};

static struct host_ubd disks[HOST_UBD_MAX];

static const char *describe_error(int err)
{
	switch (err) {
	case ENOENT:
		return "no such file";
	case ENOMEDIUM:
		return "no medium in the drive";
	case ENXIO:
	case ENODEV:
		return "no such device";
	case EACCES:
	case EPERM:
		return "no permission";
	case EBUSY:
		return "the host uses it";
	case EINVAL:
		return "its file system can't do O_DIRECT";
	default:
		return "error of the host";
	}
}

static int open_once(const char *name, int flags)
{
	int how = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int fd;

	if (flags & HOST_UBD_SYNC)
		how |= O_SYNC;
	if (flags & HOST_UBD_DIRECT)
		how |= O_DIRECT;
	if (flags & HOST_UBD_READ_ONLY) {
		how |= O_RDONLY;
	} else {
		how |= O_RDWR;
		/* O_EXCL refuses a host disk that the host itself has mounted. */
		if (!(flags & HOST_UBD_SHARED) && !stat(name, &st) && S_ISBLK(st.st_mode))
			how |= O_EXCL;
	}
	fd = open(name, how);
	if (fd < 0)
		return -errno;
	/* Without O_NONBLOCK a pipe would keep us waiting. Disks don't know it. */
	fcntl(fd, F_SETFL, how & (O_DIRECT | O_SYNC));
	return fd;
}

/* Not every driver of the host refuses to open what can't be written. */
static int refuse_read_only_device(int fd)
{
	int read_only;

	if (fd < 0 || ioctl(fd, BLKROGET, &read_only) || !read_only)
		return fd;
	close(fd);
	return -EROFS;
}

int ubd_file_open(const char *name, int *flags, const char **why)
{
	int fd = open_once(name, *flags);

	if (!(*flags & HOST_UBD_READ_ONLY))
		fd = refuse_read_only_device(fd);
	if (!(*flags & HOST_UBD_READ_ONLY) && (fd == -EROFS || fd == -EACCES || fd == -EPERM)) {
		*flags |= HOST_UBD_READ_ONLY;
		fd = open_once(name, *flags);
	}
	if (fd == -EISDIR)
		*why = "it is a directory";
	else if (fd < 0)
		*why = describe_error(-fd);
	return fd;
}

int ubd_file_lock(int fd, int flags, unsigned long long *holder)
{
	struct flock lock = {
		.l_type = (flags & HOST_UBD_READ_ONLY) ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	*holder = 0;
	if (flags & HOST_UBD_SHARED || !fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;
	if (!fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid > 0)
		*holder = lock.l_pid;
	return -EAGAIN;
}

int ubd_file_size(int fd, unsigned long long *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, size) < 0 ? -errno : 0;
	*size = st.st_size;
	return 0;
}

static void device_limits(int fd, struct host_ubd_limits *limits)
{
	unsigned short rotational = 0;
	unsigned int value;
	int logical;

	if (!ioctl(fd, BLKSSZGET, &logical))
		limits->logical = logical;
	limits->physical = limits->logical;
	if (!ioctl(fd, BLKPBSZGET, &value) && value > limits->physical)
		limits->physical = value;
	limits->io_min = limits->physical;
	if (!ioctl(fd, BLKIOMIN, &value) && value > limits->io_min)
		limits->io_min = value;
	if (!ioctl(fd, BLKIOOPT, &value))
		limits->io_opt = value;
	if (!ioctl(fd, BLKROTATIONAL, &rotational))
		limits->rotational = rotational;
}

/*
 * The least alignment that O_DIRECT takes: tried, since only newer hosts tell
 * it, and some file systems tell less than the truth.
 */
static int direct_limits(int fd, struct host_ubd_limits *limits)
{
	unsigned int align;
	char *buf;

	if (posix_memalign((void **)&buf, 2 * ALIGN_MAX, 2 * ALIGN_MAX))
		return -ENOMEM;
	/* The end of a short file takes any offset, so stay at its beginning. */
	for (align = limits->logical; align <= ALIGN_MAX; align *= 2)
		if (pread(fd, buf + align, align, 0) >= 0)
			break;
	free(buf);
	if (align > ALIGN_MAX)
		return -EINVAL;
	limits->logical = align;
	limits->memory = align;
	if (limits->physical < align)
		limits->physical = align;
	if (limits->io_min < align)
		limits->io_min = align;
	return 0;
}

static int find_limits(struct host_ubd *disk, const struct stat *st,
		       struct host_ubd_limits *limits)
{
	unsigned int block = st->st_blksize;

	/* What a host's file system allocates is what a discard can free. */
	if (disk->is_device || block < SECTOR || block > 65536 || block & (block - 1))
		block = ALIGN_MAX;
	*limits = (struct host_ubd_limits){
		.logical = SECTOR, .physical = SECTOR, .io_min = SECTOR,
		.memory = SECTOR, .discard = block,
	};
	if (disk->is_device)
		device_limits(disk->fd, limits);
	return disk->flags & HOST_UBD_DIRECT ? direct_limits(disk->fd, limits) : 0;
}

static int check_kind(struct host_ubd *disk, struct stat *st, const char **why)
{
	*why = "error of the host";
	if (fstat(disk->fd, st) < 0)
		return -errno;
	disk->is_device = S_ISBLK(st->st_mode);
	if (S_ISDIR(st->st_mode)) {
		*why = "it is a directory";
		return -EISDIR;
	}
	if (!disk->is_device && !S_ISREG(st->st_mode)) {
		*why = "it is neither a file nor a block device";
		return -ENOTBLK;
	}
	return 0;
}

/*
 * A COW file must not be used as if it were an image: the first write would
 * destroy it.
 */
static int is_cow(const struct host_ubd *disk)
{
	char magic[4];

	return !(disk->flags & HOST_UBD_DATA) && pread(disk->fd, magic, 4, 0) == 4 &&
	       !memcmp(magic, "OOOM", 4);
}

static int choose_format(struct host_ubd *disk, const struct host_ubd_info *info,
			 const char **why)
{
	size_t i;
	int ret;

	if (is_cow(disk) || *info->backing) {
		*why = "it is a COW file, which this kernel can't use yet";
		return -EMEDIUMTYPE;
	}
	for (i = 0; i < sizeof(ubd_formats) / sizeof(*ubd_formats); i++) {
		ret = ubd_formats[i]->probe(disk, info, why);
		if (ret < 0)
			return ret;
		if (ret) {
			disk->format = ubd_formats[i];
			return 0;
		}
	}
	*why = "its format is not known";
	return -EMEDIUMTYPE;
}

/* Whether another disk of ours has the same file. */
static int is_ours(const struct host_ubd *disk, const struct stat *st)
{
	struct stat other;
	int i;

	for (i = 0; i < HOST_UBD_MAX; i++)
		if (i != disk->nr && disks[i].format && !fstat(disks[i].fd, &other) &&
		    other.st_dev == st->st_dev && other.st_ino == st->st_ino)
			return 1;
	return 0;
}

static int set_up(struct host_ubd *disk, struct host_ubd_info *info, const char **why)
{
	struct stat st;
	int err = check_kind(disk, &st, why);

	if (!err)
		err = choose_format(disk, info, why);
	if (err)
		return err;
	*why = "it is locked";
	err = ubd_file_lock(disk->fd, disk->flags, &info->size);
	if (err == -EAGAIN && is_ours(disk, &st)) {
		*why = "this machine uses it already, as another disk";
		return -EBUSY;
	}
	if (err)
		return err;
	*why = "its size is not known";
	err = ubd_file_size(disk->fd, &disk->size);
	if (err)
		return err;
	*why = "its alignment is not known";
	err = find_limits(disk, &st, &info->limits);
	if (!err && disk->format->open)
		err = disk->format->open(disk, info, why);
	return err;
}

static int create_file(const struct host_ubd_info *info, const char **why)
{
	size_t i;
	int ret;

	for (i = 0; i < sizeof(ubd_formats) / sizeof(*ubd_formats); i++) {
		if (!ubd_formats[i]->create)
			continue;
		ret = ubd_formats[i]->create(info, why);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return -ENOENT;
}

static int open_or_create(struct host_ubd *disk, const struct host_ubd_info *info,
			  const char **why)
{
	int fd = ubd_file_open(info->file, &disk->flags, why);
	int err;

	if (fd != -ENOENT || !*info->backing)
		return fd;
	err = create_file(info, why);
	return err ? err : ubd_file_open(info->file, &disk->flags, why);
}

int host_ubd_open(int nr, struct host_ubd_info *info, struct host_ubd **ubd, const char **why)
{
	struct host_ubd *disk = &disks[nr];
	int err;

	*disk = (struct host_ubd){ .nr = nr, .flags = info->flags };
	disk->fd = open_or_create(disk, info, why);
	if (disk->fd < 0)
		return disk->fd;
	err = set_up(disk, info, why);
	if (err) {
		close(disk->fd);
		disk->format = NULL;
		return err;
	}
	info->flags = disk->flags;
	info->size = disk->size;
	info->format = disk->format->name;
	*ubd = disk;
	return 0;
}

void host_ubd_close(struct host_ubd *disk)
{
	if (disk->format->close)
		disk->format->close(disk);
	close(disk->fd);
	disk->format = NULL;
}
