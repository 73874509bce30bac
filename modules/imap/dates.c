/* Day numbers count from 1970-01-01. The year is taken to begin in March, so that the leap day is its last.
 */
#include "dates.h"

#include <stdio.h>

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	"Nov", "Dec" };

int month_number(struct ph_str name)
{
	for (int i = 0; i < 12; i++) {
		if (ph_str_case_eq(name, ph_str(months[i])))
			return i + 1;
	}
	return 0;
}

bool day_is_valid(int year, int month, int day)
{
	static const int lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return day >= 1 && day <= lengths[month - 1] + (leap && month == 2);
}

int64_t days_of_date(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t day_of_moment(int64_t seconds, int zone)
{
	return floor_div(seconds + (int64_t)zone * 60, 86400);
}

static void date_of_days(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153;

	*day_r = (int)(day_of_year - (153 * m + 2) / 5 + 1);
	*month_r = (int)(m < 10 ? m + 3 : m - 9);
	*year_r = (int)(year_of_era + era * 400 + (*month_r <= 2));
}

size_t date_time_print(int64_t seconds, int zone, char text[DATE_TIME_SIZE])
{
	int64_t day_number = day_of_moment(seconds, zone);
	int in_day = (int)(seconds + (int64_t)zone * 60 - day_number * 86400);
	int minutes = zone < 0 ? -zone : zone;
	int year, month, day;

	date_of_days(day_number, &year, &month, &day);
	if (year < 0 || year > 9999)
		return date_time_print(0, 0, text);
	return (size_t)snprintf(text, DATE_TIME_SIZE, "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", day,
		months[month - 1], year, in_day / 3600, in_day / 60 % 60, in_day % 60, zone < 0 ? '-' : '+',
		minutes / 60 % 100, minutes % 60);
}
