// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of the block device, between blk-mq and the host half (ubd_host.h).
 *
 * A disk has three hardware queues for each vCPU: for reads, for everything
 * else, so that a flood of writes can't take all tags from the reads, and for
 * polled requests. All end in the vCPU's port: one interrupt, one place where
 * finished requests gather.
 *
 * Requests that come together are started together (queue_rqs, commit_rqs),
 * and what is finished by then, because the host had it in memory, is ended on
 * the spot. Memory is described by linear addresses: data moves directly
 * between the file and guest memory.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <asm/events.h>
#include "ubd.h"

#define UBD_QUEUE_DEPTH		64
#define UBD_MAX_SECTORS		2048	/* of one request: 1 MiB */
#define UBD_TRIM_SECTORS	(UINT_MAX >> SECTOR_SHIFT)

/**
 * struct ubd_port - where a vCPU's requests end
 * @host: finished requests
 * @irq: its interrupt
 */
static struct ubd_port {
	struct host_ubd_queue host;
	struct um_event_irq irq;
} ubd_port;

/* Returns false if the request has more pieces than it may have. */
static bool map_segments(struct request *rq, struct host_ubd_request *request)
{
	struct host_ubd_segment *segment = NULL;
	struct req_iterator iter;
	struct bio_vec bv;

	rq_for_each_bvec(bv, rq, iter) {
		void *base = page_address(bv.bv_page) + bv.bv_offset;

		if (segment && segment->base + segment->len == base) {
			segment->len += bv.bv_len;
			continue;
		}
		if (WARN_ON_ONCE(request->nr_segments == HOST_UBD_SEGMENTS))
			return false;
		segment = &request->segments[request->nr_segments++];
		segment->base = base;
		segment->len = bv.bv_len;
	}
	return true;
}

static blk_status_t prepare(struct request *rq, bool alone)
{
	struct host_ubd_request *request = blk_mq_rq_to_pdu(rq);
	struct ubd *ubd = rq->q->queuedata;

	switch (req_op(rq)) {
	case REQ_OP_READ:
		request->op = HOST_UBD_READ;
		break;
	case REQ_OP_WRITE:
		request->op = HOST_UBD_WRITE;
		break;
	case REQ_OP_FLUSH:
		request->op = HOST_UBD_FLUSH;
		break;
	case REQ_OP_DISCARD:
		request->op = HOST_UBD_DISCARD;
		break;
	case REQ_OP_WRITE_ZEROES:
		request->op = HOST_UBD_ZERO;
		break;
	default:
		return BLK_STS_NOTSUPP;
	}
	request->ubd = ubd->host;
	request->queue = &ubd_port.host;
	request->fua = !!(rq->cmd_flags & REQ_FUA);
	request->keep = !!(rq->cmd_flags & REQ_NOUNMAP);
	request->alone = alone && op_is_sync(rq->cmd_flags);
	request->nr_segments = 0;
	request->offset = blk_rq_pos(rq) << SECTOR_SHIFT;
	request->len = blk_rq_bytes(rq);
	if (request->op <= HOST_UBD_WRITE && !map_segments(rq, request))
		return BLK_STS_IOERR;
	return BLK_STS_OK;
}

static blk_status_t result(struct request *rq)
{
	struct host_ubd_request *request = blk_mq_rq_to_pdu(rq);

	if (request->error == -EOPNOTSUPP) {
		/* The host's file system can't do it: don't ask again. */
		if (request->op == HOST_UBD_DISCARD)
			blk_queue_disable_discard(rq->q);
		else if (request->op == HOST_UBD_ZERO)
			blk_queue_disable_write_zeroes(rq->q);
	}
	if (request->error == -EPERM && request->op == HOST_UBD_WRITE && !request->offset)
		pr_err_ratelimited("%s: a write was refused: the disk would be taken for a COW file at the next start (flag d allows it, and takes it as plain data)\n",
				   rq->q->disk->disk_name);
	return errno_to_blk_status(request->error);
}

static void ubd_complete(struct request *rq)
{
	blk_mq_end_request(rq, result(rq));
}

static void end(struct request *rq, struct io_comp_batch *batch)
{
	struct host_ubd_request *request = blk_mq_rq_to_pdu(rq);

	if (blk_mq_complete_request_remote(rq))
		return;
	if (!blk_mq_add_to_batch(rq, batch, request->error, blk_mq_end_request_batch))
		ubd_complete(rq);
}

/* End what is finished; returns how many that were. */
static int reap(struct io_comp_batch *batch)
{
	struct host_ubd_request *request, *next;
	int n = 0;

	for (request = host_ubd_finished(&ubd_port.host); request; request = next) {
		next = request->next;
		end(blk_mq_rq_from_pdu(request), batch);
		n++;
	}
	return n;
}

static void commit(void)
{
	DEFINE_IO_COMP_BATCH(batch);

	host_ubd_commit(&ubd_port.host);
	reap(&batch);
	if (batch.complete)
		batch.complete(&batch);
}

