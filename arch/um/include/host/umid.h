/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The name of this machine and its directory on the host, where tools look
 * for it.
 */
#ifndef __HOST_UMID_H
#define __HOST_UMID_H

/** host_umid() - the name (umid=), or "" if the machine has none. Any context. */
const char *host_umid(void);

/**
 * host_umid_path() - name of a file in the machine's directory
 * @file: last component
 * @buf: where to put the path
 * @len: size of @buf
 *
 * Returns the length, -ENOENT when there is no directory, or -ENAMETOOLONG.
 * The directory and all files in it are removed by an orderly end.
 */
int host_umid_path(const char *file, char *buf, unsigned long len);

/**
 * host_umid_init() - make the directory and the pid file
 *
 * After the options were parsed, before the kernel half starts. A failure is
 * one line on stderr; the machine then runs without a directory.
 */
void host_umid_init(void);

#endif
