/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that appear under their name when they are complete. Host half and
 * tools. Errors are negative errno values.
 */
#ifndef __UM_NEW_FILE_H
#define __UM_NEW_FILE_H

/**
 * struct new_file - a file that is being made
 * @fd: open for reading and writing, empty at first
 * @path: the name it will have
 * @temp: the name it has meanwhile; NULL: none
 */
struct new_file {
	int fd;
	char *path;
	char *temp;
};

/**
 * new_file_open() - begin a file
 * @file: filled in
 * @path: its name; the folder must exist
 *
 * Mode 0644, less the umask.
 */
int new_file_open(struct new_file *file, const char *path);

/** new_file_open_named() - the same, with a @file->temp: for others who write to it */
int new_file_open_named(struct new_file *file, const char *path);

/**
 * new_file_finish() - sync it and give it its name
 * @file: from new_file_open(); ends here, in any case
 * @replace: a file of that name is replaced, its owner and mode are kept
 *
 * After a power cut there is all of it or nothing (or the old file). Without
 * @replace -EEXIST if there is something of that name.
 */
int new_file_finish(struct new_file *file, int replace);

/** new_file_drop() - give it up; nothing is left */
void new_file_drop(struct new_file *file);

#endif
