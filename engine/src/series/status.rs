//! Status codes as labels: the usual ones by themselves, others by their class, so that no service can make up series.

/// Labels of a status's class; `none` if nothing was answered.
pub(crate) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Codes with a label of their own.
const CODES: [(u16, &str); 43] = [
    (101, "101"),
    (200, "200"),
    (201, "201"),
    (202, "202"),
    (203, "203"),
    (204, "204"),
    (206, "206"),
    (207, "207"),
    (301, "301"),
    (302, "302"),
    (303, "303"),
    (304, "304"),
    (307, "307"),
    (308, "308"),
    (400, "400"),
    (401, "401"),
    (402, "402"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (406, "406"),
    (408, "408"),
    (409, "409"),
    (410, "410"),
    (411, "411"),
    (412, "412"),
    (413, "413"),
    (414, "414"),
    (415, "415"),
    (416, "416"),
    (417, "417"),
    (421, "421"),
    (422, "422"),
    (425, "425"),
    (428, "428"),
    (429, "429"),
    (431, "431"),
    (500, "500"),
    (501, "501"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
    (508, "508"),
];

/// Places for codes: one for each class's other codes, then the usual ones.
pub(crate) const PLACES: usize = CLASSES.len() + CODES.len();
/// One above the highest code that has a class.
const CODES_END: usize = 600;

static PLACE: [u8; CODES_END] = {
    let mut places = [0; CODES_END];
    let mut code = 0;
    while code < CODES_END {
        places[code] = class(code as u16) as u8;
        code += 1;
    }
    let mut at = 0;
    while at < CODES.len() {
        places[CODES[at].0 as usize] = (CLASSES.len() + at) as u8;
        at += 1;
    }
    places
};

/// The index of a status's class. What is no status at all is as bad as a 5xx (RFC 9110 section 15).
#[inline]
pub(crate) const fn class(status: u16) -> usize {
    match status {
        0 => 0,
        1..200 => 1,
        200..300 => 2,
        300..400 => 3,
        400..500 => 4,
        500.. => 5,
    }
}

/// The place of a status.
#[inline]
pub(crate) fn place(status: u16) -> usize {
    PLACE.get(usize::from(status)).map_or(CLASSES.len() - 1, |place| usize::from(*place))
}

/// The label of a place.
pub(crate) fn label(place: usize) -> &'static str {
    match place.checked_sub(CLASSES.len()) {
        None => CLASSES[place],
        Some(usual) => CODES[usual].1,
    }
}
