//! The Huffman code of RFC 7541 section 5.2 and appendix B.
//!
//! The code is canonical: codes of one length follow one another in the order of their symbols. So the lengths alone
//! give codes, decoding table and all.

use super::DecodeError;

/// Symbols: all bytes, and EOS.
const SYMBOLS: usize = 257;
const EOS: u16 = 256;

/// Bits of the shortest code.
const BITS_MIN: usize = 5;

/// Bits of the longest code.
const BITS_MAX: usize = 30;

/// Length of each symbol's code in bits (RFC 7541 appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
     6, 10, 10, 12, 13,  6,  8, 11, 10, 10,  8, 11,  8,  6,  6,  6,
     5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8, 15,  6, 12, 10,
    13,  6,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,
     7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8, 13, 19, 13, 14,  6,
    15,  5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,
     6,  7,  6,  5,  5,  6,  7,  7,  7,  7,  7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The canonical code, and what decoding it needs.
struct Canonical {
    /// Each symbol's code, right-aligned.
    codes: [u32; SYMBOLS],
    /// Symbols in the order of their codes.
    sorted: [u16; SYMBOLS],
    /// By length: the first code, the code after the last, and the place of the first symbol in `sorted`.
    first: [u32; BITS_MAX + 1],
    after: [u32; BITS_MAX + 1],
    place: [u16; BITS_MAX + 1],
}

static CANONICAL: Canonical = canonical();

const fn canonical() -> Canonical {
    let mut code = Canonical {
        codes: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        first: [0; BITS_MAX + 1],
        after: [0; BITS_MAX + 1],
        place: [0; BITS_MAX + 1],
    };
    let (mut next, mut placed, mut bits) = (0u32, 0, 1);
    while bits <= BITS_MAX {
        next <<= 1;
        code.first[bits] = next;
        code.place[bits] = placed as u16;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == bits {
                code.codes[symbol] = next;
                code.sorted[placed] = symbol as u16;
                next += 1;
                placed += 1;
            }
            symbol += 1;
        }
        code.after[bits] = next;
        bits += 1;
    }
    // The code is complete: every string of bits is the beginning of some code.
    assert!(next == 1 << BITS_MAX && placed == SYMBOLS);
    code
}

/// Bits looked up at once: two of most of the characters that stand in fields, one of nearly any.
const LOOK_BITS: usize = 12;

/// By the next twelve bits, what they begin with: the bits of one symbol, or of two, in the lowest four bits; whether
/// it is two in the next; the symbols in the second and third byte. 0 where the first symbol is longer.
static LOOK: [u32; 1 << LOOK_BITS] = {
    let code = canonical();
    let mut table = [0; 1 << LOOK_BITS];
    let mut first = 0;
    while first < SYMBOLS - 1 {
        fill(&mut table, code.codes[first], LENGTHS[first] as usize, (first as u32) << 8);
        let mut second = 0;
        while LENGTHS[first] as usize + BITS_MIN <= LOOK_BITS && second < SYMBOLS - 1 {
            let bits = LENGTHS[second] as usize;
            let both = code.codes[first] << bits | code.codes[second];
            let symbols = (second as u32) << 16 | (first as u32) << 8 | TWO;
            // Two codes that fit are both short, so that `both` has not overflowed.
            fill(&mut table, both, LENGTHS[first] as usize + bits, symbols);
            second += 1;
        }
        first += 1;
    }
    table
};

/// Two symbols.
const TWO: u32 = 0x10;

/// Fills every entry that begins with `code`, if that is short enough.
const fn fill(table: &mut [u32; 1 << LOOK_BITS], code: u32, bits: usize, symbols: u32) {
    if bits > LOOK_BITS {
        return;
    }
    let low = (code as usize) << (LOOK_BITS - bits);
    let mut at = 0;
    while at < 1 << (LOOK_BITS - bits) {
        table[low + at] = symbols | bits as u32;
        at += 1;
    }
}

