/* Delivery status notifications (RFC 3464; RFC 6533 where addresses are not ASCII):
 *
 *   multipart/report; report-type=delivery-status
 *     text/plain                  for a human reader
 *     message/delivery-status     a group of fields on the message, and one for each recipient
 *     message/rfc822 or text/rfc822-headers
 */
#include "report.h"

#include <posthorn/error.h>

#include "build.h"
#include "build_field.h"
#include "encode.h"

struct status {
	struct ph_buf *buf;
	int result;
};

/* "Name: [type; ]text", if there is a text. */
static void add(struct status *status, const char *name, const char *type, struct ph_str text)
{
	if (text.len == 0)
		return;
	struct ph_buf value;
	ph_buf_init(&value, SIZE_MAX);
	if (type)
		ph_buf_printf(&value, "%s; ", type);
	ph_buf_add_str(&value, text);
	int result = build_field(
		&(struct ph_mime_new_field){
			.name = ph_str(name), .kind = PH_MIME_NEW_STRUCTURED, .text = ph_buf_str(&value) },
		status->buf);
	if (status->result == 0)
		status->result = result;
	ph_buf_free(&value);
}

static void add_date(struct status *status, const char *name, struct ph_mime_date date)
{
	struct ph_buf value;
	if (!date.known)
		return;
	ph_buf_init(&value, 100);
	date_print(date, &value);
	add(status, name, NULL, ph_buf_str(&value));
	ph_buf_free(&value);
}

static void add_recipient(struct status *status, const struct ph_mime_report_recipient *recipient)
{
	static const char *const actions[] = { [PH_MIME_FAILED] = "failed",
		[PH_MIME_DELAYED] = "delayed",
		[PH_MIME_DELIVERED] = "delivered",
		[PH_MIME_RELAYED] = "relayed",
		[PH_MIME_EXPANDED] = "expanded" };
	ph_buf_add_text(status->buf, "\r\n");
	add(status, "Original-Recipient", NULL, recipient->original);
	add(status, "Final-Recipient", is_ascii(recipient->final) ? "rfc822" : "utf-8", recipient->final);
	add(status, "Action", NULL, ph_str(actions[recipient->action]));
	add(status, "Status", NULL, recipient->status);
	add(status, "Remote-MTA", "dns", recipient->remote_mta);
	add(status, "Diagnostic-Code", "smtp", recipient->diagnostic);
	add_date(status, "Last-Attempt-Date", recipient->tried);
	add_date(status, "Will-Retry-Until", recipient->retry_until);
}

static int write_status(const struct ph_mime_report *report, struct ph_buf *buf)
{
	struct status status = { buf, 0 };
	add(&status, "Original-Envelope-Id", NULL, report->envelope_id);
	add(&status, "Reporting-MTA", "dns", report->reporting_mta);
	add(&status, "Received-From-MTA", "dns", report->received_from);
	add_date(&status, "Arrival-Date", report->arrival);
	for (size_t i = 0; i < report->recipient_count; i++)
		add_recipient(&status, &report->recipients[i]);
	return status.result;
}

/* Its three parts; the third only when there is something to return. */
static int write_report(const struct ph_mime_report *report, struct ph_str status,
	const struct ph_mime_new_field *fields, size_t field_count, struct ph_buf *buf)
{
	static const struct ph_mime_param type = { .name = PH_STR_INIT("report-type"),
		.value = PH_STR_INIT("delivery-status") };
	const struct ph_mime_new_part parts[] = {
		{ .body = report->text },
		{ .type = is_ascii(status) ? PH_STR("message/delivery-status")
					   : PH_STR("message/global-delivery-status"),
			.body = status },
		{ .type = report->original_is_whole ? PH_STR("message/rfc822")
						    : PH_STR("text/rfc822-headers"),
			.body = report->original },
	};
	const struct ph_mime_new_part message = {
		.fields = fields,
		.field_count = field_count,
		.type = PH_STR("multipart/report"),
		.params = { &type, 1 },
		.parts = parts,
		.part_count = report->original.len > 0 ? 3 : 2,
	};
	return build(&message, buf);
}

int build_report(const struct ph_mime_report *report, struct ph_buf *buf)
{
	struct ph_buf status, date;
	ph_buf_init(&status, SIZE_MAX);
	ph_buf_init(&date, 100);
	date_print(report->date, &date);
	const struct ph_mime_new_field fields[] = {
		{ .name = PH_STR("From"),
			.kind = PH_MIME_NEW_ADDRESSES,
			.addresses = &report->from,
			.address_count = 1 },
		{ .name = PH_STR("To"),
			.kind = PH_MIME_NEW_ADDRESSES,
			.addresses = &report->to,
			.address_count = 1 },
		{ .name = PH_STR("Date"), .kind = PH_MIME_NEW_STRUCTURED, .text = ph_buf_str(&date) },
		{ .name = PH_STR("Message-ID"), .kind = PH_MIME_NEW_STRUCTURED, .text = report->message_id },
		{ .name = PH_STR("Subject"), .text = report->subject },
		{ .name = PH_STR("Auto-Submitted"), .text = PH_STR("auto-replied") },
	};
	int result = report->recipient_count > 0 ? write_status(report, &status) : PH_E_INVALID;
	if (result == 0)
		result = write_report(
			report, ph_buf_str(&status), fields, sizeof fields / sizeof *fields, buf);
	ph_buf_free(&status);
	ph_buf_free(&date);
	return result;
}
