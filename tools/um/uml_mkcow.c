// SPDX-License-Identifier: GPL-2.0
/*
 * uml_mkcow - make an empty COW file over a backing file
 *
 * The file is the same, byte for byte, as that of the tool of this name in
 * uml-utilities, and so are the command line and the exit codes. Unlike
 * there, -f begins with an empty bitmap: the old file is replaced as a whole.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cow.h"
#include "tool.h"

#define EXIT_USAGE	2

static const char usage[] =
	"usage: uml_mkcow [-f] [-r] COW BACKING\n"
	"Make COW, an empty copy-on-write file over the disk image BACKING.\n"
	"\n"
	"  -f, --force     replace COW if it exists; what was in it is lost\n"
	"  -r, --relative  store BACKING's name relative to the folder of COW, so that\n"
	"                  both can be moved together (uml-utilities and other kernels\n"
	"                  take such a name from their working directory)\n"
	"  -h, --help      print this\n"
	"  -V, --version   print the version\n";

static const struct option options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "relative", no_argument, NULL, 'r' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

int main(int argc, char **argv)
{
	int flags = 0, opt, err;

	tool_name = "uml_mkcow";
	while ((opt = getopt_long(argc, argv, "frhV", options, NULL)) >= 0) {
		switch (opt) {
		case 'f':
			flags |= COW_REPLACE;
			break;
		case 'r':
			flags |= COW_RELATIVE;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			tool_version();
			return 0;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}

	err = cow_create(argv[optind], argv[optind + 1], flags, &tool_report);
	if (err == -EEXIST)
		return tool_error("open COW file: %s", strerror(EEXIST));
	return err ? 1 : 0;
}
