// SPDX-License-Identifier: GPL-2.0
/*
 * uml_moo - merge, look at and convert COW files
 *
 * Merging has the command line of the tool of this name in uml-utilities. The
 * words info and convert in first place begin commands of their own.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "moo.h"
#include "tool.h"

static const char usage[] =
	"usage: uml_moo [-a] [-b BACKING] COW NEW\n"
	"       uml_moo [-a] [-b BACKING] -d COW\n"
	"       uml_moo info [--json] FILE\n"
	"       uml_moo convert [-a] [-b BACKING] [-O FORMAT] FILE NEW\n"
	"Merge the copy-on-write file COW with its backing file: into the new image NEW,\n"
	"or, with -d, into the backing file itself. That makes other COW files of this\n"
	"backing file invalid. info prints what a COW file holds, convert makes an\n"
	"image of another format from a COW file or image.\n"
	"\n"
	"  -b, --backing BACKING  take this backing file, not the one COW names\n"
	"  -d, --destructive      merge into the backing file\n"
	"  -a, --accept           take a backing file of other size or time than expected\n"
	"  -O, --format FORMAT    raw (the default), qcow2, or what qemu-img knows\n"
	"      --json             print JSON\n"
	"  -h, --help             print this\n"
	"  -V, --version          print the version\n"
	"\n"
	"A COW file called \"info\" or \"convert\" is written ./info or ./convert.\n";

static const struct option options[] = {
	{ "backing", required_argument, NULL, 'b' },
	{ "destructive", no_argument, NULL, 'd' },
	{ "accept", no_argument, NULL, 'a' },
	{ "format", required_argument, NULL, 'O' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

enum command { MERGE, INFO, CONVERT };

/**
 * struct request - the command line
 * @command: what to do
 * @backing: -b, or NULL
 * @format: -O, or NULL
 * @destructive: -d
 * @json: --json
 * @flags: COW_ACCEPT or 0
 * @done: -h or -V: nothing is left to do
 */
struct request {
	enum command command;
	const char *backing, *format;
	int destructive, json, flags, done;
};

static int wrong(void)
{
	fputs(usage, stderr);
	return 1;
}

static int parse(struct request *r, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "b:daO:hV", options, NULL)) >= 0) {
		switch (opt) {
		case 'b':
			r->backing = optarg;
			break;
		case 'd':
			r->destructive = 1;
			break;
		case 'a':
			r->flags |= COW_ACCEPT;
			break;
		case 'O':
			r->format = optarg;
			break;
		case 'j':
			r->json = 1;
			break;
		case 'h':
			fputs(usage, stdout);
			r->done = 1;
			return 0;
		case 'V':
			tool_version();
			r->done = 1;
			return 0;
		default:
			return wrong();
		}
	}
	return 0;
}

/* Options that the command doesn't know. */
static int is_wrong(const struct request *r)
{
	switch (r->command) {
	case MERGE:
		return r->json || r->format;
	case INFO:
		return r->destructive || r->format || r->backing || r->flags;
	case CONVERT:
		return r->destructive || r->json;
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct request r = { .command = MERGE };
	int files;

	tool_name = "uml_moo";
	if (argc > 1 && !strcmp(argv[1], "info"))
		r.command = INFO;
	else if (argc > 1 && !strcmp(argv[1], "convert"))
		r.command = CONVERT;
	if (r.command != MERGE) {
		argv++;
		argc--;
	}
	if (parse(&r, argc, argv))
		return 1;
	if (r.done)
		return 0;
	argv += optind;
	files = argc - optind;
	if (is_wrong(&r) || files != (r.command == INFO || r.destructive ? 1 : 2))
		return wrong();

	if (r.command == INFO)
		return moo_info(argv[0], r.json);
	if (r.command == CONVERT)
		return moo_convert(argv[0], argv[1], r.format ? r.format : "raw", r.backing, r.flags);
	if (r.destructive)
		return moo_in_place(argv[0], r.backing, r.flags);
	return moo_new(argv[0], r.backing, argv[1], r.flags);
}
