// SPDX-License-Identifier: GPL-2.0
/*
 * The block device: host files as disks /dev/ubda to /dev/ubdp.
 *
 * Each disk of the command line is a platform device uml-blkdev.<n>. Requests
 * are described to the host half (ubd_host.h), which finishes a read at once
 * if the host has the data in memory; otherwise a host thread does the work
 * and the queue's interrupt completes it. Data moves directly between the
 * file and guest memory, through the linear map.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/hdreg.h>
#include <linux/init.h>
#include <linux/major.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <asm/events.h>
#include "ubd_host.h"

#define UBD_NAME		"uml-blkdev"
#define UBD_MINORS		16
#define UBD_QUEUES		1
#define UBD_QUEUE_DEPTH		64
#define UBD_MAX_SECTORS		2048	/* of one request: 1 MiB */
#define UBD_TRIM_SECTORS	(UINT_MAX >> SECTOR_SHIFT)

/**
 * struct ubd_queue - a hardware queue
 * @host: where the host half leaves finished requests
 * @irq: its interrupt
 */
struct ubd_queue {
	struct host_ubd_queue host;
	struct um_event_irq irq;
};

/**
 * struct ubd - a disk
 * @nr: its number
 * @info: what the host half told about it
 * @host: the open file
 * @disk: as the block layer sees it
 * @tags: requests of all its queues
 * @queues: its hardware queues
 */
struct ubd {
	int nr;
	struct host_ubd_info info;
	struct host_ubd *host;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	struct ubd_queue queues[UBD_QUEUES];
};

/* Requests */

/* Returns false if the request has more pieces than it may have. */
static bool map_segments(struct request *rq, struct host_ubd_request *request)
{
	struct host_ubd_segment *segment = NULL;
	struct req_iterator iter;
	struct bio_vec bv;

	request->nr_segments = 0;
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

static blk_status_t ubd_result(struct request *rq, struct host_ubd_request *request)
{
	if (request->error == -EOPNOTSUPP) {
		/* The host's file system can't do it: don't ask again. */
		if (request->op == HOST_UBD_DISCARD)
			blk_queue_disable_discard(rq->q);
		else if (request->op == HOST_UBD_ZERO)
			blk_queue_disable_write_zeroes(rq->q);
	}
	return errno_to_blk_status(request->error);
}

static blk_status_t ubd_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct ubd_queue *queue = hctx->driver_data;
	struct request *rq = bd->rq;
	struct host_ubd_request *request = blk_mq_rq_to_pdu(rq);
	struct ubd *ubd = rq->q->queuedata;

	request->ubd = ubd->host;
	request->queue = &queue->host;
	request->fua = !!(rq->cmd_flags & REQ_FUA);
	request->keep = !!(rq->cmd_flags & REQ_NOUNMAP);
	request->error = 0;
	request->nr_segments = 0;
	request->offset = blk_rq_pos(rq) << SECTOR_SHIFT;
	request->len = blk_rq_bytes(rq);

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
	if (request->op <= HOST_UBD_WRITE && !map_segments(rq, request))
		return BLK_STS_IOERR;

	blk_mq_start_request(rq);
	if (host_ubd_submit(request))
		blk_mq_end_request(rq, ubd_result(rq, request));
	return BLK_STS_OK;
}

static irqreturn_t ubd_irq(int irq, void *dev)
{
	struct ubd_queue *queue = dev;
	struct host_ubd_request *request, *next;

	for (request = host_ubd_finished(&queue->host); request; request = next) {
		next = request->next;
		blk_mq_complete_request(blk_mq_rq_from_pdu(request));
	}
	um_event_rearm(&queue->irq);
	return IRQ_HANDLED;
}

static void ubd_complete(struct request *rq)
{
	blk_mq_end_request(rq, ubd_result(rq, blk_mq_rq_to_pdu(rq)));
}

static int ubd_init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int nr)
{
	struct ubd *ubd = data;

	hctx->driver_data = &ubd->queues[nr];
	return 0;
}

static const struct blk_mq_ops ubd_mq_ops = {
	.queue_rq = ubd_queue_rq,
	.complete = ubd_complete,
	.init_hctx = ubd_init_hctx,
};

/* Disks */

static int ubd_getgeo(struct block_device *bdev, struct hd_geometry *geo)
{
	geo->heads = 128;
	geo->sectors = 32;
	geo->cylinders = get_capacity(bdev->bd_disk) / (128 * 32);
	return 0;
}

