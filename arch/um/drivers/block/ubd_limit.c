// SPDX-License-Identifier: GPL-2.0
/*
 * Rate limits of a disk: bytes and requests per second.
 *
 * Two token buckets. A request starts if both have something left, and takes
 * what it needs, perhaps more than there is: then the next one waits until the
 * debt is paid. So a request larger than the burst is possible, and in the long
 * run the rate is kept. While a bucket is empty the disk's hardware queues are
 * stopped; a timer starts them again.
 *
 * The guest's root may set limits, but not lift those that the disk was made
 * with. Setting one doesn't fill the buckets: it would be a way around it.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include "ubd.h"

#define PAUSE_MAX	(1000ULL * NSEC_PER_SEC)

static u64 burst_of(u64 rate, u64 burst)
{
	return burst ?: max(rate / 10, 1ULL);
}

static void refill(struct ubd_bucket *bucket, u64 rate, u64 burst, u64 now)
{
	/* A pause that long has filled it; and the product must fit. */
	u64 since = max(bucket->since, now - min(now, PAUSE_MAX));
	u64 more = mul_u64_u64_div_u64(now - since, rate, NSEC_PER_SEC);

	if (!more)
		return;
	bucket->tokens = min(bucket->tokens + (s64)more, (s64)burst_of(rate, burst));
	/* What does not make a whole token is kept as time. */
	bucket->since = since + mul_u64_u64_div_u64(more, NSEC_PER_SEC, rate);
}

/* Nanoseconds until there is a token. */
static u64 time_to_wait(const struct ubd_bucket *bucket, u64 rate)
{
	if (bucket->tokens > 0)
		return 0;
	return mul_u64_u64_div_u64(1 - bucket->tokens, NSEC_PER_SEC, rate) + 1;
}

bool ubd_limit_take(struct ubd *ubd, struct request *rq)
{
	struct ubd_limit *limit = &ubd->limit;
	const struct host_ubd_rate *rate = &limit->rate;
	bool moves = req_op(rq) == REQ_OP_READ || req_op(rq) == REQ_OP_WRITE;
	u64 wait = 0, now;
	unsigned long flags;

	spin_lock_irqsave(&limit->lock, flags);
	now = ktime_get_ns();
	if (rate->bytes && moves) {
		refill(&limit->bytes, rate->bytes, rate->burst_bytes, now);
		wait = time_to_wait(&limit->bytes, rate->bytes);
	}
	if (rate->requests) {
		refill(&limit->requests, rate->requests, rate->burst_requests, now);
		wait = max(wait, time_to_wait(&limit->requests, rate->requests));
	}
	if (!wait) {
		limit->bytes.tokens -= rate->bytes && moves ? blk_rq_bytes(rq) : 0;
		limit->requests.tokens -= rate->requests ? 1 : 0;
	}
	spin_unlock_irqrestore(&limit->lock, flags);
	if (!wait)
		return true;
	blk_mq_stop_hw_queues(rq->q);
	hrtimer_start(&limit->timer, ns_to_ktime(wait), HRTIMER_MODE_REL);
	return false;
}

static enum hrtimer_restart limit_timer(struct hrtimer *timer)
{
	struct ubd *ubd = container_of(timer, struct ubd, limit.timer);

	blk_mq_start_stopped_hw_queues(ubd->disk->queue, true);
	return HRTIMER_NORESTART;
}

/* A bucket that was not used before is full; another keeps what it has, or owes. */
static void change_bucket(struct ubd_bucket *bucket, u64 old, u64 old_burst, u64 rate, u64 burst,
			  u64 now)
{
	s64 most = burst_of(rate, burst);

	if (old)
		refill(bucket, old, old_burst, now);
	else
		bucket->tokens = most;
	bucket->tokens = min(bucket->tokens, most);
	bucket->since = now;
}

static void change_rate(struct ubd_limit *limit, const struct host_ubd_rate *rate)
{
	struct host_ubd_rate *old = &limit->rate;
	u64 now = ktime_get_ns();

	change_bucket(&limit->bytes, old->bytes, old->burst_bytes, rate->bytes,
		      rate->burst_bytes, now);
	change_bucket(&limit->requests, old->requests, old->burst_requests, rate->requests,
		      rate->burst_requests, now);
	limit->rate = *rate;
	WRITE_ONCE(limit->active, rate->bytes || rate->requests);
}

/* No more than the command line says, if it says something. */
static bool is_within(u64 rate, u64 burst, u64 top, u64 top_burst)
{
	return !top || (rate && rate <= top && burst_of(rate, burst) <= burst_of(top, top_burst));
}

void ubd_limit_init(struct ubd *ubd)
{
	struct ubd_limit *limit = &ubd->limit;

	spin_lock_init(&limit->lock);
	hrtimer_init(&limit->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	limit->timer.function = limit_timer;
	change_rate(limit, &ubd->info.rate);
}

void ubd_limit_exit(struct ubd *ubd)
{
	hrtimer_cancel(&ubd->limit.timer);
}

/* /sys/block/ubd<x>/limit/ */

static ssize_t show(struct device *dev, size_t offset, char *buf)
{
	struct ubd *ubd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%llu\n",
			  *(unsigned long long *)((void *)&ubd->limit.rate + offset));
}

static ssize_t store(struct device *dev, size_t offset, const char *buf, size_t count)
{
	struct ubd *ubd = dev_to_disk(dev)->private_data;
	const struct host_ubd_rate *top = &ubd->info.rate;
	struct ubd_limit *limit = &ubd->limit;
	struct host_ubd_rate rate;
	unsigned long long value;
	unsigned long flags;
	bool good;
	char *end;

	if (!isdigit(*buf))
		return -EINVAL;
	value = memparse(buf, &end);
	if (*skip_spaces(end) || value >> 50)
		return -EINVAL;
	spin_lock_irqsave(&limit->lock, flags);
	rate = limit->rate;
	*(unsigned long long *)((void *)&rate + offset) = value;
	good = is_within(rate.bytes, rate.burst_bytes, top->bytes, top->burst_bytes) &&
	       is_within(rate.requests, rate.burst_requests, top->requests, top->burst_requests);
	if (good)
		change_rate(limit, &rate);
	spin_unlock_irqrestore(&limit->lock, flags);
	if (!good)
		return -EPERM;
	/* Who waits for the old rate looks again. */
	blk_mq_start_stopped_hw_queues(ubd->disk->queue, true);
	return count;
}

#define LIMIT_ATTR(name)							\
static ssize_t name##_show(struct device *dev, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	return show(dev, offsetof(struct host_ubd_rate, name), buf);		\
}										\
static ssize_t name##_store(struct device *dev, struct device_attribute *attr,	\
			    const char *buf, size_t count)			\
{										\
	return store(dev, offsetof(struct host_ubd_rate, name), buf, count);	\
}										\
static DEVICE_ATTR_RW(name)

LIMIT_ATTR(bytes);
LIMIT_ATTR(requests);
LIMIT_ATTR(burst_bytes);
LIMIT_ATTR(burst_requests);

static struct attribute *limit_attrs[] = {
	&dev_attr_bytes.attr,
	&dev_attr_requests.attr,
	&dev_attr_burst_bytes.attr,
	&dev_attr_burst_requests.attr,
	NULL,
};

const struct attribute_group ubd_limit_group = {
	.name = "limit",
	.attrs = limit_attrs,
};
