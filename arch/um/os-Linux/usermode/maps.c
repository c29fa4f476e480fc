// SPDX-License-Identifier: GPL-2.0
/*
 * Reading /proc/PID/maps without the C library's streams: this also runs on a
 * kernel stack, when the zygote has to be replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static char maps_text[32 * 1024];

/* Decimal digits of a positive number, backwards from the end of @buf. */
static char *decimal(char *end, unsigned int n)
{
	*--end = 0;
	do {
		*--end = '0' + n % 10;
		n /= 10;
	} while (n);
	return end;
}

static const char *hex(const char *p, unsigned long *value)
{
	unsigned long v = 0;

	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			v = v * 16 + (*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			v = v * 16 + (*p - 'a' + 10);
		else
			break;
	}
	*value = v;
	return p;
}

int maps_read(int pid, struct map_line *maps)
{
	char digits[16], path[40] = "/proc/";
	size_t len = 0;
	ssize_t n;
	int fd, nr = 0;

	strcat(path, decimal(digits + sizeof(digits), pid));
	strcat(path, "/maps");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = read(fd, maps_text + len, sizeof(maps_text) - 1 - len)) > 0)
		len += n;
	close(fd);
	if (n < 0)
		return -errno;
	maps_text[len] = 0;

	for (const char *p = maps_text; *p && nr < MAPS_MAX; nr++) {
		struct map_line *m = &maps[nr];
		const char *eol = strchr(p, '\n');
		const char *name = p;

		if (!eol)
			break;
		p = hex(p, &m->start);
		hex(p + 1, &m->end);
		/* rights, offset, device, inode precede the name */
		for (int field = 0; field < 5 && name < eol; field++) {
			while (name < eol && *name != ' ')
				name++;
			while (name < eol && *name == ' ')
				name++;
		}
		len = eol - name;
		if (len >= sizeof(m->name))
			len = sizeof(m->name) - 1;
		memcpy(m->name, name, len);
		m->name[len] = 0;
		p = eol + 1;
	}
	return nr;
}
