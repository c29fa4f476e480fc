// SPDX-License-Identifier: GPL-2.0
/*
 * The command line: walks the option table that HOST_OPTION() rows of all
 * host files form, answers --help and its like, and composes what is left
 * into the kernel's command line.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <host/options.h>
#include "internal.h"

#define CMDLINE_SIZE	4096

extern const struct host_option __start_host_options[], __stop_host_options[];

/* Provided by the build: the release and the configuration. */
extern const char um_kernel_release[];
extern const char um_kernel_config[];
extern const unsigned long um_kernel_config_size;

#define MAX_DEFAULTS	16

static char cmdline[CMDLINE_SIZE];
static const char *current_word;

static struct {
	const char *key;
	const char *word;
} defaults[MAX_DEFAULTS];
static int nr_defaults;

int host_option_error(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "linux: %s: ", current_word);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static int append(const char *word)
{
	size_t len = strlen(cmdline), more = strlen(word);
	/* The kernel's parser keeps a value with blanks together by quotes. */
	const char *equals = strchr(word, '=');
	bool quote = strchr(word, ' ') && !strchr(word, '"');

	if (len + more + 4 > sizeof(cmdline)) {
		fprintf(stderr, "linux: the command line is longer than %d characters\n",
			CMDLINE_SIZE - 1);
		return -1;
	}
	if (len)
		cmdline[len++] = ' ';
	if (quote && equals)
		sprintf(cmdline + len, "%.*s=\"%s\"", (int)(equals - word), word, equals + 1);
	else if (quote)
		sprintf(cmdline + len, "\"%s\"", word);
	else
		strcpy(cmdline + len, word);
	return 0;
}

static bool has_word(const char *key)
{
	const char *at = cmdline;

	while ((at = strstr(at, key))) {
		if (at == cmdline || at[-1] == ' ')
			return true;
		at++;
	}
	return false;
}

void host_option_default(const char *key, const char *word)
{
	if (nr_defaults == MAX_DEFAULTS)
		return;
	defaults[nr_defaults].key = key;
	defaults[nr_defaults].word = word;
	nr_defaults++;
}

int host_option_pass(const char *word)
{
	return append(word);
}

/* After the user's words, before "--": what follows that is for init. */
static int append_defaults(void)
{
	int i;

	for (i = 0; i < nr_defaults; i++)
		if (!has_word(defaults[i].key) && append(defaults[i].word))
			return -1;
	nr_defaults = 0;
	return 0;
}

static const struct host_option *match(const char *word, const struct host_option *from)
{
	const struct host_option *opt;

	for (opt = from; opt < __stop_host_options; opt++) {
		size_t len = strlen(opt->name);

		if (strncmp(word, opt->name, len))
			continue;
		if (opt->prefix || opt->name[len - 1] == '=' || !word[len])
			return opt;
	}
	return NULL;
}

static int parse_word(const char *word)
{
	const struct host_option *opt = __start_host_options;
	int ret;

	current_word = word;
	for (opt = match(word, opt); opt; opt = match(word, opt + 1)) {
		ret = opt->parse(word + strlen(opt->name));
		if (ret < 0)
			return -1;
		if (ret == 0)
			return opt->action == HOST_OPT_PASS ? append(word) : 0;
	}
	return append(word);
}

static void print_indented(const char *text)
{
	while (*text) {
		int len = strcspn(text, "\n");

		printf("    %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

static int compare_options(const void *a, const void *b)
{
	const struct host_option *const *x = a, *const *y = b;

	return strcmp((*x)->synopsis, (*y)->synopsis);
}

static void print_help(void)
{
	size_t i, nr = __stop_host_options - __start_host_options;
	const struct host_option **sorted = calloc(nr, sizeof(*sorted));

	printf("User Mode Linux v%s\n\n", um_kernel_release);
	printf("usage: linux [option ...] [kernel parameter ...] [-- argument of init ...]\n\n");
	printf("Words that are not listed here are kernel parameters; those the kernel does\n"
	       "not know either are handed to init.\n\n");
	if (!sorted)
		return;
	for (i = 0; i < nr; i++)
		sorted[i] = &__start_host_options[i];
	qsort(sorted, nr, sizeof(*sorted), compare_options);
	for (i = 0; i < nr; i++) {
		if (!sorted[i]->help)
			continue;
		printf("%s\n", sorted[i]->synopsis);
		print_indented(sorted[i]->help);
		printf("\n");
	}
	printf("--help\n    Print this text and exit.\n\n");
	printf("--version\n    Print the kernel release and exit.\n\n");
	printf("--showconfig\n    Print the kernel configuration and exit.\n");
	free(sorted);
}

static bool answer(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h"))
		print_help();
	else if (!strcmp(word, "--version"))
		printf("%s\n", um_kernel_release);
	else if (!strcmp(word, "--showconfig"))
		fwrite(um_kernel_config, 1, um_kernel_config_size, stdout);
	else
		return false;
	return true;
}

/**
 * host_options_parse() - parse and check the command line
 *
 * Returns 0 to go on, 1 if a question was answered, -1 after an error.
 */
int host_options_parse(int argc, char **argv)
{
	bool init_words = false;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (answer(argv[i]))
			return fflush(stdout) ? -1 : 1;
	}
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			init_words = true;
			if (append_defaults())
				return -1;
		}
		if (init_words ? append(argv[i]) : parse_word(argv[i]))
			return -1;
	}
	return append_defaults();
}

const char *host_options_cmdline(void)
{
	return cmdline;
}

/* Words of old command lines that mean nothing any more. */
static int parse_obsolete(const char *rest)
{
	fprintf(stderr, "linux: %s is an option of old kernels and has no effect\n",
		current_word);
	return 0;
}

HOST_OPTION(devfs, "devfs=", 0, HOST_OPT_CONSUME, parse_obsolete,
	    "devfs=<word>", "Accepted for old command lines; no effect.");
HOST_OPTION(fakehd, "fakehd", 0, HOST_OPT_CONSUME, parse_obsolete,
	    "fakehd", "Accepted for old command lines; no effect.");
HOST_OPTION(fake_ide, "fake_ide", 0, HOST_OPT_CONSUME, parse_obsolete,
	    "fake_ide", "Accepted for old command lines; no effect.");
