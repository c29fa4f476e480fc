// SPDX-License-Identifier: GPL-2.0
/*
 * What our memory cgroups allow.
 *
 * A cgroup that reaches its limit gets a process killed by the host, most
 * likely the kernel process. A guest that has less memory than the limit runs
 * out of memory by itself, and its own OOM killer chooses. So the limit is read at
 * start: memory.max, or memory.limit_in_bytes in the first version of cgroups,
 * of our cgroup and of all it is in.
 *
 * Where a hierarchy is mounted stands in /proc/self/mountinfo, with the cgroup
 * that is its root there; our place in the hierarchy stands in
 * /proc/self/cgroup. In a container both may name a cgroup that can't be seen.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

#define MIB	(1UL << 20)
/*
 * What a guest costs besides its memory: both kernels' tables about its pages
 * and processes, the image, buffers of host threads.
 */
#define OVERHEAD_MIN	(24 * MIB)
#define OVERHEAD_PART	16

/* Is the word in a list of words separated by commas? */
static int in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, len) && (!list[len] || list[len] == ','))
			return 1;
	}
	return 0;
}

/* "5:cpu,memory:/some/cgroup": our place in the hierarchy, in @place of PATH_MAX. */
static int find_place(const char *file, int v2, char *place)
{
	char line[PATH_MAX + 256], *list, *path;
	FILE *f = fopen(file, "re");
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path || strlen(path) >= PATH_MAX)
			continue;
		*path++ = 0;
		list++;
		if (v2 ? !*list : in_list(list, "memory")) {
			memcpy(place, path, strlen(path) + 1);
			found = 1;
		}
	}
	if (f)
		fclose(f);
	return found;
}

/*
 * "36 25 0:31 ROOT MOUNTPOINT rw,... [tags] - TYPE SOURCE OPTIONS": the
 * hierarchy's root and mount point, each of PATH_MAX.
 */
static int find_mount(const char *file, int v2, char *root, char *mount)
{
	char line[2 * PATH_MAX + 512], type[64], options[512];
	FILE *f = fopen(file, "re");
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mount) != 2 ||
		    sscanf(tail, " - %63s %*s %511s", type, options) != 2)
			continue;
		found = v2 ? !strcmp(type, "cgroup2") :
			!strcmp(type, "cgroup") && in_list(options, "memory");
	}
	if (f)
		fclose(f);
	return found;
}

/* The number in a file, or ULONG_MAX. "max" is no number. */
static unsigned long read_limit(const char *dir, const char *name)
{
	unsigned long limit = ULONG_MAX;
	char path[2 * PATH_MAX + 64], text[64], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = 0;
		limit = strtoul(text, &end, 10);
		if (end == text)
			limit = ULONG_MAX;
	}
	if (fd >= 0)
		close(fd);
	return limit;
}

/* The least limit of our cgroup and those around it, as far as they can be seen. */
static unsigned long hierarchy_limit(int v2)
{
	const char *name = v2 ? "memory.max" : "memory.limit_in_bytes";
	static char place[PATH_MAX], root[PATH_MAX], mount[PATH_MAX];
	static char dir[2 * PATH_MAX];
	unsigned long least = ULONG_MAX, limit;
	const char *below = place;
	size_t len;

	if (!find_place("/proc/self/cgroup", v2, place) ||
	    !find_mount("/proc/self/mountinfo", v2, root, mount))
		return ULONG_MAX;

	/* Below what is mounted; else the mount's root is the best we know. */
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(place, root, len) || (place[len] && place[len] != '/'))
		below = "";
	else
		below += len;
	snprintf(dir, sizeof(dir), "%s%s", mount, strcmp(below, "/") ? below : "");
	for (len = strlen(mount);; *strrchr(dir, '/') = 0) {
		limit = read_limit(dir, name);
		if (limit < least)
			least = limit;
		if (strlen(dir) <= len)
			return least;
	}
}

unsigned long memory_limit(void)
{
	unsigned long limit = hierarchy_limit(1), v1 = hierarchy_limit(0), overhead;

	if (v1 < limit)
		limit = v1;
	if (limit > LONG_MAX / 2)
		return ULONG_MAX;
	overhead = limit / OVERHEAD_PART;
	if (overhead < OVERHEAD_MIN)
		overhead = OVERHEAD_MIN;
	return limit > overhead ? limit - overhead : 0;
}
