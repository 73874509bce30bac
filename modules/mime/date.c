/* Dates (RFC 5322, 3.3 and 4.3), and what else stands in Date fields: two-digit years, asctime's order, ISO
 * 8601, hyphens between day, month and year, dots in the time, "GMT+0100", "PM". The value is cut into words;
 * each word tells by its form what it is, so that their order hardly matters. */
#include "date.h"

#include "lexer.h"

struct clock {
	int year, month, day; /* month and day from 1; 0: not seen */
	int hour, minute, second;
	bool has_time;
	int zone; /* minutes */
	bool has_zone;
	bool afternoon, forenoon;
};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

static const struct {
	const char *name;
	int hours;
} zones[] = {
	{ "est", -5 },
	{ "edt", -4 },
	{ "cst", -6 },
	{ "cdt", -5 },
	{ "mst", -7 },
	{ "mdt", -6 },
	{ "pst", -8 },
	{ "pdt", -7 },
	{ "cet", 1 },
	{ "cest", 2 },
	{ "met", 1 },
	{ "mest", 2 },
	{ "eet", 2 },
	{ "eest", 3 },
	{ "bst", 1 },
	{ "msk", 3 },
	{ "jst", 9 },
};

static int month_of(struct ph_str word)
{
	for (int month = 0; month < 12 && word.len >= 3; month++)
		if (ph_str_case_eq(ph_str_slice(word, 0, 3), ph_str_of(months + 3 * month, 3)))
			return month + 1;
	return 0;
}

/* Takes up to `most` digits. Returns how many there were. */
static int take_digits(struct ph_str *word, int most, int *value_r)
{
	int count = 0;
	*value_r = 0;
	while (count < most && word->len > 0 && ph_is_digit(*word->data)) {
		*value_r = *value_r * 10 + (*word->data - '0');
		*word = ph_str_slice(*word, 1, word->len);
		count++;
	}
	return count;
}

static bool take_char(struct ph_str *word, const char *any)
{
	if (word->len == 0 || *word->data == 0 || !strchr(any, *word->data))
		return false;
	*word = ph_str_slice(*word, 1, word->len);
	return true;
}

/* "+0100", "-05:00", "+1"; what is no zone is one of 0 (RFC 5322, 4.3: unknown zones count as -0000). */
static void read_offset(struct ph_str word, struct clock *clock)
{
	int hours, minutes = 0;
	int sign = *word.data == '-' ? -1 : 1;
	word = ph_str_slice(word, 1, word.len);
	int count = take_digits(&word, 4, &hours);
	if (count >= 3) {
		minutes = hours % 100;
		hours /= 100;
	} else if (take_char(&word, ":")) {
		take_digits(&word, 2, &minutes);
	}
	if (count == 0 || clock->has_zone)
		return;
	clock->has_zone = true;
	clock->zone = hours < 24 && minutes < 60 ? sign * (hours * 60 + minutes) : 0;
}

/* "10:00", "10:00:00", "10.00.00", "10:00:00.123"; a zone may stick to it. */
static bool read_time(struct ph_str word, struct clock *clock)
{
	int hour, minute, second = 0, fraction;
	if (clock->has_time || take_digits(&word, 2, &hour) == 0 || !take_char(&word, ":.") ||
		take_digits(&word, 2, &minute) == 0)
		return false;
	if (take_char(&word, ":.") && take_digits(&word, 2, &second) == 0)
		return false;
	if (take_char(&word, ".,"))
		while (take_digits(&word, 4, &fraction) > 0)
			continue;
	clock->hour = hour;
	clock->minute = minute;
	clock->second = second;
	clock->has_time = true;
	if (word.len > 0 && (*word.data == '+' || *word.data == '-'))
		read_offset(word, clock);
	else if (word.len == 1 && ph_lower(*word.data) == 'z')
		clock->has_zone = true;
	return true;
}

static void set_year(int year, int digits, struct clock *clock)
{
	/* RFC 5322, 4.3. */
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3)
		year += 1900;
	clock->year = year;
}

/* "2024-01-31", perhaps with "T" and a time, or "31-Jan-2024", or a number alone: the day first, then the
 * year. */
