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

#include "../../os-Linux/work.h"
#include "../../os-Linux/disk_file.h"
#include "ubd_format_host.h"

#define SECTOR		512
#define ALIGN_MAX	4096

static const struct ubd_format *const ubd_formats[] = {
	&ubd_cow_format,
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
	int pid = 0, err = 0;

	if (!(flags & HOST_UBD_SHARED))
		err = disk_file_lock(fd, !(flags & HOST_UBD_READ_ONLY), &pid);
	*holder = pid;
	return err;
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

static int choose_format(struct host_ubd *disk, const struct host_ubd_info *info,
			 const char **why)
{
	size_t i;
	int ret;

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
	err = disk_file_size(disk->fd, &disk->size);
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

/* Lines for the kernel's log: each a digit, its level, the text and a NUL. */
static struct {
	char text[16384];
	size_t used;
	size_t read;
} messages;

void ubd_log(int level, const char *text)
{
	size_t len = strlen(text) + 2;

	if (len > sizeof(messages.text) - messages.used)
		return;
	messages.text[messages.used] = '0' + level;
	memcpy(messages.text + messages.used + 1, text, len - 1);
	messages.used += len;
}

int host_ubd_log(int *level, const char **line)
{
	const char *p = messages.text + messages.read;

	if (messages.read == messages.used)
		return 0;
	*level = *p - '0';
	*line = p + 1;
	messages.read += strlen(p) + 1;
	return 1;
}

/**
 * struct open_call - host_ubd_open() or host_ubd_close() on a host thread
 * @call: for the pool
 * @disk: the disk
 * @info, @why, @err: as of host_ubd_open()
 */
struct open_call {
	struct host_call call;
	struct host_ubd *disk;
	struct host_ubd_info *info;
	const char **why;
	int err;
};

static void open_disk(struct host_call *call)
{
	struct open_call *o = (struct open_call *)call;
	struct host_ubd *disk = o->disk;

	messages.used = 0;
	messages.read = 0;
	disk->fd = open_or_create(disk, o->info, o->why);
	if (disk->fd < 0) {
		o->err = disk->fd;
		return;
	}
	o->err = set_up(disk, o->info, o->why);
	if (o->err) {
		close(disk->fd);
		disk->format = NULL;
	}
}

int host_ubd_open(int nr, struct host_ubd_info *info, struct host_ubd **ubd, const char **why)
{
	struct host_ubd *disk = &disks[nr];
	struct open_call o = { .call.fn = open_disk, .disk = disk, .info = info, .why = why };

	*disk = (struct host_ubd){ .nr = nr, .flags = info->flags };
	host_work_call(&o.call, 0);
	if (o.err)
		return o.err;
	info->flags = disk->flags;
	info->size = disk->size;
	info->format = disk->format->name;
	*ubd = disk;
	return 0;
}

static void close_disk(struct host_call *call)
{
	struct host_ubd *disk = ((struct open_call *)call)->disk;

	if (disk->format->close)
		disk->format->close(disk);
	close(disk->fd);
	disk->format = NULL;
}

void host_ubd_close(struct host_ubd *disk)
{
	struct open_call o = { .call.fn = close_disk, .disk = disk };

	host_work_call(&o.call, 0);
}