/*
 * Users know the disks also as /dev/ubd0 and /dev/ubd/0. udev makes, and
 * systemd waits for, the links that the event names.
 */
static int ubd_uevent(const struct device *dev, struct kobj_uevent_env *env)
{
	struct block_device *bdev = dev_to_bdev(dev);
	struct ubd *ubd = bdev->bd_disk->private_data;

	if (bdev_is_partition(bdev))
		return add_uevent_var(env, "DEVLINKS=/dev/ubd%dp%d /dev/ubd/%dp%d",
				      ubd->nr, bdev_partno(bdev), ubd->nr, bdev_partno(bdev));
	return add_uevent_var(env, "DEVLINKS=/dev/ubd%d /dev/ubd/%d", ubd->nr, ubd->nr);
}

static const struct block_device_operations ubd_fops = {
	.owner = THIS_MODULE,
	.getgeo = ubd_getgeo,
	.uevent = ubd_uevent,
};

/* The same names where there is no udev. */
static void ubd_make_links(struct ubd *ubd)
{
	char name[16], target[DISK_NAME_LEN + 4];

	snprintf(name, sizeof(name), "ubd%d", ubd->nr);
	devtmpfs_create_symlink(name, ubd->disk->disk_name);
	snprintf(name, sizeof(name), "ubd/%d", ubd->nr);
	snprintf(target, sizeof(target), "../%s", ubd->disk->disk_name);
	devtmpfs_create_symlink(name, target);
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct ubd *ubd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", ubd->info.serial);
}
static DEVICE_ATTR_RO(serial);

static struct attribute *ubd_attrs[] = {
	&dev_attr_serial.attr,
	NULL,
};
ATTRIBUTE_GROUPS(ubd);

static void report_open_error(struct ubd *ubd, int err)
{
	const char *file = ubd->info.file;
	char name = 'a' + ubd->nr;

	if (err == -EAGAIN && ubd->info.size)
		pr_err("ubd%c: F_SETLK failed, file already locked by pid %llu\n",
		       name, ubd->info.size);
	if (err == -EAGAIN)
		pr_err("ubd%c: Failed to lock '%s', err = %d: another machine uses it (ubd%dc= shares it)\n",
		       name, file, -err, ubd->nr);
	else if (err == -EMEDIUMTYPE)
		pr_err("ubd%c: \"%s\" is a COW file, which this kernel can't use yet (ubd%dd= takes it as plain data)\n",
		       name, file, ubd->nr);
	else
		pr_err("ubd%c: Can't open \"%s\": errno = %d\n", name, file, -err);
}

static int ubd_open(struct ubd *ubd)
{
	bool wanted_ro = ubd->info.flags & HOST_UBD_READ_ONLY;
	int err;

	if (IS_ENABLED(CONFIG_BLK_DEV_UBD_SYNC))
		ubd->info.flags |= HOST_UBD_SYNC;
	err = host_ubd_open(ubd->nr, &ubd->info, &ubd->host);
	if (err) {
		report_open_error(ubd, err);
		return err;
	}
	if (ubd->info.flags & HOST_UBD_SHARED)
		pr_info("ubd%c: Not locking \"%s\" on the host\n", 'a' + ubd->nr, ubd->info.file);
	if (!wanted_ro && (ubd->info.flags & HOST_UBD_READ_ONLY))
		pr_notice("ubd%c: \"%s\" can't be written; the disk is read-only\n",
			  'a' + ubd->nr, ubd->info.file);
	return 0;
}

static void ubd_free_queues(struct ubd *ubd)
{
	int i;

	for (i = 0; i < UBD_QUEUES; i++)
		um_event_free(&ubd->queues[i].irq);
}

static int ubd_init_queues(struct ubd *ubd)
{
	int i, err;

	for (i = 0; i < UBD_QUEUES; i++) {
		struct ubd_queue *queue = &ubd->queues[i];

		err = um_event_request(&queue->irq, -1, 0, ubd_irq, "ubd", queue);
		if (err) {
			ubd_free_queues(ubd);
			return err;
		}
		queue->host.event = queue->irq.event;
	}
	return 0;
}

