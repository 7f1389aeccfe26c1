//! What is known of a connection by its security: for policies, templates and logs.

/// What a TLS handshake with a client has come to.
#[derive(Debug, Default)]
pub(crate) struct Secured {
    /// The name that the client asked for, in lower case.
    pub(crate) server_name: Option<String>,
    /// `TLSv1.2` or `TLSv1.3`.
    pub(crate) version: &'static str,
    /// The cipher suite, as IANA names it.
    pub(crate) suite: &'static str,
    /// The certificate that the client has shown, which is valid.
    pub(crate) client: Option<ClientCertificate>,
}

/// A client's certificate.
#[derive(Debug)]
pub(crate) struct ClientCertificate {
    /// Its subject (RFC 4514).
    pub(crate) subject: String,
    /// Its alternative names, `DNS:a, URI:b`.
    pub(crate) sans: String,
    /// The SHA-256 of it, in hexadecimal.
    pub(crate) fingerprint: String,
}
