/* Messages made from the seed: a vocabulary of made-up words, threads of three, and from 8 KB on MIME with
 * two alternatives and an attachment. Bodies are made once and shared, headers are each message's own. */
#ifndef MAILLOAD_MESSAGE_H
#define MAILLOAD_MESSAGE_H

#include <posthorn/buf.h>

#define MESSAGE_WORDS 4096
#define MESSAGE_WORD_SIZE 16

/* Makes bodies for messages of about so many bytes. Call it before the others. */
void message_prepare(size_t size);
/* Adds the header of message `number` and the empty line. */
void message_header(struct ph_buf *to, long number, const char *recipient);
/* Valid for ever. Ends with CRLF, and no line begins with a dot. */
struct ph_str message_body(long number);
/* Word `number` of the vocabulary, for searches; low numbers are more frequent in messages. */
const char *message_word(uint64_t number, char word[MESSAGE_WORD_SIZE]);
/* A random word, as frequent as in messages. */
uint64_t message_pick(void);

#endif
