// SPDX-License-Identifier: GPL-2.0
/*
 * One interrupt number for each watched host descriptor. The watch's cookie
 * is the number, so that serving an event is one call of the generic code.
 */
#include <linux/export.h>
#include <linux/irq.h>
#include <linux/numa.h>
#include <asm/events.h>
#include <asm/irq.h>

int um_event_request(struct um_event_irq *e, int fd, int mask,
		     irq_handler_t fn, const char *name, void *dev)
{
	int irq = irq_alloc_desc_from(UM_FIRST_EVENT_IRQ, NUMA_NO_NODE);
	int err;

	if (irq < 0)
		return irq;
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_set_status_flags(irq, IRQ_NOPROBE);

	err = -ENOMEM;
	e->irq = irq;
	e->dev = dev;
	e->event = host_event_create(fd, mask, irq);
	if (!e->event)
		goto free_irq;
	err = request_irq(irq, fn, 0, name, dev);
	if (err)
		goto free_event;
	host_event_rearm(e->event);
	return 0;

free_event:
	host_event_destroy(e->event);
free_irq:
	irq_free_desc(irq);
	e->event = NULL;
	return err;
}
EXPORT_SYMBOL_GPL(um_event_request);

void um_event_rearm(struct um_event_irq *e)
{
	host_event_rearm(e->event);
}
EXPORT_SYMBOL_GPL(um_event_rearm);

void um_event_free(struct um_event_irq *e)
{
	if (!e->event)
		return;
	host_event_destroy(e->event);
	e->event = NULL;
	free_irq(e->irq, e->dev);
	irq_free_desc(e->irq);
}
EXPORT_SYMBOL_GPL(um_event_free);
