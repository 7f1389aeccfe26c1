//! What is known of an exchange when it is over: one line in the access log.

use crate::model::{ClientCertificate, Fault, RequestHead, Secured};
use crate::observe::json::{self, member, text_member};
use crate::observe::{LogPlan, plain_joined, plain_text};
use ringgate_config::{LogPart, LogValue};
use std::io::Write;

/// One exchange, as the access log shows it. Spans of time are in microseconds.
pub(crate) struct Record<'a> {
    pub(crate) unix_micros: u64,
    pub(crate) request_id: &'a [u8],
    pub(crate) client: Option<&'a [u8]>,
    pub(crate) listener: &'a str,
    pub(crate) protocol: &'static str,
    pub(crate) method: &'a [u8],
    pub(crate) host: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) route: Option<&'a str>,
    pub(crate) upstream: Option<&'a str>,
    pub(crate) endpoint: Option<&'a str>,
    /// 0 if nothing was answered.
    pub(crate) status: u16,
    /// Bytes of the request's body.
    pub(crate) bytes_in: u64,
    /// Bytes of the answer's body.
    pub(crate) bytes_out: u64,
    pub(crate) duration: u64,
    /// From the request's head to the service until its answer's head.
    pub(crate) upstream_time: Option<u64>,
    pub(crate) fault: Option<Fault>,
    /// The name that the client asked for in its handshake, whether that ended here or passed through.
    pub(crate) server_name: Option<&'a str>,
    /// What the handshake has come to; none for clear text.
    pub(crate) secured: Option<&'a Secured>,
}

