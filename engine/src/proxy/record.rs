//! What is known of an exchange when it is over: one line in the access log.

use crate::model::Fault;
use crate::observe::json;

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
}

impl Record<'_> {
    /// Appends the record as one line of JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"time\":\"");
        json::timestamp(out, self.unix_micros);
        out.push(b'"');
        json::text(out, "request_id", Some(self.request_id));
        json::text(out, "client", self.client);
        json::text(out, "listener", Some(self.listener.as_bytes()));
        json::text(out, "protocol", Some(self.protocol.as_bytes()));
        json::text(out, "method", Some(self.method));
        json::text(out, "host", Some(self.host));
        json::text(out, "target", Some(self.target));
        json::text(out, "route", self.route.map(str::as_bytes));
        json::text(out, "upstream", self.upstream.map(str::as_bytes));
        json::text(out, "endpoint", self.endpoint.map(str::as_bytes));
        json::number(out, "status", Some(u64::from(self.status)));
        json::number(out, "bytes_in", Some(self.bytes_in));
        json::number(out, "bytes_out", Some(self.bytes_out));
        json::milliseconds(out, "duration_ms", Some(self.duration));
        json::milliseconds(out, "upstream_ms", self.upstream_time);
        json::text(out, "fault", self.fault.map(|fault| fault.code().as_bytes()));
        out.extend_from_slice(b"}\n");
    }
}
