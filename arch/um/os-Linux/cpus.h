/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's CPUs that are ours (cpus.c). Host half only.
 */
#ifndef __UM_CPUS_H
#define __UM_CPUS_H

#include <sched.h>

/**
 * cpus_allowed() - where we may be
 * @cpus: receives the CPUs; none if the host does not tell
 *
 * As those who started us have decided, or have changed it since with taskset; but not
 * if they chose just the CPU that we were tied to at that moment.
 */
void cpus_allowed(cpu_set_t *cpus);

/**
 * cpus_pin() - stay on one CPU
 * @cpu: which
 *
 * The vCPU thread only. What it starts must not inherit that: see
 * host_thread_start().
 */
void cpus_pin(int cpu);

/** cpus_unpin() - wherever we may be. The vCPU thread only */
void cpus_unpin(void);

/** cpus_pinned() - whether a thread that is made now would stay on one CPU. Any thread */
int cpus_pinned(void);

#endif
