//! Every metric: its name, its labels, what it means. The exposition is written from this table, and so is the list in
//! `docs/observability.md`.
//!
//! Names are those of OpenTelemetry's semantic conventions, in Prometheus's form, where there is one.

use super::page::{Family, Kind};

macro_rules! families {
    ($($name:ident: $kind:ident $text:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) static $name: Family =
            Family { name: $text, kind: Kind::$kind, labels: &[$($label),*], help: $help };)*

        /// Every family, in the order of the page.
        #[cfg(test)]
        pub(super) static ALL: &[&Family] = &[$(&$name),*];
    };
}

families! {
    DURATION: Histogram "http_server_request_duration_seconds" ["http_route", "http_response_status_class"]
        "Time from a request's head to the end of its exchange; of a tunnel (1xx), to the end of the tunnel.";
    ACTIVE: Gauge "http_server_active_requests" []
        "Exchanges that have begun and not ended, tunnels included.";
    BYTES_IN: Histogram "http_server_request_body_size_bytes" ["http_route"]
        "Bytes of requests' bodies.";
    BYTES_OUT: Histogram "http_server_response_body_size_bytes" ["http_route"]
        "Bytes of answers' bodies.";
    REQUESTS: Counter "ringgate_requests_total" ["http_route", "http_response_status_code"]
        "Exchanges that have ended, by status; none if nothing was answered, 2xx and so on for unusual codes.";
    OVERHEAD: Histogram "ringgate_overhead_seconds" ["http_route"]
        "The gateway's own part of the time until an answer began to leave: without connecting to the service and waiting for it.";
    FAULTS_TOTAL: Counter "ringgate_faults_total" ["fault"]
        "Exchanges that did not go as they should, by the word that the access log shows.";
    UP_DURATION: Histogram "http_client_request_duration_seconds" ["upstream", "endpoint"]
        "Time from sending a request to an endpoint to its answer's head, or to its failure.";
    UP_REQUESTS: Counter "ringgate_upstream_requests_total" ["upstream", "endpoint", "http_response_status_class"]
        "Requests sent to an endpoint, by the class of its answer; none if it gave none.";
    UP_RETRIES: Counter "ringgate_upstream_retries_total" ["upstream", "endpoint"]
        "Requests that were tried again, here or elsewhere, after this endpoint had failed them.";
    UP_OPEN: Gauge "http_client_open_connections" ["upstream", "endpoint", "http_connection_state"]
        "Connections to an endpoint: active with an exchange on them, idle in the pool.";
    UP_CREATED: Counter "ringgate_upstream_connections_created_total" ["upstream", "endpoint"]
        "Connections to an endpoint that were made.";
    UP_REUSED: Counter "ringgate_upstream_connections_reused_total" ["upstream", "endpoint"]
        "Requests that were sent on a connection from the pool.";
    UP_FAILED: Counter "ringgate_upstream_connect_failures_total" ["upstream", "endpoint", "fault"]
        "Connections to an endpoint that could not be made.";
    UP_STATE: Gauge "ringgate_endpoint_shards" ["upstream", "endpoint", "state"]
        "On how many shards the endpoint is up, skipped because it has just refused a connection, or drained by an operator.";
    ACCEPTED: Counter "ringgate_connections_accepted_total" ["listener"]
        "Clients' connections that were accepted.";
    OPEN: Gauge "ringgate_connections_active" ["listener"]
        "Clients' connections that are open.";
    OPEN_MAX: Gauge "ringgate_connections_limit" []
        "The most clients' connections that may be open: limits.connections.";
    LIMITED: Counter "ringgate_connections_limited_total" ["listener"]
        "Clients' connections that had to wait because limits.connections was reached.";
    ACCEPT_FAILED: Counter "ringgate_accept_failures_total" ["listener"]
        "Accepts that failed: out of descriptors, or the client had gone already.";
    HANDSHAKES: Counter "ringgate_tls_handshakes_total" ["listener", "result"]
        "TLS handshakes with clients that succeeded: full, or resumed from an earlier session.";
    HANDSHAKES_FAILED: Counter "ringgate_handshake_failures_total" ["listener", "reason"]
        "Clients' connections that ended before they were ready: in a TLS handshake, by their PROXY protocol header or their server name.";
    HANDSHAKING: Gauge "ringgate_handshakes_active" ["listener"]
        "Clients' connections that are being made ready: TLS handshakes, PROXY protocol headers, looks at the server name.";
    TCP_CONNECTIONS: Counter "ringgate_tcp_connections_total" ["listener", "result"]
        "Connections of plain bytes (tcp, passthrough) that are over: ended by their ends, or failed.";
    TCP_BYTES: Counter "ringgate_tcp_bytes_total" ["listener", "direction"]
        "Bytes that those carried: in from clients, out to them.";
    RELOADS: Counter "ringgate_config_reloads_total" ["result"]
        "Reloads of the configuration.";
    RELOAD_OK: Gauge "ringgate_config_last_reload_successful" []
        "1 if the last reload took effect, or there was none; 0 if its file was refused.";
    RELOAD_TIME: Gauge "ringgate_config_last_reload_duration_seconds" []
        "How long the last reload took; 0 before the first.";
    RELOAD_AT: Gauge "ringgate_config_last_success_timestamp_seconds" []
        "When the configuration in force was loaded, in Unix time.";
    GENERATION: Gauge "ringgate_config_generation" []
        "The configuration in force: 1 at the start, one more with each reload that took effect.";
    CERTIFICATE_READS: Counter "ringgate_certificate_reloads_total" ["result"]
        "Files of certificates, keys and revocations that had changed and were read anew: ok if they are used from then on.";
    CERTIFICATE_EXPIRY: Gauge "ringgate_certificate_expiry_timestamp_seconds" ["listener", "upstream", "name", "file"]
        "When a certificate expires that a listener serves, or that is shown to an upstream, in Unix time.";
    OVERFLOWED: Gauge "ringgate_series_overflowed" ["kind"]
        "Names beyond the bound on series, which are counted together under `other`.";
    LOG_LINES: Counter "ringgate_access_log_lines_total" []
        "Lines of the access log that were written.";
    LOG_DROPPED: Counter "ringgate_access_log_dropped_lines_total" []
        "Lines of the access log that were lost: its output was too slow, or could not be written to.";
    TURN: Histogram "ringgate_shard_turn_seconds" ["shard"]
        "Time of a turn of a shard's loop: what becomes ready waits as long.";
    TURN_LONGEST: Gauge "ringgate_shard_longest_turn_seconds" ["shard"]
        "The longest turn since this was last asked for.";
    OPERATIONS: Counter "ringgate_shard_operations_total" ["shard", "operation"]
        "Operations that a shard has asked of the kernel.";
    PANICS: Counter "ringgate_shard_panics_total" ["shard"]
        "Panics that were caught. Each ended one exchange, and is a defect.";
    BUFFERS: Gauge "ringgate_shard_buffers" ["shard", "size", "state"]
        "Buffers of a shard: lent to connections, and free with their memory.";
    BUFFER_BYTES: Gauge "ringgate_shard_buffer_lent_bytes" ["shard"]
        "Bytes of the buffers that are lent.";
    BUILD: Gauge "ringgate_build_info" ["version", "commit"]
        "Always 1; the labels say what is running.";
    START: Gauge "process_start_time_seconds" []
        "When the process started, in Unix time.";
    CPU: Counter "process_cpu_seconds_total" []
        "User and system CPU time of the process.";
    RESIDENT: Gauge "process_resident_memory_bytes" []
        "Resident memory of the process.";
    FDS: Gauge "process_open_fds" []
        "Open file descriptors.";
    FDS_MAX: Gauge "process_max_fds" []
        "The limit on open file descriptors.";
}