static void start(struct request *rq)
{
	blk_mq_start_request(rq);
	if (host_ubd_submit(blk_mq_rq_to_pdu(rq)))
		end(rq, NULL);
}

static blk_status_t ubd_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct ubd *ubd = hctx->queue->queuedata;
	blk_status_t status;

	/* Commits what came before: the block layer calls commit_rqs(). */
	if (READ_ONCE(ubd->limit.active) && !ubd_limit_take(ubd, bd->rq))
		return BLK_STS_RESOURCE;
	status = prepare(bd->rq, bd->last);
	if (status == BLK_STS_OK)
		start(bd->rq);
	if (bd->last)
		commit();
	return status;
}

static void ubd_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	commit();
}

static void ubd_queue_rqs(struct rq_list *list)
{
	struct ubd *ubd = rq_list_peek(list)->q->queuedata;
	bool alone = !rq_list_peek(list)->rq_next;
	struct rq_list odd = { };
	struct request *rq;

	/* One by one, by queue_rq(). */
	if (READ_ONCE(ubd->limit.active))
		return;
	while ((rq = rq_list_pop(list))) {
		if (prepare(rq, alone) == BLK_STS_OK)
			start(rq);
		else
			rq_list_add_tail(&odd, rq);
	}
	commit();
	/* queue_rq() will say what is wrong with them. */
	*list = odd;
}

static int ubd_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *batch)
{
	return reap(batch);
}

static irqreturn_t ubd_irq(int irq, void *dev)
{
	DEFINE_IO_COMP_BATCH(batch);

	reap(&batch);
	if (batch.complete)
		batch.complete(&batch);
	return IRQ_HANDLED;
}

static void ubd_map_queues(struct blk_mq_tag_set *tags)
{
	unsigned int i;

	for (i = 0; i < HCTX_MAX_TYPES; i++) {
		tags->map[i].nr_queues = nr_cpu_ids;
		tags->map[i].queue_offset = i * nr_cpu_ids;
		blk_mq_map_queues(&tags->map[i]);
	}
}

static const struct blk_mq_ops ubd_mq_ops = {
	.queue_rq = ubd_queue_rq,
	.queue_rqs = ubd_queue_rqs,
	.commit_rqs = ubd_commit_rqs,
	.complete = ubd_complete,
	.poll = ubd_poll,
	.map_queues = ubd_map_queues,
};

void ubd_init_tags(struct ubd *ubd)
{
	ubd->tags.ops = &ubd_mq_ops;
	ubd->tags.nr_maps = HCTX_MAX_TYPES;
	ubd->tags.nr_hw_queues = HCTX_MAX_TYPES * nr_cpu_ids;
	ubd->tags.queue_depth = UBD_QUEUE_DEPTH;
	ubd->tags.numa_node = NUMA_NO_NODE;
	ubd->tags.cmd_size = sizeof(struct host_ubd_request);
	ubd->tags.flags = BLK_MQ_F_SHOULD_MERGE;
	ubd->tags.driver_data = ubd;
}

void ubd_limits(const struct ubd *ubd, struct queue_limits *lim)
{
	const struct host_ubd_limits *host = &ubd->info.limits;

	lim->logical_block_size = host->logical;
	lim->physical_block_size = host->physical;
	lim->io_min = host->io_min;
	lim->io_opt = host->io_opt;
	lim->dma_alignment = host->memory - 1;
	lim->max_hw_sectors = UBD_MAX_SECTORS;
	lim->max_segments = HOST_UBD_SEGMENTS;
	lim->max_segment_size = UBD_MAX_SECTORS << SECTOR_SHIFT;
	lim->seg_boundary_mask = ULONG_MAX;
	if (host->rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
	if (!(ubd->info.flags & HOST_UBD_SYNC))
		lim->features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	/*
	 * No secure erase: a hole leaves the old blocks on the host's disk,
	 * and so may a write.
	 */
	if (!(ubd->info.flags & (HOST_UBD_NO_TRIM | HOST_UBD_READ_ONLY))) {
		lim->max_hw_discard_sectors = UBD_TRIM_SECTORS;
		lim->discard_granularity = host->discard;
		lim->max_write_zeroes_sectors = UBD_TRIM_SECTORS;
	}
}

int __init ubd_queue_init(void)
{
	const char *name, *why;
	int err;

	err = um_event_request(&ubd_port.irq, -1, 0, ubd_irq, "ubd", &ubd_port);
	if (err)
		return err;
	ubd_port.host.event = ubd_port.irq.event;
	name = host_ubd_start(&ubd_port.host, &why, &err);
	if (err)
		pr_info("ubd: requests go through %s: %s (error %d)\n", name, why, err);
	else
		pr_info("ubd: requests go through %s%s%s\n", name, why ? ", " : "", why ?: "");
	return 0;
}
