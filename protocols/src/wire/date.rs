//! Dates as HTTP writes them (RFC 9110 section 5.6.7).

#[cfg(test)]
mod tests;

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// 9999-12-31 23:59:59: the format has four digits for the year.
const LAST: u64 = 253_402_300_799;

/// Writes an IMF-fixdate, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// `unix_seconds` counts from 1970-01-01 00:00:00 UTC; what lies beyond the year 9999 is written as its last second.
pub fn imf_fixdate(unix_seconds: u64, out: &mut [u8; 29]) {
    let seconds = unix_seconds.min(LAST);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    *out = *b"Thu, 00 Jan 0000 00:00:00 GMT";
    let [w0, w1, w2, _, _, d0, d1, _, m0, m1, m2, _, y0, y1, y2, y3, _, h0, h1, _, n0, n1, _, s0, s1, ..] = out;
    [*w0, *w1, *w2] = *DAYS[(days % 7) as usize];
    [*m0, *m1, *m2] = *MONTHS[(month % 12) as usize];
    [*d0, *d1] = two_digits(day);
    [*y0, *y1] = two_digits(year / 100);
    [*y2, *y3] = two_digits(year % 100);
    [*h0, *h1] = two_digits(time / 3_600);
    [*n0, *n1] = two_digits(time / 60 % 60);
    [*s0, *s1] = two_digits(time % 60);
}

/// Two decimal digits of a number below 100.
fn two_digits(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// Year, month counted from 0, and day of the month, of a day counted from 1970-01-01 in the Gregorian calendar.
///
/// Counted in eras of 400 years that begin on 1 March, so that the leap day is the last day of a year.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    let shifted = days + 719_468; // 0000-03-01
    let (era, day_of_era) = (shifted / DAYS_PER_ERA, shifted % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(march_month >= 10);
    (year, month, day)
}