static void ubd_limits(struct ubd *ubd, struct queue_limits *lim)
{
	lim->logical_block_size = SECTOR_SIZE;
	lim->max_hw_sectors = UBD_MAX_SECTORS;
	lim->max_segments = HOST_UBD_SEGMENTS;
	lim->max_segment_size = UBD_MAX_SECTORS << SECTOR_SHIFT;
	lim->seg_boundary_mask = ULONG_MAX;
	if (!(ubd->info.flags & HOST_UBD_SYNC))
		lim->features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	if (!(ubd->info.flags & (HOST_UBD_NO_TRIM | HOST_UBD_READ_ONLY))) {
		lim->max_hw_discard_sectors = UBD_TRIM_SECTORS;
		lim->discard_granularity = PAGE_SIZE;
		lim->max_write_zeroes_sectors = UBD_TRIM_SECTORS;
	}
}

static int ubd_add_disk(struct ubd *ubd, struct device *parent)
{
	struct queue_limits lim = { };
	struct gendisk *disk;
	int err;

	ubd->tags.ops = &ubd_mq_ops;
	ubd->tags.nr_hw_queues = UBD_QUEUES;
	ubd->tags.queue_depth = UBD_QUEUE_DEPTH;
	ubd->tags.numa_node = NUMA_NO_NODE;
	ubd->tags.cmd_size = sizeof(struct host_ubd_request);
	ubd->tags.flags = BLK_MQ_F_SHOULD_MERGE;
	ubd->tags.driver_data = ubd;
	err = blk_mq_alloc_tag_set(&ubd->tags);
	if (err)
		return err;

	ubd_limits(ubd, &lim);
	disk = blk_mq_alloc_disk(&ubd->tags, &lim, ubd);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto free_tags;
	}
	ubd->disk = disk;
	disk->major = UBD_MAJOR;
	disk->first_minor = ubd->nr * UBD_MINORS;
	disk->minors = UBD_MINORS;
	disk->fops = &ubd_fops;
	disk->private_data = ubd;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "ubd%c", 'a' + ubd->nr);
	set_capacity(disk, DIV_ROUND_UP_ULL(ubd->info.size, SECTOR_SIZE));
	set_disk_ro(disk, ubd->info.flags & HOST_UBD_READ_ONLY);

	err = device_add_disk(parent, disk, ubd_groups);
	if (err)
		goto put_disk;
	return 0;

put_disk:
	put_disk(disk);
free_tags:
	blk_mq_free_tag_set(&ubd->tags);
	return err;
}

static int ubd_probe(struct platform_device *pdev)
{
	struct ubd *ubd = devm_kzalloc(&pdev->dev, sizeof(*ubd), GFP_KERNEL);
	int err;

	if (!ubd)
		return -ENOMEM;
	ubd->nr = pdev->id;
	host_ubd_configured(ubd->nr, &ubd->info);

	err = ubd_open(ubd);
	if (err)
		goto fail;
	err = ubd_init_queues(ubd);
	if (err)
		goto close;
	err = ubd_add_disk(ubd, &pdev->dev);
	if (err)
		goto free_queues;
	ubd_make_links(ubd);
	platform_set_drvdata(pdev, ubd);
	return 0;

free_queues:
	ubd_free_queues(ubd);
close:
	host_ubd_close(ubd->host);
fail:
	pr_err("Failed to initialize ubd device %d: %pe\n", ubd->nr, ERR_PTR(err));
	/* Said already; the machine goes on without the disk. */
	return -ENODEV;
}

static struct platform_driver ubd_driver = {
	.probe = ubd_probe,
	.driver = {
		.name = UBD_NAME,
		.suppress_bind_attrs = true,
	},
};

static int __init ubd_init(void)
{
	struct host_ubd_info info;
	struct platform_device *pdev;
	int err, i;

	err = register_blkdev(UBD_MAJOR, "ubd");
	if (err)
		return err;
	err = platform_driver_register(&ubd_driver);
	if (err) {
		unregister_blkdev(UBD_MAJOR, "ubd");
		return err;
	}
	for (i = 0; i < HOST_UBD_MAX; i++) {
		if (!host_ubd_configured(i, &info))
			continue;
		pdev = platform_device_register_simple(UBD_NAME, i, NULL, 0);
		if (IS_ERR(pdev))
			pr_err("Failed to initialize ubd device %d: %pe\n", i, pdev);
	}
	return 0;
}
device_initcall(ubd_init);
