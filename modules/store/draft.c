/* A message on its way in: its bytes go to the kv and through the parser in the same pass. */
#include <config.h>

#include <stdlib.h>

#include <posthorn/buf.h>
#include <posthorn/mem.h>

#include "message.h"
#include "thread.h"

struct ph_draft {
	struct ph_kv_draft *blob;
	struct ph_mime_parser *parser;
	const struct ph_mime_message *message; /* when finished */
	struct ph_buf summary;
	struct thread thread;
};

struct ph_draft *draft_new(void)
{
	struct ph_draft *draft = ph_alloc(sizeof(*draft));

	draft->blob = store.kv->draft_new();
	draft->parser = store.mime->parser_new(NULL);
	ph_buf_init(&draft->summary, SUMMARY_MAX);
	return draft;
}

int draft_write(struct ph_draft *draft, struct ph_str bytes, struct ph_error *error)
{
	int result = store.kv->draft_write(draft->blob, bytes, error);

	if (result == 0)
		store.mime->parser_feed(draft->parser, bytes);
	return result;
}

uint64_t draft_size(const struct ph_draft *draft)
{
	return store.kv->draft_size(draft->blob);
}

int draft_finish(struct ph_draft *draft, const struct ph_mime_message **message_r, struct ph_error *error)
{
	struct ph_str bytes;
	int result;

	if (!draft->message) {
		draft->message = store.mime->parser_finish(draft->parser);
		store.mime->summary_encode(draft->message, &draft->summary);
		if (draft->summary.failed)
			ph_buf_reset(&draft->summary);
	}
	if (message_r)
		*message_r = draft->message;
	/* A write that failed shows here again. */
	result = store.kv->draft_view(draft->blob, 0, &bytes, error);
	if (result == 0 && draft->thread.id == 0)
		result = thread_of(draft->message, store.kv->draft_id(draft->blob), &draft->thread, error);
	return result;
}

int draft_view(struct ph_draft *draft, uint64_t offset, struct ph_str *bytes_r, struct ph_error *error)
{
	return store.kv->draft_view(draft->blob, offset, bytes_r, error);
}

static int view_source(void *arg, uint64_t offset, struct ph_str *bytes_r)
{
	return draft_view(arg, offset, bytes_r, NULL);
}

struct ph_mime_source draft_source(struct ph_draft *draft)
{
	return (struct ph_mime_source){ view_source, draft };
}

void draft_free(struct ph_draft **draft)
{
	if (!*draft)
		return;
	store.kv->draft_free(&(*draft)->blob);
	store.mime->parser_free(&(*draft)->parser);
	ph_buf_free(&(*draft)->summary);
	free(*draft);
	*draft = NULL;
}

struct ph_kv_draft *draft_blob(const struct ph_draft *draft)
{
	return draft->blob;
}

const struct thread *draft_thread(const struct ph_draft *draft)
{
	return &draft->thread;
}

struct ph_str draft_summary(const struct ph_draft *draft)
{
	return ph_buf_str(&draft->summary);
}
