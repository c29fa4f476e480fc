/* SPDX-License-Identifier: GPL-2.0 */
/* Named by x86's cmpxchg.h; no feature word exists here. */
