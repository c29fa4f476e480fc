// SPDX-License-Identifier: GPL-2.0
/*
 * Finding our cgroups (cgroup.h), in either version.
 *
 * Where a hierarchy is mounted stands in /proc/self/mountinfo, with the cgroup
 * that is its root there; our place in the hierarchy stands in
 * /proc/self/cgroup. In a container both may name a cgroup that can't be seen. A
 * host may have both versions at once, with controllers in either.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"

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
static int find_place(const char *controller, int v2, char *place)
{
	char line[PATH_MAX + 256], *list, *path;
	FILE *f = fopen("/proc/self/cgroup", "re");
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path || strlen(path) >= PATH_MAX)
			continue;
		*path++ = 0;
		list++;
		if (v2 ? !*list : in_list(list, controller)) {
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
static int find_mount(const char *controller, int v2, char *root, char *mount)
{
	char line[2 * PATH_MAX + 512], type[64], options[512];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mount) != 2 ||
		    sscanf(tail, " - %63s %*s %511s", type, options) != 2)
			continue;
		found = v2 ? !strcmp(type, "cgroup2") :
			!strcmp(type, "cgroup") && in_list(options, controller);
	}
	if (f)
		fclose(f);
	return found;
}

static unsigned long hierarchy_least(const char *controller, int v2,
				     unsigned long (*allows)(const char *folder, int v2))
{
	static char place[PATH_MAX], root[PATH_MAX], mount[PATH_MAX];
	static char dir[2 * PATH_MAX];
	unsigned long least = ULONG_MAX, one;
	const char *below = place;
	size_t len;

	if (!find_place(controller, v2, place) || !find_mount(controller, v2, root, mount))
		return ULONG_MAX;

	/* Below what is mounted; else the mount's root is the best we know. */
	len = strcmp(root, "/") ? strlen(root) : 0;
	if (strncmp(place, root, len) || (place[len] && place[len] != '/'))
		below = "";
	else
		below += len;
	snprintf(dir, sizeof(dir), "%s%s", mount, strcmp(below, "/") ? below : "");
	for (len = strlen(mount);; *strrchr(dir, '/') = 0) {
		one = allows(dir, v2);
		if (one < least)
			least = one;
		if (strlen(dir) <= len)
			return least;
	}
}

unsigned long cgroup_least(const char *controller,
			   unsigned long (*allows)(const char *folder, int v2))
{
	unsigned long least = hierarchy_least(controller, 1, allows);
	unsigned long v1 = hierarchy_least(controller, 0, allows);

	return v1 < least ? v1 : least;
}

unsigned long cgroup_number(const char *folder, const char *name, unsigned long *second)
{
	char path[2 * PATH_MAX + 64], text[64], *end;
	unsigned long number;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ULONG_MAX;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0 || !isdigit((unsigned char)*text))
		return ULONG_MAX;
	text[n] = 0;
	number = strtoul(text, &end, 10);
	if (second)
		*second = strtoul(end, NULL, 10);
	return number;
}
