/* What the whole module shares: its configuration, its services, its metrics. */
#include <config.h>

#include "smtp.h"

#include <posthorn/metric.h>

struct smtp_config smtp_config;
struct smtp_services smtp_services;

static struct ph_metric *messages, *bytes;
static struct ph_metric *refused_messages[REFUSALS], *refused_recipients[REFUSALS];

static const char *const labels[REFUSALS] = {
	[REFUSED_UNKNOWN] = "reason=\"unknown\"",
	[REFUSED_RELAY] = "reason=\"relay\"",
	[REFUSED_POLICY] = "reason=\"policy\"",
	[REFUSED_LIMIT] = "reason=\"limit\"",
	[REFUSED_CONTENT] = "reason=\"content\"",
	[REFUSED_TEMPORARY] = "reason=\"temporary\"",
};

void counters_init(void)
{
	messages = ph_metric_counter("posthorn_smtp_messages_total", NULL, "Messages accepted.");
	bytes = ph_metric_counter("posthorn_smtp_message_bytes_total", NULL, "Bytes of accepted messages.");
	for (int i = 0; i < REFUSALS; i++) {
		refused_messages[i] = ph_metric_counter("posthorn_smtp_messages_refused_total", labels[i],
			"Messages refused, at MAIL or after their text.");
		refused_recipients[i] = ph_metric_counter(
			"posthorn_smtp_recipients_refused_total", labels[i], "Recipients refused.");
	}
}

void count_message(uint64_t size)
{
	ph_metric_add(messages, 1);
	ph_metric_add(bytes, (int64_t)size);
}

void count_refused_message(enum refusal why)
{
	ph_metric_add(refused_messages[why], 1);
}

void count_refused_recipient(enum refusal why)
{
	ph_metric_add(refused_recipients[why], 1);
}
