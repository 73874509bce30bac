/* What messages are sorted by: base subjects (RFC 5256, 2.1), the first address of a field (RFC 5256, 3, and
 * RFC 5957, 3). */
#include "sort.h"

#include "header.h"

/* --- addresses --- */

static struct ph_str join_address(const struct ph_mime_address *address, struct ph_pool *pool)
{
	size_t length = address->local.len;
	char *text = ph_pool_alloc(pool, length + 1 + address->domain.len);
	if (!text)
		return (struct ph_str){ NULL, 0 };
	if (length > 0)
		memcpy(text, address->local.data, length);
	text[length++] = '@';
	memcpy(text + length, address->domain.data, address->domain.len);
	return ph_str_of(text, length + address->domain.len);
}

void sort_keys(const struct address_list *list, struct ph_pool *pool, struct ph_str *mailbox_r,
	struct ph_str *display_r)
{
	*mailbox_r = *display_r = (struct ph_str){ NULL, 0 };
	if (list->count == 0)
		return;
	const struct ph_mime_address *first = &list->items[0];
	bool is_group = first->kind == PH_MIME_GROUP_BEGIN;
	*mailbox_r = header_decode(is_group ? first->name : first->local, pool);
	*display_r = header_decode(first->name, pool);
	if (display_r->len > 0)
		return;
	*display_r = *mailbox_r;
	if (first->domain.len > 0)
		*display_r = header_decode(join_address(first, pool), pool);
}

/* --- subjects --- */

static size_t space_length(struct ph_str text)
{
	size_t length = 0;
	while (length < text.len && (text.data[length] == ' ' || text.data[length] == '\t'))
		length++;
	return length;
}

static struct ph_str behind(struct ph_str text, size_t length)
{
	return ph_str_slice(text, length, text.len);
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP. 0: the text does not begin with one. */
static size_t blob_length(struct ph_str text)
{
	if (text.len == 0 || text.data[0] != '[')
		return 0;
	for (size_t i = 1; i < text.len && text.data[i] != '['; i++)
		if (text.data[i] == ']')
			return i + 1 + space_length(behind(text, i + 1));
	return 0;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static size_t reply_mark_length(struct ph_str text)
{
	size_t length = ph_str_case_starts(text, PH_STR("fwd")) ? 3
			: ph_str_case_starts(text, PH_STR("fw")) || ph_str_case_starts(text, PH_STR("re"))
				? 2
				: 0;
	if (length == 0)
		return 0;
	length += space_length(behind(text, length));
	length += blob_length(behind(text, length));
	return length < text.len && text.data[length] == ':' ? length + 1 : 0;
}

/* Step 2. */
static bool remove_trailers(struct ph_str *text)
{
	static const size_t mark = sizeof "(fwd)" - 1;
	bool marked = false;
	for (;;) {
		*text = ph_str_trim(*text);
		if (text->len < mark || !ph_str_case_eq(behind(*text, text->len - mark), PH_STR("(fwd)")))
			return marked;
		text->len -= mark;
		marked = true;
	}
}

/* Steps 3 to 5. Blobs go when a reply mark follows them; or when text does, that is all but one that would be
 * the last thing left. So a row of them is looked at once. */
static bool remove_leaders(struct ph_str *text)
{
	bool marked = false;
	for (;;) {
		size_t last = 0, end = space_length(*text), blob;
		size_t begin = end;
		while ((blob = blob_length(behind(*text, end))) > 0) {
			last = end;
			end += blob;
		}
		size_t mark = reply_mark_length(behind(*text, end));
		if (mark == 0) {
			*text = behind(*text, end < text->len ? end : end > begin ? last : begin);
			return marked;
		}
		*text = behind(*text, end + mark);
		marked = true;
	}
}

/* Step 6: "[fwd: ... ]". */
static bool remove_forward(struct ph_str *text)
{
	static const size_t mark = sizeof "[fwd:" - 1;
	if (!ph_str_case_starts(*text, PH_STR("[fwd:")) || text->data[text->len - 1] != ']')
		return false;
	*text = ph_str_slice(*text, mark, text->len - 1);
	return true;
}

/* Step 1, of a subject that is decoded: white space of any length is one space. */
static struct ph_str squeeze(struct ph_str subject, struct ph_pool *pool)
{
	char *out = ph_pool_alloc(pool, subject.len + 1);
	size_t length = 0;
	for (size_t i = 0; out && i < subject.len; i++) {
		bool space = subject.data[i] == ' ' || subject.data[i] == '\t';
		if (!space)
			out[length++] = subject.data[i];
		else if (length == 0 || out[length - 1] != ' ')
			out[length++] = ' ';
	}
	return ph_str_of(out, length);
}

bool base_subject(struct ph_str subject, struct ph_pool *pool, struct ph_str *base_r)
{
	struct ph_str text = squeeze(subject, pool);
	bool marked = false, forwarded;
	do {
		marked |= remove_trailers(&text);
		marked |= remove_leaders(&text);
		forwarded = remove_forward(&text);
		marked |= forwarded;
	} while (forwarded);
	*base_r = text;
	return marked;
}
