/* SPDX-License-Identifier: GPL-2.0 */
/* What lib/vdso/gettimeofday.c needs; compiled into the vDSO only. */
#ifndef __ASM_UM_VDSO_GETTIMEOFDAY_H
#define __ASM_UM_VDSO_GETTIMEOFDAY_H

#ifndef __ASSEMBLY__

#include <uapi/linux/time.h>
#include <asm/unistd.h>
#include <vdso/time64.h>

#define VDSO_HAS_TIME		1
#define VDSO_HAS_CLOCK_GETRES	1

/* Patched at boot; volatile, or the compiler would use the value it sees. */
extern const volatile unsigned long vdso_host_clock __attribute__((visibility("hidden")));

static __always_inline long vdso_syscall2(long nr, unsigned long a, unsigned long b)
{
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "0" (nr), "D" (a), "S" (b)
		     : "rcx", "r11", "memory");
	return ret;
}

static __always_inline
long clock_gettime_fallback(clockid_t clock, struct __kernel_timespec *ts)
{
	return vdso_syscall2(__NR_clock_gettime, clock, (unsigned long)ts);
}

static __always_inline
long clock_getres_fallback(clockid_t clock, struct __kernel_timespec *res)
{
	return vdso_syscall2(__NR_clock_getres, clock, (unsigned long)res);
}

static __always_inline
long gettimeofday_fallback(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	return vdso_syscall2(__NR_gettimeofday, (unsigned long)tv, (unsigned long)tz);
}

/*
 * The host's clock never goes back, but a reader may have taken it just
 * before the update whose data it then sees: no time has passed since.
 */
static __always_inline u64 __arch_get_hw_counter(s32 clock_mode, const struct vdso_data *vd)
{
	int (*host_clock)(clockid_t clock, struct __kernel_timespec *ts) =
		(void *)vdso_host_clock;
	struct __kernel_timespec ts;
	u64 now, last;

	host_clock(CLOCK_MONOTONIC, &ts);
	now = (u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	last = READ_ONCE(vd->cycle_last);
	return now > last ? now : last;
}

static __always_inline const struct vdso_data *__arch_get_vdso_data(void)
{
	return _vdso_data;
}

#ifdef CONFIG_TIME_NS
static __always_inline
const struct vdso_data *__arch_get_timens_vdso_data(const struct vdso_data *vd)
{
	return _timens_data;
}
#endif

#endif /* __ASSEMBLY__ */

#endif
