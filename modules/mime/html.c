/* HTML as text. No tree is built, nothing is remembered but where in the markup the reader is: whatever
 * comes, the work is one step for each byte. Tags go, those of blocks leave a line end; references become
 * their characters; scripts, styles and the like are passed over; white space of any length is one space. */
#include "html.h"

#include <string.h>

#include "html_entity.h"
#include "utf8.h"

enum state {
	TEXT,
	TAG_OPEN,   /* after '<' */
	TAG_NAME,   /* in it, or after "</" */
	TAG_REST,   /* the attributes */
	BANG,       /* after "<!" */
	COMMENT,    /* after "<!--" */
	SKIP_TAG,   /* "<!...>" and "<?...>" */
	REFERENCE,  /* after '&' */
	HIDDEN_TEXT /* of an element that is not shown */
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static const char *const hidden_elements[] = { "script", "style", "title", "template", "noembed", "noframes",
	"iframe", NULL };
static const char *const blocks[] = { "address", "article", "aside", "blockquote", "body", "br", "center",
	"dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
	"header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section", "table", "tr", "ul",
	NULL };
static const char *const cells[] = { "td", "th", NULL };

/* --- text --- */

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Mailings put them in rows, to fill what previews show. */
static bool is_unseen(uint32_t c)
{
	return c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x34F ||
	       (c >= 0x200B && c <= 0x200F) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

static void add_character(struct html *html, uint32_t character, struct ph_buf *buf)
{
	char bytes[UTF8_MAX];
	if (is_space(character)) {
		html->space = true;
		return;
	}
	if (is_unseen(character))
		return;
	if (html->begun && (html->line || html->space))
		ph_buf_add_char(buf, html->line ? '\n' : ' ');
	html->begun = true;
	html->line = html->space = false;
	ph_buf_add(buf, bytes, utf8_put(character, bytes));
}

/* A byte of text; those of one character are gathered. */
static void add_byte(struct html *html, unsigned char c, struct ph_buf *buf)
{
	uint32_t character;
	html->held[html->held_count++] = c;
	int length = utf8_next((const char *)html->held, html->held_count, &character);
	if (length == 0)
		return;
	add_character(html, length > 0 ? character : 0xFFFD, buf);
	html->held_count = 0;
}

/* --- references --- */

/* The reference as it was written, when it is none. */
static void add_reference_text(struct html *html, struct ph_buf *buf)
{
	add_character(html, '&', buf);
	for (unsigned i = 0; i < html->entity_length; i++)
		add_character(html, (unsigned char)html->entity[i], buf);
}

/* Ends a reference, with or without ";". True when the character `c` behind it has been used. */
static bool end_reference(struct html *html, char c, struct ph_buf *buf)
{
	html->state = TEXT;
	html->entity[html->entity_length] = 0;
	uint32_t character = html->entity_length > 0 ? html_entity(html->entity) : 0;
	if (character == 0) {
		add_reference_text(html, buf);
		return false;
	}
	add_character(html, character, buf);
	return c == ';';
}

static bool in_reference(struct html *html, char c, struct ph_buf *buf)
{
	bool part = ph_is_alpha(c) || ph_is_digit(c) || (c == '#' && html->entity_length == 0);
	if (!part || html->entity_length + 1 == HTML_ENTITY_MAX)
		return end_reference(html, c, buf);
	html->entity[html->entity_length++] = c;
	return true;
}

/* --- tags --- */

static const char *hidden_element(const char *name)
{
	for (const char *const *element = hidden_elements; *element; element++)
		if (strcmp(name, *element) == 0)
			return *element;
	return NULL;
}

static void end_tag(struct html *html)
{
	html->name[html->name_length] = 0;
	html->state = html->hidden ? HIDDEN_TEXT : TEXT;
	if (html->hidden) {
		if (html->is_end && strcmp(html->name, html->hidden) == 0) {
			html->hidden = NULL;
			html->state = TEXT;
		}
		return;
	}
	if (is_one_of(html->name, blocks))
		html->line = true;
	else if (is_one_of(html->name, cells))
		html->space = true;
	else if (!html->is_end && (html->hidden = hidden_element(html->name)))
		html->state = HIDDEN_TEXT;
}

/* After '<': false when it was no markup but a character. */
static bool open_tag(struct html *html, char c)
{
	html->name_length = 0;
	html->quote = 0;
	html->is_end = c == '/';
	if (html->hidden && c != '/') {
		html->state = HIDDEN_TEXT;
		return c != '<';
	}
	if (c == '/') {
		html->state = TAG_NAME;
	} else if (ph_is_alpha(c)) {
		html->name[html->name_length++] = ph_lower(c);
		html->state = TAG_NAME;
	} else if (c == '!') {
		html->state = BANG;
		html->dashes = 0;
	} else if (c == '?') {
		html->state = SKIP_TAG;
	} else {
		return false;
	}
	return true;
}

/* In what is hidden, only its own end tag is markup. */
static void end_tag_name(struct html *html, char c)
{
	html->name[html->name_length] = 0;
	if (html->hidden && strcmp(html->name, html->hidden) != 0)
		html->state = c == '<' ? TAG_OPEN : HIDDEN_TEXT;
	else
		html->state = TAG_REST;
}

/* A name that is too long is that of no element known here. */
static void in_tag_name(struct html *html, char c)
{
	if (c == '>')
		end_tag(html);
	else if (!ph_is_alpha(c) && !ph_is_digit(c))
		end_tag_name(html, c);
	else if (html->name_length + 1 < HTML_NAME_MAX)
		html->name[html->name_length++] = ph_lower(c);
	else
		html->name[0] = '-';
}

static void in_tag_rest(struct html *html, char c)
{
	if (html->quote)
		html->quote = c == html->quote ? 0 : html->quote;
	else if (c == '>')
		end_tag(html);
	else if (c == '"' || c == '\'')
		html->quote = c;
}

static void in_comment(struct html *html, char c)
{
	if (c == '>' && html->dashes >= 2)
		html->state = TEXT;
	html->dashes = c == '-' ? (html->dashes < 2 ? html->dashes + 1 : 2) : 0;
}

static void after_bang(struct html *html, char c)
{
	if (c == '-' && ++html->dashes == 2) {
		html->state = COMMENT;
	} else if (c != '-') {
		html->state = c == '>' ? TEXT : SKIP_TAG;
	}
}

/* --- all --- */

static void begin_in_text(struct html *html, unsigned char c, struct ph_buf *buf)
{
	if (c == '<') {
		html->state = TAG_OPEN;
	} else if (c == '&') {
		html->state = REFERENCE;
		html->entity_length = 0;
	} else {
		add_byte(html, c, buf);
	}
}

static void take(struct html *html, unsigned char c, struct ph_buf *buf)
{
	switch (html->state) {
	case TAG_OPEN:
		if (open_tag(html, (char)c))
			return;
		if (html->hidden) {
			html->state = TAG_OPEN;
			return;
		}
		html->state = TEXT;
		add_character(html, '<', buf);
		begin_in_text(html, c, buf);
		return;
	case TAG_NAME:
		in_tag_name(html, (char)c);
		return;
	case TAG_REST:
		in_tag_rest(html, (char)c);
		return;
	case BANG:
		after_bang(html, (char)c);
		return;
	case COMMENT:
		in_comment(html, (char)c);
		return;
	case SKIP_TAG:
		html->state = c == '>' ? TEXT : SKIP_TAG;
		return;
	case REFERENCE:
		if (!in_reference(html, (char)c, buf))
			begin_in_text(html, c, buf);
		return;
	case HIDDEN_TEXT:
		html->state = c == '<' ? TAG_OPEN : HIDDEN_TEXT;
		return;
	default:
		begin_in_text(html, c, buf);
	}
}

void html_feed(struct html *html, struct ph_str piece, struct ph_buf *buf)
{
	for (size_t i = 0; i < piece.len; i++)
		take(html, (unsigned char)piece.data[i], buf);
}

/* Markup without its end is not text; a reference is. */
void html_finish(struct html *html, struct ph_buf *buf)
{
	if (html->state == REFERENCE)
		end_reference(html, 0, buf);
	else if (html->state == TAG_OPEN && !html->hidden)
		add_character(html, '<', buf);
	html->state = TEXT;
}

bool html_text(struct ph_str text, struct ph_buf *buf)
{
	struct html html = { 0 };
	html_feed(&html, text, buf);
	html_finish(&html, buf);
	return !buf->failed;
}
