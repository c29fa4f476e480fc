// SPDX-License-Identifier: GPL-2.0
/*
 * Time comes from the host: CLOCK_MONOTONIC is the counter, a host timer with
 * nanosecond resolution the one-shot clock event. The counter is registered
 * by rate (not with mult 1, shift 0), so that NTP can slew it.
 */
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/init.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <asm/irq.h>
#include <asm/setup.h>
#include <host/time.h>
#include <host/usermode.h>

static u64 boot_ns;

static u64 host_clocksource_read(struct clocksource *cs)
{
	return host_clock_ns();
}

static struct clocksource host_clocksource = {
	.name	= "um-host",
	.rating	= 400,
	.read	= host_clocksource_read,
	.mask	= CLOCKSOURCE_MASK(64),
	.flags	= CLOCK_SOURCE_IS_CONTINUOUS | CLOCK_SOURCE_VALID_FOR_HRES,
};

static int timer_next_event(unsigned long delta, struct clock_event_device *dev)
{
	host_timer_oneshot(delta);
	return 0;
}

static int um_timer_stop(struct clock_event_device *dev)
{
	host_timer_stop();
	return 0;
}

static struct clock_event_device timer_event = {
	.name			= "um-timer",
	.features		= CLOCK_EVT_FEAT_ONESHOT,
	.rating			= 300,
	.set_next_event		= timer_next_event,
	.set_state_shutdown	= um_timer_stop,
	.set_state_oneshot	= um_timer_stop,
	.set_state_oneshot_stopped = um_timer_stop,
};

static irqreturn_t timer_irq(int irq, void *dev)
{
	timer_event.event_handler(&timer_event);
	return IRQ_HANDLED;
}

/**
 * um_clock_start() - the first thing of all: time 0 of the scheduler clock
 *
 * The generic code takes the scheduler clock for the time since boot when it
 * sets up CLOCK_MONOTONIC, long before time_init().
 */
void __init um_clock_start(void)
{
	boot_ns = host_clock_ns();
}

u64 notrace sched_clock(void)
{
	return host_clock_ns() - boot_ns;
}

void read_persistent_clock64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(host_realtime_ns());
}

void __init time_init(void)
{
	if (request_irq(UM_VIRQ(UM_IRQ_TIMER), timer_irq, IRQF_TIMER, "timer", NULL))
		panic("Can't request the timer interrupt");
	timer_event.cpumask = cpumask_of(0);
	timer_event.irq = UM_VIRQ(UM_IRQ_TIMER);
	clockevents_config_and_register(&timer_event, NSEC_PER_SEC, 1000, LONG_MAX);

	if (host_vdso_clock())
		host_clocksource.vdso_clock_mode = VDSO_CLOCKMODE_UM;
	clocksource_register_hz(&host_clocksource, NSEC_PER_SEC);
}

/* One loop of __delay() is defined as one nanosecond: nothing to calibrate. */
unsigned long calibrate_delay_is_known(void)
{
	return NSEC_PER_SEC / HZ;
}

void __delay(unsigned long ns)
{
	u64 end = host_clock_ns() + ns;

	while (host_clock_ns() < end)
		cpu_relax();
}
EXPORT_SYMBOL(__delay);

void __ndelay(unsigned long ns)
{
	__delay(ns);
}
EXPORT_SYMBOL(__ndelay);

void __udelay(unsigned long us)
{
	__delay(us * NSEC_PER_USEC);
}
EXPORT_SYMBOL(__udelay);

/* @xloops: time in units of 2^-32 seconds times 2^... as asm-generic/delay.h. */
void __const_udelay(unsigned long xloops)
{
	/* The constants there are microseconds * 2^32 / 10^6. */
	__delay(((unsigned __int128)xloops * NSEC_PER_SEC) >> 32);
}
EXPORT_SYMBOL(__const_udelay);