static void read_number(struct ph_str word, struct clock *clock)
{
	int number, more;
	int digits = take_digits(&word, 4, &number);
	if (word.len > 0 && ph_is_digit(*word.data))
		return;
	if (digits == 4 && take_char(&word, "-/")) {
		clock->year = number;
		take_digits(&word, 2, &clock->month);
		if (take_char(&word, "-/"))
			take_digits(&word, 2, &clock->day);
		if (take_char(&word, "Tt"))
			read_time(word, clock);
		return;
	}
	if (digits <= 2 && clock->day == 0)
		clock->day = number;
	else if (digits >= 2 && clock->year == 0)
		set_year(number, digits, clock);
	if (take_char(&word, "-/") && month_of(word) && clock->month == 0) {
		clock->month = month_of(word);
		ptrdiff_t hyphen = ph_str_find(word, '-');
		word = ph_str_slice(word, hyphen < 0 ? 3 : (size_t)hyphen + 1, word.len);
		digits = take_digits(&word, 4, &more);
		if (digits >= 2)
			set_year(more, digits, clock);
	}
}

/* A month, a zone, or a weekday, which says nothing new. */
static void read_name(struct ph_str word, struct clock *clock)
{
	if (clock->month == 0 && month_of(word)) {
		clock->month = month_of(word);
		return;
	}
	if (!clock->has_time)
		return;
	clock->afternoon = clock->afternoon || ph_str_case_eq(word, PH_STR("pm"));
	clock->forenoon = clock->forenoon || ph_str_case_eq(word, PH_STR("am"));
	if (clock->has_zone)
		return;
	bool universal = ph_str_case_starts(word, PH_STR("gmt")) || ph_str_case_starts(word, PH_STR("utc"));
	if (universal && word.len > 3 && (word.data[3] == '+' || word.data[3] == '-'))
		read_offset(ph_str_slice(word, 3, word.len), clock);
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		if (ph_str_case_eq(word, ph_str(zones[i].name))) {
			clock->zone = zones[i].hours * 60;
			clock->has_zone = true;
		}
}

static void read_word(struct ph_str word, struct clock *clock)
{
	if (*word.data == '+' || *word.data == '-') {
		if (clock->has_time)
			read_offset(word, clock);
	} else if (ph_is_digit(*word.data)) {
		if (!read_time(word, clock))
			read_number(word, clock);
	} else {
		read_name(word, clock);
	}
}

/* Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is the last. */
static int64_t days_since_epoch(int year, int month, int day)
{
	year -= month <= 2;
	int64_t era = year / 400;
	int64_t of_era = year - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_valid(const struct clock *clock)
{
	return clock->year >= 1900 && clock->year <= 9999 && clock->month >= 1 && clock->month <= 12 &&
	       clock->day >= 1 && clock->day <= 31 && clock->hour < 24 && clock->minute < 60 &&
	       clock->second <= 60;
}

enum { LENGTH_MAX = 200 };

/* The words with one space between; comments and the obsolete white space around colons left out. */
static struct ph_str simplify(struct ph_str value, char out[LENGTH_MAX])
{
	size_t length = 0;
	struct lexer lexer = lexer_of(ph_str_slice(value, 0, LENGTH_MAX - 1));
	for (lexer_skip(&lexer); !lexer_ended(&lexer);) {
		char c = *lexer.at++;
		const char *begin = lexer.at;
		out[length++] = c == ',' ? ' ' : c;
		lexer_skip(&lexer);
		bool colon = c == ':' || (!lexer_ended(&lexer) && *lexer.at == ':');
		if (lexer.at > begin && !colon)
			out[length++] = ' ';
	}
	return ph_str_of(out, length);
}

struct ph_mime_date date_parse(struct ph_str value)
{
	char text[LENGTH_MAX];
	struct clock clock = { 0 };
	struct ph_str word, rest = simplify(value, text);
	while (ph_str_split(&rest, ' ', &word))
		if (word.len > 0)
			read_word(word, &clock);
	if (clock.afternoon && clock.hour < 12)
		clock.hour += 12;
	else if (clock.forenoon && clock.hour == 12)
		clock.hour = 0;
	if (!is_valid(&clock))
		return (struct ph_mime_date){ 0 };
	int64_t minutes =
		days_since_epoch(clock.year, clock.month, clock.day) * 1440 + clock.hour * 60 + clock.minute;
	return (struct ph_mime_date){
		.known = true,
		.time = (minutes - clock.zone) * 60 + clock.second,
		.zone = clock.zone,
	};
}
