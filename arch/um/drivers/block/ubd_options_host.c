// SPDX-License-Identifier: GPL-2.0
/* The disk options. The grammar of a disk is ubd_config_host.c's. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <host/options.h>
#include "../../../../fs/hostfs/options_host.h"
#include "ubd_config_host.h"

static int parse_all(const char *value)
{
	if (!strcmp(value, "sync"))
		ubd_config_sync();
	else
		fprintf(stderr, "linux: ubd=%s: disks have the major number 98 only; ignored\n", value);
	return 0;
}

/* A directory as the first disk is a root file system that needs no disk. */
static const char *root_directory(const char *rest)
{
	const char *equals = strchr(rest, '=');
	struct stat st;

	if (!equals || (*rest != '0' && *rest != 'a') ||
	    rest + 1 + strspn(rest + 1, "rsdct") != equals)
		return NULL;
	return !stat(equals + 1, &st) && S_ISDIR(st.st_mode) ? equals + 1 : NULL;
}

static int parse_ubd(const char *rest)
{
	const char *why = "", *file;
	int nr;

	if (*rest == '=')
		return parse_all(rest + 1);
	file = root_directory(rest);
	if (file)
		return hostfs_boot(file);
	if (*rest == '_')
		return 1;	/* ubd_engine= and its like */
	if (host_ubd_configure(rest, &nr, &why))
		return host_option_error("%s; disks are ubd0 to ubd%d or ubda to ubd%c, e.g. ubd0=root_fs",
					 why, HOST_UBD_MAX - 1, 'a' + HOST_UBD_MAX - 1);
	if (nr == 0)
		host_option_default("root=", "root=98:0");
	return 0;
}

HOST_OPTION(ubd,
	.name = "ubd",
	.prefix = 1,
	.action = HOST_OPT_CONSUME,
	.parse = parse_ubd,
	.synopsis = "ubd<n><flags>=<file>[,<backing file>[,<serial>]]",
	.help = "Use a host file or block device as disk <n> (0 to 15, 0x0 to 0xf, or a to p):\n"
		"/dev/ubda, /dev/ubdb ... With a backing file, <file> is a COW file that takes\n"
		"what is written. A colon may stand for a comma. Flags:\n"
		"  r  read-only\n"
		"  s  write synchronously (ubd=sync: all disks after it)\n"
		"  d  plain data, never a COW file\n"
		"  c  shared with others: do not lock the file\n"
		"  t  no discard (trim) and write-zeroes\n"
		"ubd0 is the default root device. It may be a directory (hostfs).");

/* "10M"; returns -1 if it is no number. */
static long long parse_amount(const char *text)
{
	unsigned long long value;
	int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	value = strtoull(text, &end, 10);
	switch (*end) {
	case 'G': case 'g':
		shift += 10;
		/* fall through */
	case 'M': case 'm':
		shift += 10;
		/* fall through */
	case 'K': case 'k':
		shift += 10;
		end++;
	}
	/* So much that nobody can tell it from no limit is refused, too. */
	if (*end || errno || value >> (50 - shift))
		return -1;
	return value << shift;
}

static int parse_setting(struct ubd_config *config, const char *word)
{
	static const struct {
		const char *name;
		size_t offset;
	} amounts[] = {
		{ "bytes=", offsetof(struct host_ubd_rate, bytes) },
		{ "requests=", offsetof(struct host_ubd_rate, requests) },
		{ "burst_bytes=", offsetof(struct host_ubd_rate, burst_bytes) },
		{ "burst_requests=", offsetof(struct host_ubd_rate, burst_requests) },
	};
	long long value;

	if (!strcmp(word, "direct")) {
		config->flags |= HOST_UBD_DIRECT;
		return 0;
	}
	if (!strcmp(word, "accept")) {
		config->flags |= HOST_UBD_ACCEPT;
		return 0;
	}
	for (size_t i = 0; i < sizeof(amounts) / sizeof(*amounts); i++) {
		size_t len = strlen(amounts[i].name);

		if (strncmp(word, amounts[i].name, len))
			continue;
		value = parse_amount(word + len);
		if (value < 0)
			return host_option_error("\"%s\" needs a number, e.g. bytes=10M", word);
		*(unsigned long long *)((char *)&config->rate + amounts[i].offset) = value;
		return 0;
	}
	return host_option_error("\"%s\" is none of direct, accept, bytes=, requests=, burst_bytes=, burst_requests=",
				 word);
}

static int parse_settings(const char *value)
{
	char buf[256], *word, *rest = buf;
	long first = 0, last = HOST_UBD_MAX - 1;
	size_t size = strlen(value) + 1;

	if (size > sizeof(buf))
		return host_option_error("is too long");
	memcpy(buf, value, size);
	word = strsep(&rest, ",");
	if (strcmp(word, "all")) {
		first = host_ubd_number(word);
		last = first;
	}
	if (first < 0 || !rest)
		return host_option_error("needs a disk or \"all\" and settings, e.g. ubd_opt=b,bytes=10M");
	while ((word = strsep(&rest, ",")))
		for (long nr = first; nr <= last; nr++)
			if (parse_setting(&ubd_config[nr], word))
				return -1;
	return 0;
}

HOST_OPTION(ubd_opt,
	.name = "ubd_opt=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_settings,
	.synopsis = "ubd_opt=<n>|all,<setting>[,<setting>...]",
	.help = "Settings of a disk, or of all:\n"
		"  direct              bypass the host's page cache (O_DIRECT)\n"
		"  accept              take the backing file of a COW file even if it was changed\n"
		"  bytes=<n>[K|M|G]    limit to so many bytes per second\n"
		"  requests=<n>        limit to so many requests per second\n"
		"  burst_bytes=<n>, burst_requests=<n>\n"
		"                      what may come at once after a pause; default: what\n"
		"                      a tenth of a second allows\n"
		"The limits can be changed in /sys/block/ubd<x>/limit/.");

static int parse_from_guest(const char *rest)
{
	return 0;
}

HOST_OPTION(hotplug_from_guest,
	.name = "hotplug_from_guest",
	.action = HOST_OPT_PASS,
	.parse = parse_from_guest,
	.synopsis = "hotplug_from_guest",
	.help = "Let root in the guest make and remove disks, by um/hotplug in debugfs: with any\n"
		"file that the kernel's process may open. For tests.");

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