/// Decodes `input` to the end of `out`.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    out.reserve(input.len() * 8 / BITS_MIN + 8);
    let mut unread = Unread { rest: input, bits: 0, valid: 0 };
    loop {
        unread.refill();
        // Up to eight symbols, the first one lowest, so that they are written at once.
        let (mut symbols, mut len) = (0u64, 0);
        while unread.valid >= LOOK_BITS as u32 && len <= 6 {
            let entry = LOOK[(unread.bits >> (64 - LOOK_BITS)) as usize];
            if entry == 0 {
                break;
            }
            symbols |= u64::from(entry >> 8) << (8 * len);
            len += 1 + usize::from(entry & TWO != 0);
            unread.skip(entry & 15);
        }
        out.extend_from_slice(&symbols.to_le_bytes());
        out.truncate(out.len() - (8 - len));
        if len > 6 {
            continue;
        }
        // A symbol of up to 30 bits, unless they are still to be fetched.
        if unread.valid >= BITS_MAX as u32 {
            let (symbol, length) = long(unread.bits);
            if symbol == EOS {
                return Err(DecodeError::HuffmanEos);
            }
            out.push(symbol as u8);
            unread.skip(length);
        } else if unread.rest.is_empty() {
            return tail(unread, out);
        }
    }
}

/// Bits that have not been decoded.
struct Unread<'a> {
    /// Bytes of which nothing has been fetched.
    rest: &'a [u8],
    /// The next bit is the highest. Bits below the valid ones are either zero or already what the next refill brings.
    bits: u64,
    valid: u32,
}

impl Unread<'_> {
    /// Fetches bits, so that at least 57 are valid unless there are no more.
    fn refill(&mut self) {
        if let Some(word) = self.rest.first_chunk::<8>() {
            self.bits |= u64::from_be_bytes(*word) >> self.valid;
            let taken = (63 - self.valid) / 8;
            self.rest = self.rest.get(taken as usize..).unwrap_or_default();
            self.valid += taken * 8;
            return;
        }
        while let ([byte, tail @ ..], true) = (self.rest, self.valid <= 56) {
            self.bits |= u64::from(*byte) << (56 - self.valid);
            self.valid += 8;
            self.rest = tail;
        }
    }

    fn skip(&mut self, bits: u32) {
        self.bits <<= bits;
        self.valid -= bits;
    }
}

/// Decodes the last bits, fewer than 30, one symbol at a time, and looks at the padding.
fn tail(mut unread: Unread<'_>, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    loop {
        let entry = LOOK[(unread.bits >> (64 - LOOK_BITS)) as usize];
        let (symbol, length) = match entry {
            0 => long(unread.bits),
            _ => ((entry >> 8 & 0xff) as u16, u32::from(LENGTHS[(entry >> 8 & 0xff) as usize])),
        };
        if length > unread.valid {
            return padding(unread.bits, unread.valid);
        }
        // Not EOS, which has 30 bits.
        out.push(symbol as u8);
        unread.skip(length);
    }
}

/// The symbol at the top whose code is longer than what is looked up at once, and its length.
fn long(bits: u64) -> (u16, u32) {
    for length in LOOK_BITS + 1..=BITS_MAX {
        let code = (bits >> (64 - length)) as u32;
        if code < CANONICAL.after[length] {
            let place = usize::from(CANONICAL.place[length]) + (code - CANONICAL.first[length]) as usize;
            return (CANONICAL.sorted[place.min(SYMBOLS - 1)], length as u32);
        }
    }
    (EOS, BITS_MAX as u32)
}

fn padding(bits: u64, valid: u32) -> Result<(), DecodeError> {
    let ones = valid < 8 && bits.leading_ones() >= valid;
    if ones { Ok(()) } else { Err(DecodeError::HuffmanPadding) }
}

/// How many bytes `text` has when encoded.
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|&byte| usize::from(LENGTHS[usize::from(byte)])).sum();
    bits.div_ceil(8)
}

/// Each byte's code, and in the lowest eight bits its length.
static CODES: [u64; 256] = {
    let code = canonical();
    let mut codes = [0; 256];
    let mut symbol = 0;
    while symbol < 256 {
        codes[symbol] = (code.codes[symbol] as u64) << 8 | LENGTHS[symbol] as u64;
        symbol += 1;
    }
    codes
};

/// Encodes `text` to the end of `out`.
pub(super) fn encode(text: &[u8], out: &mut Vec<u8>) {
    // Bits not yet written, right-aligned; fewer than 32 between two symbols.
    let (mut bits, mut count) = (0u64, 0u32);
    for &byte in text {
        let code = CODES[usize::from(byte)];
        let length = code as u32 & 0xff;
        bits = bits << length | code >> 8;
        count += length;
        if count >= 32 {
            count -= 32;
            out.extend_from_slice(&((bits >> count) as u32).to_be_bytes());
        }
    }
    // Padding is the beginning of EOS, all ones.
    let left = (bits << (32 - count)) as u32 | u32::MAX.unbounded_shr(count);
    out.extend_from_slice(&left.to_be_bytes());
    out.truncate(out.len() - 4 + count.div_ceil(8) as usize);
}
