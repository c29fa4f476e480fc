// SPDX-License-Identifier: GPL-2.0
/*
 * What is configured for the disks. One grammar for the command line and for
 * disks that come later:
 *
 *	<n><flags>=<file>[<sep><COW backing file>[<sep><serial>]]
 *
 * <n> is 0 to 15, 0x0 to 0xf or a to p, <sep> a comma or a colon.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ubd_config_host.h"

#define MAX_FLAGS	6

struct ubd_config ubd_config[HOST_UBD_MAX];
static int all_sync;

void ubd_config_sync(void)
{
	all_sync = 1;
}

int host_ubd_configured(int nr, struct host_ubd_info *info)
{
	struct ubd_config *config = &ubd_config[nr];

	if (!config->buf[0])
		return 0;
	*info = config->info;
	info->flags |= config->flags;
	info->rate = config->rate;
	return 1;
}

void host_ubd_forget(int nr)
{
	ubd_config[nr].buf[0] = '\0';
}

long ubd_parse_number(const char **text)
{
	const char *p = *text;
	char *end;
	long nr;

	if (isdigit((unsigned char)*p)) {
		/* No octal numbers: 010 is ten. */
		int hex = p[0] == '0' && tolower((unsigned char)p[1]) == 'x';

		nr = strtol(p, &end, hex ? 16 : 10);
		*text = end;
		return nr;
	}
	/* A letter is a disk: ubda, ubdb. */
	if (*p >= 'a' && *p <= 'z') {
		*text = p + 1;
		return *p - 'a';
	}
	return -1;
}

static int flag(char letter)
{
	switch (letter) {
	case 'r':
		return HOST_UBD_READ_ONLY;
	case 's':
		return HOST_UBD_SYNC;
	case 'd':
		return HOST_UBD_DATA;
	case 'c':
		return HOST_UBD_SHARED;
	case 't':
		return HOST_UBD_NO_TRIM;
	}
	return 0;
}

/* Takes flags and the '=' off the front of @text; a negative errno on error. */
static int parse_flags(const char **text, const char **why)
{
	const char *p = *text;
	int flags = 0;

	for (; *p && *p != '='; p++) {
		if (p - *text == MAX_FLAGS) {
			*why = "Too many flags specified";
			return -EINVAL;
		}
		if (!flag(*p)) {
			*why = "Expected '=' or flag letter (r, s, c, t or d)";
			return -EINVAL;
		}
		flags |= flag(*p);
	}
	if (!*p) {
		*why = "Missing '='";
		return -EINVAL;
	}
	*text = p + 1;
	return flags;
}

/* Cut off what follows the next separator; "" if there is none. */
static char *cut(char *text)
{
	char *next = strpbrk(text, ",:");

	if (!next)
		return text + strlen(text);
	*next = '\0';
	return next + 1;
}

static int parse_files(struct ubd_config *config, const char *text, int flags, const char **why)
{
	char *file = config->buf, *backing, *serial;

	size_t size = strlen(text) + 1;

	if (size > sizeof(config->buf)) {
		*why = "The file name is too long";
		return -ENAMETOOLONG;
	}
	memcpy(file, text, size);
	backing = cut(file);
	serial = cut(backing);
	if (!*file) {
		*why = "Missing file name";
		return -EINVAL;
	}
	if (*backing && flags & HOST_UBD_DATA) {
		*file = '\0';
		*why = "Can't specify both 'd' and a cow file";
		return -EINVAL;
	}
	config->info = (struct host_ubd_info){
		.file = file, .backing = backing, .serial = serial, .flags = flags,
	};
	return 0;
}

int host_ubd_configure(const char *text, int *nr, const char **why)
{
	long number = ubd_parse_number(&text);
	int flags;

	if (number < 0) {
		*why = "Couldn't parse device number";
		return 1;
	}
	if (number >= HOST_UBD_MAX) {
		*why = "Device number out of range";
		return 1;
	}
	if (ubd_config[number].buf[0]) {
		*why = "Device is already configured";
		return -EBUSY;
	}
	flags = parse_flags(&text, why);
	if (flags < 0)
		return flags;
	if (all_sync)
		flags |= HOST_UBD_SYNC;
	*nr = number;
	return parse_files(&ubd_config[number], text, flags, why);
}

int host_ubd_number(const char *text)
{
	long number = ubd_parse_number(&text);

	if (number < 0 || *text)
		return -EINVAL;
	return number < HOST_UBD_MAX ? number : -ERANGE;
}
