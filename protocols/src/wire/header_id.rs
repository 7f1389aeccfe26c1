//! The field names that this project looks at, as small numbers.

#[cfg(test)]
mod tests;

/// Makes the enum and its names from one list, so that they can't differ.
macro_rules! header_ids {
    ($($id:ident = $name:literal),+ $(,)?) => {
        /// A field name that this crate knows, or any other.
        ///
        /// There are fewer than 64, so that a set of them is one `u64` ([`HeaderId::bit`]).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum HeaderId {
            /// A name that is not in this list.
            Other = 0,
            $(#[doc = concat!("`", $name, "`")] $id,)+
        }

        /// Every known id.
        const KNOWN: &[HeaderId] = &[$(HeaderId::$id),+];

        impl HeaderId {
            /// The name in lower case; empty for `Other`.
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Other => "",
                    $(Self::$id => $name,)+
                }
            }
        }
    };
}

header_ids! {
    Host = "host",
    Connection = "connection",
    KeepAlive = "keep-alive",
    ProxyConnection = "proxy-connection",
    ProxyAuthenticate = "proxy-authenticate",
    ProxyAuthorization = "proxy-authorization",
    Te = "te",
    Trailer = "trailer",
    TransferEncoding = "transfer-encoding",
    Upgrade = "upgrade",
    ContentLength = "content-length",
    ContentType = "content-type",
    ContentEncoding = "content-encoding",
    Expect = "expect",
    Via = "via",
    Forwarded = "forwarded",
    XForwardedFor = "x-forwarded-for",
    XForwardedProto = "x-forwarded-proto",
    XForwardedHost = "x-forwarded-host",
    XForwardedPort = "x-forwarded-port",
    XRealIp = "x-real-ip",
    XRequestId = "x-request-id",
    Http2Settings = "http2-settings",
    Date = "date",
    Server = "server",
    Age = "age",
    Authorization = "authorization",
    WwwAuthenticate = "www-authenticate",
    Cookie = "cookie",
    SetCookie = "set-cookie",
    UserAgent = "user-agent",
    Accept = "accept",
    AcceptEncoding = "accept-encoding",
    AcceptLanguage = "accept-language",
    CacheControl = "cache-control",
    Etag = "etag",
    LastModified = "last-modified",
    IfNoneMatch = "if-none-match",
    IfModifiedSince = "if-modified-since",
    IfUnmodifiedSince = "if-unmodified-since",
    IfMatch = "if-match",
    IfRange = "if-range",
    Range = "range",
    ContentRange = "content-range",
    Location = "location",
    Origin = "origin",
    Referer = "referer",
    RetryAfter = "retry-after",
    Vary = "vary",
    Allow = "allow",
    Expires = "expires",
    Pragma = "pragma",
    MaxForwards = "max-forwards",
    Traceparent = "traceparent",
    Tracestate = "tracestate",
}

const _: () = assert!(KNOWN.len() < 64);

impl HeaderId {
    /// The id of a field name, in any case. Looks at four bytes, then compares with the one candidate.
    pub fn of(name: &[u8]) -> Self {
        let candidate = &SPELLINGS[SLOTS[slot(name)] as usize];
        if candidate.is(name) { candidate.id } else { Self::Other }
    }

    /// The bit of this id in a set of ids.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Whether the field belongs to one connection by its name, and is never forwarded (RFC 9110 section 7.6.1).
    ///
    /// That section lists `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding` and `Upgrade`;
    /// `HTTP2-Settings` only ever stands beside `Upgrade` (RFC 7540 section 3.2.1). `Trailer` is end-to-end since
    /// trailers are; `Proxy-Authenticate` and `Proxy-Authorization` may be relayed (RFC 9110 sections 11.7.1, 11.7.2).
    pub const fn hop_by_hop(self) -> bool {
        const HOP: u64 = HeaderId::Connection.bit()
            | HeaderId::KeepAlive.bit()
            | HeaderId::ProxyConnection.bit()
            | HeaderId::Te.bit()
            | HeaderId::TransferEncoding.bit()
            | HeaderId::Upgrade.bit()
            | HeaderId::Http2Settings.bit();
        self.bit() & HOP != 0
    }

