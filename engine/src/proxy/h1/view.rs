//! A head of HTTP/1 as the middle of the pipeline sees heads.

use super::upgrade;
use crate::model::RequestHead;
use crate::proxy::ends::body_size;
use ringgate_protocols::h1::RequestHead as ParsedHead;
use ringgate_protocols::wire::Version;

/// The request whose head was parsed from `bytes`.
#[inline]
pub(crate) fn request<'a>(head: &'a ParsedHead, bytes: &'a [u8]) -> RequestHead<'a> {
    RequestHead {
        bytes,
        method: head.method,
        method_text: head.method_text,
        target: &head.target,
        fields: &head.fields,
        host: head.host,
        body: body_size(head.body),
        upgrade: head.upgrade.filter(|protocols| upgrade::goes_on(protocols.of(bytes))),
        version: match head.version {
            Version::Http10 => "1.0",
            Version::Http11 => "1.1",
        },
    }
}
