// SPDX-License-Identifier: GPL-2.0-or-later
/* Its tables. */
#include "../lib/inat.c"