    /// Whether a `Connection` option of this name takes effect.
    ///
    /// A client that nominates `Authorization` or `X-Forwarded-For` would have the gateway strip what routing, framing,
    /// identity or caching rely on. RFC 9110 section 7.6.1 forbids to nominate fields meant for all recipients, so
    /// such an option is passed over.
    pub const fn nominable(self) -> bool {
        const PROTECTED: u64 = HeaderId::Host.bit()
            | HeaderId::ContentLength.bit()
            | HeaderId::ContentType.bit()
            | HeaderId::ContentEncoding.bit()
            | HeaderId::ContentRange.bit()
            | HeaderId::Via.bit()
            | HeaderId::Forwarded.bit()
            | HeaderId::XForwardedFor.bit()
            | HeaderId::XForwardedProto.bit()
            | HeaderId::XForwardedHost.bit()
            | HeaderId::XForwardedPort.bit()
            | HeaderId::XRealIp.bit()
            | HeaderId::XRequestId.bit()
            | HeaderId::Date.bit()
            | HeaderId::Age.bit()
            | HeaderId::Authorization.bit()
            | HeaderId::WwwAuthenticate.bit()
            | HeaderId::Cookie.bit()
            | HeaderId::SetCookie.bit()
            | HeaderId::CacheControl.bit()
            | HeaderId::Pragma.bit()
            | HeaderId::Expires.bit()
            | HeaderId::Vary.bit()
            | HeaderId::Etag.bit()
            | HeaderId::Location.bit()
            | HeaderId::Origin.bit()
            | HeaderId::MaxForwards.bit()
            | HeaderId::Traceparent.bit()
            | HeaderId::Tracestate.bit();
        self.bit() & PROTECTED == 0
    }

    /// Whether the field may stand in a trailer section and be passed on (RFC 9110 section 6.5.1).
    ///
    /// Fields for framing, routing, request control, authentication, content format and identity may not; of the known
    /// names only `ETag` may. Names that are not known may.
    pub const fn allowed_in_trailer(self) -> bool {
        matches!(self, Self::Other | Self::Etag)
    }
}

/// A known name, cut into words so that two or three comparisons are enough.
#[derive(Clone, Copy)]
struct Spelling {
    id: HeaderId,
    len: usize,
    /// The first 8 bytes, or 4 of a name shorter than 8.
    first: u64,
    /// The second 8 bytes of a name longer than 16.
    second: u64,
    /// The last 8 bytes, or 4; they overlap with those before.
    last: u64,
}

impl Spelling {
    const OTHER: Self = Self { id: HeaderId::Other, len: usize::MAX, first: 0, second: 0, last: 0 };

    const fn new(id: HeaderId) -> Self {
        let name = id.name().as_bytes();
        let len = name.len();
        let width = if len < 8 { 4 } else { 8 };
        Self {
            id,
            len,
            first: word(name, 0, width),
            second: if len > 16 { word(name, 8, 8) } else { 0 },
            last: if len < 4 { 0 } else { word(name, len - width, width) },
        }
    }

    fn is(&self, name: &[u8]) -> bool {
        if name.len() != self.len {
            return false;
        }
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            let second = name.get(8..).and_then(|rest| rest.first_chunk()).filter(|_| self.len > 16);
            return same(u64::from_le_bytes(*first), self.first)
                & same(u64::from_le_bytes(*last), self.last)
                & second.is_none_or(|second| same(u64::from_le_bytes(*second), self.second));
        }
        if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            return same(u32::from_le_bytes(*first).into(), self.first)
                & same(u32::from_le_bytes(*last).into(), self.last);
        }
        name.eq_ignore_ascii_case(self.id.name().as_bytes())
    }
}

/// Whether both words are the same text; `lower_case` holds letters in lower case, digits and `-`.
///
/// Of those only letters have the bit 0x40, so only they may differ in the bit 0x20.
const fn same(word: u64, lower_case: u64) -> bool {
    let letters = (lower_case & 0x4040_4040_4040_4040) >> 1;
    (word ^ lower_case) & !letters == 0
}

/// `width` bytes at `at`, the first one lowest; 0 beyond the end.
const fn word(text: &[u8], at: usize, width: usize) -> u64 {
    let mut word = 0;
    let mut index = 0;
    while index < width && at + index < text.len() {
        word |= (text[at + index] as u64) << (8 * index);
        index += 1;
    }
    word
}

/// By [`HeaderId`].
static SPELLINGS: [Spelling; 64] = {
    let mut spellings = [Spelling::OTHER; 64];
    let mut index = 0;
    while index < KNOWN.len() {
        // Three words cover 24 bytes.
        assert!(KNOWN[index].name().len() <= 24);
        spellings[KNOWN[index] as usize] = Spelling::new(KNOWN[index]);
        index += 1;
    }
    spellings
};

const SLOT_COUNT: usize = 256;

/// A hash without collisions among the known names; the factors were found by trying.
const fn slot(name: &[u8]) -> usize {
    let len = name.len();
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return 0;
    };
    let fourth_last = if len < 4 { first } else { name[len - 4] };
    (len * 19 + lower(first) * 18 + lower(fourth_last) * 20 + lower(last) * 36) % SLOT_COUNT
}

const fn lower(byte: u8) -> usize {
    (byte | 0x20) as usize
}

/// The [`HeaderId`] that may be meant, as a number.
static SLOTS: [u8; SLOT_COUNT] = {
    let mut slots = [HeaderId::Other as u8; SLOT_COUNT];
    let mut index = 0;
    while index < KNOWN.len() {
        let slot = slot(KNOWN[index].name().as_bytes());
        assert!(slots[slot] == 0, "two names share a slot: try other factors");
        slots[slot] = KNOWN[index] as u8;
        index += 1;
    }
    slots
};
