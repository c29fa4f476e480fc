// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of a host process, one by one, from /proc/PID/maps: there may be
 * tens of thousands. Guest memory is told by the device and inode of its file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <host/mappings.h>
#include <host/memory.h>

static char text[64 * 1024];
static size_t start, len;
static int maps_fd = -1;
static char memory_id[64];	/* as maps writes it: "00:01 1234 " */

int host_mappings_open(int pid)
{
	struct stat st;
	char path[40];

	if (fstat(host_memory_fd(), &st))
		return -errno;
	snprintf(memory_id, sizeof(memory_id), "%02x:%02x %lu ", major(st.st_dev),
		 minor(st.st_dev), (unsigned long)st.st_ino);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps_fd = open(path, O_RDONLY | O_CLOEXEC);
	start = len = 0;
	return maps_fd < 0 ? -errno : 0;
}

/* "start-end rwxs offset major:minor inode name" */
static int parse(char *line, struct host_mapping *m)
{
	char *p, *rights;

	m->start = strtoul(line, &p, 16);
	if (*p++ != '-')
		return -EINVAL;
	m->end = strtoul(p, &p, 16);
	rights = p + 1;
	if (*p != ' ' || strlen(rights) < 5)
		return -EINVAL;
	m->prot = (rights[0] == 'r' ? HOST_PROT_READ : 0) |
		  (rights[1] == 'w' ? HOST_PROT_WRITE : 0) |
		  (rights[2] == 'x' ? HOST_PROT_EXEC : 0);
	m->offset = strtoul(rights + 5, &p, 16);
	m->is_memory = *p == ' ' && !strncmp(p + 1, memory_id, strlen(memory_id));
	return 1;
}

int host_mappings_next(struct host_mapping *mapping)
{
	char *eol;
	ssize_t n;

	for (;;) {
		eol = memchr(text + start, '\n', len - start);
		if (eol) {
			char *line = text + start;

			*eol = 0;
			start = eol + 1 - text;
			return parse(line, mapping);
		}
		memmove(text, text + start, len - start);
		len -= start;
		start = 0;
		if (len == sizeof(text))
			return -E2BIG;
		n = read(maps_fd, text + len, sizeof(text) - len);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		len += n;
	}
}

void host_mappings_close(void)
{
	close(maps_fd);
	maps_fd = -1;
}
