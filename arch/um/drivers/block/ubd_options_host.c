// SPDX-License-Identifier: GPL-2.0
/*
 * The disk options:
 *
 *	ubd<n><flags>=<file>[<sep><COW backing file>[<sep><serial>]]
 *
 * <n> is 0 to 15 or a to p, <sep> a comma or a colon.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <host/options.h>
#include "ubd_config_host.h"

struct ubd_config ubd_config[HOST_UBD_MAX];
static int all_sync;

int host_ubd_configured(int nr, struct host_ubd_info *info)
{
	if (!ubd_config[nr].buf[0])
		return 0;
	*info = ubd_config[nr].info;
	return 1;
}

/* Takes the disk's number off the front of @text; -1 if there is none. */
static long parse_number(const char **text)
{
	const char *p = *text;
	char *end;
	long nr;

	if (isdigit((unsigned char)*p)) {
		nr = strtol(p, &end, 0);
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

static int parse_flags(const char *p, const char *end, int *flags)
{
	*flags = 0;
	for (; p < end; p++) {
		switch (*p) {
		case 'r':
			*flags |= HOST_UBD_READ_ONLY;
			break;
		case 's':
			*flags |= HOST_UBD_SYNC;
			break;
		case 'd':
			*flags |= HOST_UBD_DATA;
			break;
		case 'c':
			*flags |= HOST_UBD_SHARED;
			break;
		case 't':
			*flags |= HOST_UBD_NO_TRIM;
			break;
		default:
			return host_option_error("'%c' is no flag; there are r, s, d, c, t", *p);
		}
	}
	return 0;
}

static int parse_files(struct ubd_config *config, const char *text)
{
	char *second, *serial = "";

	if (strlen(text) >= sizeof(config->buf))
		return host_option_error("the file name is too long");
	strcpy(config->buf, text);

	second = strpbrk(config->buf, ",:");
	if (second) {
		*second++ = '\0';
		serial = strpbrk(second, ",:");
		if (serial)
			*serial++ = '\0';
		else
			serial = "";
	}
	if (!config->buf[0])
		return host_option_error("needs a file, e.g. ubd0=root_fs");
	if (second && *second) {
		config->buf[0] = '\0';
		return host_option_error("this kernel has no COW files yet; give one file");
	}
	config->info.file = config->buf;
	config->info.serial = serial;
	return 0;
}

static int parse_all(const char *value)
{
	if (!strcmp(value, "sync"))
		all_sync = 1;
	else
		fprintf(stderr, "linux: ubd=%s: disks have the major number 98 only; ignored\n", value);
	return 0;
}

static int parse_ubd(const char *rest)
{
	const char *equals = strchr(rest, '=');
	const char *p = rest;
	int flags;
	long nr;

	if (*rest == '=')
		return parse_all(rest + 1);
	if (!equals)
		return host_option_error("the form is ubd<n>=<file>, e.g. ubd0=root_fs");

	nr = parse_number(&p);
	if (nr < 0 || nr >= HOST_UBD_MAX)
		return host_option_error("there are %d disks, ubd0 to ubd%d or ubda to ubd%c",
					 HOST_UBD_MAX, HOST_UBD_MAX - 1, 'a' + HOST_UBD_MAX - 1);
	if (ubd_config[nr].buf[0])
		return host_option_error("disk %ld was given already (%s)", nr, ubd_config[nr].buf);
	if (parse_flags(p, equals, &flags) || parse_files(&ubd_config[nr], equals + 1))
		return -1;

	ubd_config[nr].info.flags = flags | (all_sync ? HOST_UBD_SYNC : 0);
	if (nr == 0)
		host_option_default("root=", "root=98:0");
	return 0;
}

HOST_OPTION(ubd,
	.name = "ubd",
	.prefix = 1,
	.action = HOST_OPT_CONSUME,
	.parse = parse_ubd,
	.synopsis = "ubd<n><flags>=<file>[,,<serial>]",
	.help = "Use a host file or block device as disk <n> (0 to 15, or a to p): /dev/ubda,\n"
		"/dev/ubdb ... Flags:\n"
		"  r  read-only\n"
		"  s  write synchronously (ubd=sync: all disks after it)\n"
		"  d  plain data, never a COW file\n"
		"  c  shared with others: do not lock the file\n"
		"  t  no discard (trim) and write-zeroes\n"
		"ubd0 is the default root device.");

/*
 * The kernel knows the disks as ubda, ubdb ...; users also say /dev/ubd0 and
 * /dev/ubd/0, with p<n> for a partition.
 */
static int parse_root(const char *device)
{
	char word[64];
	char *end;
	long nr;

	if (strncmp(device, "/dev/ubd", 8))
		return 1;
	device += 8;
	if (*device == '/')
		device++;
	if (!isdigit((unsigned char)*device))
		return 1;
	nr = strtol(device, &end, 10);
	if (nr >= HOST_UBD_MAX || (*end && (*end != 'p' || !isdigit((unsigned char)end[1]))))
		return host_option_error("is no disk; there are /dev/ubd0 to /dev/ubd%d",
					 HOST_UBD_MAX - 1);
	snprintf(word, sizeof(word), "root=/dev/ubd%c%.8s", (char)('a' + nr), *end ? end + 1 : "");
	return host_option_pass(word);
}

HOST_OPTION(root,
	.name = "root=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_root,
	.synopsis = "root=<device>",
	.help = "Root device, e.g. /dev/ubda, /dev/ubd0 or /dev/ubda1. Default with ubd0=: that\n"
		"disk.");

static int parse_typo(const char *rest)
{
	return host_option_error("did you mean ubd%s?", rest);
}

HOST_OPTION(udb,
	.name = "udb",
	.prefix = 1,
	.action = HOST_OPT_CONSUME,
	.parse = parse_typo,
	.synopsis = "");
