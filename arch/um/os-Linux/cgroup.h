/* SPDX-License-Identifier: GPL-2.0 */
/* What our cgroups allow us. Host half only. */
#ifndef __UM_CGROUP_H
#define __UM_CGROUP_H

/**
 * cgroup_least() - the least that our cgroup and those around it allow
 * @controller: of what, e.g. "memory"
 * @allows: what one of them allows, given its folder and whether it is one of the
 *	second version; ULONG_MAX: as much as one likes
 *
 * As far as they can be seen. ULONG_MAX if there is no limit. At start-up: not on a
 * kernel stack, by one thread.
 */
unsigned long cgroup_least(const char *controller,
			   unsigned long (*allows)(const char *folder, int v2));

/**
 * cgroup_number() - the first number in one of a cgroup's files
 * @folder: the cgroup
 * @name: the file
 * @second: set to the second number, if there is one, or NULL
 *
 * Returns it, or ULONG_MAX if there is none: "max" is none, nor is "-1".
 */
unsigned long cgroup_number(const char *folder, const char *name, unsigned long *second);

#endif