impl Record<'_> {
    /// Appends the record as one line of the form that `plan` asks for. `head` is the request's, for its header fields.
    pub(crate) fn write(&self, plan: &LogPlan, head: &RequestHead<'_>, out: &mut Vec<u8>) {
        match plan {
            LogPlan::Json { tls, headers } => self.write_json(*tls, headers, head, out),
            LogPlan::Combined => self.write_combined(head, out),
            LogPlan::Template(parts) => {
                for part in parts {
                    match part {
                        LogPart::Literal(text) => out.extend_from_slice(text.as_bytes()),
                        LogPart::Value(value) => self.write_value(*value, out),
                        LogPart::Header(name) => plain_joined(out, values(head, name)),
                    }
                }
                out.push(b'\n');
            }
        }
    }

    fn write_json(&self, tls: bool, headers: &[String], head: &RequestHead<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"time\":\"");
        json::timestamp(out, self.unix_micros);
        out.push(b'"');
        text_member(out, member!("request_id"), Some(self.request_id));
        text_member(out, member!("client"), self.client);
        text_member(out, member!("listener"), Some(self.listener.as_bytes()));
        text_member(out, member!("protocol"), Some(self.protocol.as_bytes()));
        text_member(out, member!("method"), Some(self.method));
        text_member(out, member!("host"), Some(self.host));
        text_member(out, member!("target"), Some(self.target));
        text_member(out, member!("route"), self.route.map(str::as_bytes));
        text_member(out, member!("upstream"), self.upstream.map(str::as_bytes));
        text_member(out, member!("endpoint"), self.endpoint.map(str::as_bytes));
        out.extend_from_slice(member!("status").as_bytes());
        json::plain_number(out, u64::from(self.status));
        out.extend_from_slice(member!("bytes_in").as_bytes());
        json::plain_number(out, self.bytes_in);
        out.extend_from_slice(member!("bytes_out").as_bytes());
        json::plain_number(out, self.bytes_out);
        out.extend_from_slice(member!("duration_ms").as_bytes());
        json::thousandths(out, self.duration);
        out.extend_from_slice(member!("upstream_ms").as_bytes());
        match self.upstream_time {
            Some(micros) => json::thousandths(out, micros),
            None => out.extend_from_slice(b"null"),
        }
        text_member(out, member!("fault"), self.fault.map(|fault| fault.code().as_bytes()));
        if tls {
            text_member(out, member!("tls_version"), self.tls_version());
            text_member(out, member!("tls_cipher"), self.tls_cipher());
            text_member(out, member!("server_name"), self.server_name.map(str::as_bytes));
            text_member(out, member!("client_subject"), self.client_subject());
            text_member(out, member!("client_sans"), self.client_sans());
        }
        if !headers.is_empty() {
            out.extend_from_slice(b",\"headers\":{");
            for (at, name) in headers.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::joined(out, name, values(head, name));
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"}\n");
    }

    /// `CLIENT - - [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "USER-AGENT"`. There is no user; nothing answered
    /// is status 000, as nginx writes it.
    fn write_combined(&self, head: &RequestHead<'_>, out: &mut Vec<u8>) {
        plain_text(out, self.client);
        out.extend_from_slice(b" - - [");
        json::combined_time(out, self.unix_micros);
        out.extend_from_slice(b"] \"");
        if self.method.is_empty() {
            // The head could not be read.
            out.push(b'-');
        } else {
            plain_text(out, Some(self.method));
            out.push(b' ');
            plain_text(out, Some(self.target));
            out.push(b' ');
            out.extend_from_slice(self.protocol.as_bytes());
        }
        // Writing to memory can't fail.
        let _ = write!(out, "\" {:03} {} \"", self.status, self.bytes_out);
        plain_joined(out, values(head, "referer"));
        out.extend_from_slice(b"\" \"");
        plain_joined(out, values(head, "user-agent"));
        out.extend_from_slice(b"\"\n");
    }

    fn write_value(&self, value: LogValue, out: &mut Vec<u8>) {
        match value {
            LogValue::Time => json::timestamp(out, self.unix_micros),
            LogValue::RequestId => plain_text(out, Some(self.request_id)),
            LogValue::Client => plain_text(out, self.client),
            LogValue::Listener => plain_text(out, Some(self.listener.as_bytes())),
            LogValue::Protocol => out.extend_from_slice(self.protocol.as_bytes()),
            LogValue::Method => plain_text(out, Some(self.method)),
            LogValue::Host => plain_text(out, Some(self.host)),
            LogValue::Target => plain_text(out, Some(self.target)),
            LogValue::Route => plain_text(out, self.route.map(str::as_bytes)),
            LogValue::Upstream => plain_text(out, self.upstream.map(str::as_bytes)),
            LogValue::Endpoint => plain_text(out, self.endpoint.map(str::as_bytes)),
            LogValue::Status => json::plain_number(out, u64::from(self.status)),
            LogValue::BytesIn => json::plain_number(out, self.bytes_in),
            LogValue::BytesOut => json::plain_number(out, self.bytes_out),
            LogValue::DurationMs => json::thousandths(out, self.duration),
            LogValue::UpstreamMs => match self.upstream_time {
                Some(micros) => json::thousandths(out, micros),
                None => plain_text(out, None),
            },
            LogValue::Fault => plain_text(out, self.fault.map(|fault| fault.code().as_bytes())),
            LogValue::TlsVersion => plain_text(out, self.tls_version()),
            LogValue::TlsCipher => plain_text(out, self.tls_cipher()),
            LogValue::ServerName => plain_text(out, self.server_name.map(str::as_bytes)),
            LogValue::ClientSubject => plain_text(out, self.client_subject()),
            LogValue::ClientSans => plain_text(out, self.client_sans()),
        }
    }

    fn tls_version(&self) -> Option<&[u8]> {
        self.secured.map(|secured| secured.version.as_bytes())
    }

    fn tls_cipher(&self) -> Option<&[u8]> {
        self.secured.map(|secured| secured.suite.as_bytes())
    }

    fn client_subject(&self) -> Option<&[u8]> {
        self.certificate().map(|client| client.subject.as_bytes())
    }

    fn client_sans(&self) -> Option<&[u8]> {
        self.certificate().map(|client| client.sans.as_bytes())
    }

    fn certificate(&self) -> Option<&ClientCertificate> {
        self.secured.and_then(|secured| secured.client.as_ref())
    }
}

/// The values of a request's header field.
fn values<'h>(head: &RequestHead<'h>, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let bytes = head.bytes;
    head.fields.named(bytes, name.as_bytes()).map(move |field| field.value.of(bytes))
}

#[cfg(test)]
mod tests;
