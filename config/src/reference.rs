//! The key reference, `docs/configuration.md`, written from the field tables: what the decoder takes and what the
//! reference says can't differ.

use std::fmt::Write;

use crate::decode::{INCLUDED_MAX, PATH_MAX, SEGMENTS_MAX, TABLES, UNIX_PATH_MAX};
use crate::decode::{access_log, redirect, respond, secret, tls};
use crate::environment::EXPANDED_MAX;
use crate::findings::KEPT_MAX;
use crate::form::Form;
use crate::load::MAX_FILE_BYTES;
use crate::node::{DEPTH_MAX, NODES_MAX};
use crate::pattern::REGEX_BYTES_MAX;
use crate::table::{Alternatives, Later, Presence, Row, Rows};
use crate::units::show_size;
use crate::wording::either;

#[cfg(test)]
mod tests;

/// The whole of `docs/configuration.md`.
pub fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in TABLES {
        section(&mut page, table);
    }
    limits(&mut page);
    page
}

/// One map: what it is for, and its keys.
fn section(page: &mut String, table: &dyn Rows) {
    let title = if table.path().is_empty() { "The file".to_owned() } else { format!("`{}`", table.path()) };
    let head = "| key | type | unit | default | limits | example | meaning |\n|---|---|---|---|---|---|---|";
    // Writing to a string can't fail.
    let _ = writeln!(page, "\n### {title}\n\n{}\n\n{head}", table.doc());
    for row in table.rows() {
        let Row { key, form, presence, doc, example, .. } = row;
        let default = match presence {
            Presence::Required => "**required**".to_owned(),
            Presence::Optional(words) => words.to_owned(),
            Presence::Default(value) => code(value),
        };
        let cells = [
            code(key),
            type_of(form),
            unit_of(form).to_owned(),
            default,
            form.limits(),
            code(&format!("{key}: {example}")),
            doc.to_owned(),
        ];
        line(page, &cells);
    }
    for Alternatives { keys, optional } in table.alternatives() {
        let number = if *optional { "At most one" } else { "Exactly one" };
        let _ = writeln!(page, "\n{number} of {}.", either(keys).replace(" or ", " and "));
    }
    let later: Vec<String> = table.later().iter().map(Later::subject).collect();
    if !later.is_empty() {
        let _ = writeln!(page, "\nNot part of this version yet, and refused: {}.", later.join(", "));
    }
}

/// Every limit with what exceeding it gives: those of the file, then those on the file.
fn limits(page: &mut String) {
    page.push_str(LIMITS);
    for table in TABLES {
        for Row { key, presence, form, exceeding, .. } in table.rows() {
            let (Some(exceeding), Presence::Default(default)) = (exceeding, presence) else {
                continue;
            };
            let range = if form.limits().is_empty() { type_of(form) } else { form.limits() };
            line(page, &[code(&format!("{}.{key}", table.path())), code(default), range, exceeding.to_owned()]);
        }
    }
    page.push_str(FIXED);
    let counts = |n: usize| n.to_string();
    for (what, most) in [
        ("a file, and all files together", show_size(MAX_FILE_BYTES)),
        ("included files", counts(INCLUDED_MAX)),
        ("lists and maps in one another", counts(DEPTH_MAX)),
        ("values in all files together", counts(NODES_MAX)),
        ("a value after its variables are filled in", show_size(EXPANDED_MAX as u64)),
        ("a path, in bytes", counts(PATH_MAX)),
        ("a path, in segments", counts(SEGMENTS_MAX)),
        ("a regular expression when compiled", show_size(REGEX_BYTES_MAX as u64)),
        ("a file of certificates, a key or revocations", show_size(tls::PEM_BYTES_MAX)),
        ("a file that holds a secret", show_size(secret::SECRET_BYTES_MAX)),
        ("the target of a redirect", show_size(redirect::TO_MAX as u64)),
        ("the body of an answer, written out", show_size(respond::BODY_MAX as u64)),
        ("the body of an answer, from a file", show_size(respond::BODY_FILE_MAX)),
        ("header fields of an answer", counts(respond::HEADERS_MAX)),
        ("the value of one of them", show_size(respond::VALUE_MAX as u64)),
        ("header fields in the access log", counts(access_log::HEADERS_MAX)),
        ("the template of its line", show_size(access_log::TEMPLATE_MAX as u64)),
        ("the path of a Unix socket, in bytes", counts(UNIX_PATH_MAX)),
        ("errors shown of a file; further ones are counted", counts(KEPT_MAX)),
    ] {
        line(page, &[what.to_owned(), most]);
    }
}

fn line(page: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn type_of(form: &Form) -> String {
    match form {
        Form::Integer { .. } | Form::PowerOfTwo { .. } => "integer".to_owned(),
        Form::Size { .. } => "size".to_owned(),
        Form::Duration { .. } => "duration".to_owned(),
        Form::Text { kind, .. } => (*kind).to_owned(),
        Form::Choice(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" or "),
        Form::Switch => "`on` or `off`".to_owned(),
        Form::OrOff(form @ Form::Object(_)) => format!("`off` or {}", type_of(form)),
        Form::OrOff(form) => format!("{} or `off`", type_of(form)),
        Form::OrSwitch(form) => format!("`on`, `off` or {}", type_of(form)),
        Form::Either(a, b) => format!("{} or {}", type_of(a), type_of(b)),
        Form::List { of, .. } => format!("list of {}", type_of(of)),
        Form::Map { key, of } => format!("map from {} to {}", code(key), type_of(of)),
        Form::Object(table) => format!("map, see {}", code(table.path())),
    }
}

fn unit_of(form: &Form) -> &'static str {
    match form.without_switch() {
        Form::Size { .. } => "`B` `KiB` `MiB` `GiB` `TiB`",
        Form::Duration { .. } => "`ms` `s` `m` `h`",
        _ => "",
    }
}

const INTRODUCTION: &str = r#"# Configuration

One YAML file says everything. `ringgate check FILE` reads it and reports every error at once, each with file, line,
column and a hint; `ringgate run FILE` does the same and then starts. The files in `examples/` are a good beginning.

This page is written by `ringgate_config::reference::markdown()` from the tables that the decoder reads, and a test
compares the two. To change it, change the tables and run
`RINGGATE_WRITE=1 cargo test -p ringgate-config --test reference`.

## Rules

- An unknown key is an error, and so is a key whose feature is not part of this version yet: nothing that the file says
  is ignored. A key that is given twice is an error.
- A file is UTF-8 and one document; all files together are at most 16 MiB. Anchors, aliases and tags are refused: write the value out.
- Relative paths start in the directory of the file that names them, not in the process's working directory.
- A value is text first: `2`, `"2"` and `'2'` are the same, and `yes`, `no` and `1.10` stay what they are where text is
  asked for. What it means is decided by the key.

## Values

| type | written | examples |
|---|---|---|
| switch | `on` or `true`, `off` or `false`, the same everywhere, in small letters | `off` |
| integer | decimal digits | `100` |
| size | digits and `B`, `KiB`, `MiB`, `GiB` or `TiB`; digits alone are bytes | `64KiB`, `10MiB`, `240` |
| duration | digits and `ms`, `s`, `m` or `h`; the unit is needed, for zero too | `250ms`, `2s`, `5m`, `1h` |
| name | 1 to 64 of `a-z A-Z 0-9 _ . -` | `users`, `eu-1.orders` |
| address | `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`; `localhost` stands for 127.0.0.1 | `0.0.0.0:8080`, `[::]:8080`, `unix:/run/gw.sock` |
| host | a name or IP address without a port, in any case; `*.` in front of a name takes every name below it | `api.example.com`, `*.example.com`, `[::1]` |
| path | see "Paths" | `/users/{id}` |
| template | text with references in braces, see "Templates" | `/new/{rest}` |
| secret | `{ file: PATH }` or text from the environment, see "Secrets" | `"${ADMIN_TOKEN}"` |
| path of a file | relative to the directory of the file that names it; certificates and keys in PEM, see "Certificates" | `certs/site.pem` |
| cipher suite | its name | `TLS13_AES_256_GCM_SHA384`, `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` |

### Environment

In any value, `${NAME}` is replaced by the variable of that name, and `${NAME:-default}` by `default` where the variable
is not set or empty. A variable that is not set and has no default is an error. `$${` stands for the two characters
`${`; any other `$` stands for itself. What comes out of a variable is not looked at again, a default can't hold another
reference, and keys are never expanded. Between `{ }` or `[ ]` YAML needs quotes around it: `{ address: "${ADDRESS}" }`.

### Paths

| written | takes |
|---|---|
| `/users` | that path and no other; `/users/` is another one |
| `/users/{id}` | one segment for each capture |
| `/static/*` | everything below `/static/`, and `/static` itself; `/*` is every path |
| `/users/{id}/*` | both |
| `{ regex: "/v[0-9]+/.*" }` | the whole path, compared with a [regular expression](https://docs.rs/regex) |

A path is compared after percent-decoding, so `%XX` is decoded here too: `/caf%C3%A9` and `/café` are the same, and `%7B`,
`%7D`, `%2A` are how a literal `{`, `}`, `*` is written. The name of a capture is letters, digits and `_`, at most 64, and
begins with no digit; `jwt`, `consumer`, `request`, `route` and `rest` are taken. Between `{ }` YAML needs quotes around a
path with a capture: `match: { path: "/users/{id}" }`.

A path with `;` or an encoded `%` can be written, but no request reaches it: services read such a path in two ways, so a
request for it gets 400. A warning says so.

### Templates

A redirect's target, the body of an answer and the values of its header fields may refer to the request:

| written | stands for |
|---|---|
| `{id}` | what the route's path captures under this name, percent-decoded |
| `{rest}` | what `/*` at the end of the route's path takes, without a leading `/` |
| `{route.name}` | the route's name |
| `{request.method}`, `{request.scheme}`, `{request.host}`, `{request.path}`, `{request.query}` | the parts of the request; the host without its port, path and query as sent |
| `{request.id}`, `{request.client}` | the request's id, the client's address |
| `{request.server_name}`, `{request.tls_version}` | the host that the client named when it connected, `TLSv1.2` or `TLSv1.3`; empty over clear text |
| `{request.client_subject}`, `{request.client_sans}`, `{request.client_fingerprint}` | of the client's certificate: subject, alternative names, SHA-256 in hexadecimal digits; empty for none |

A name is letters, digits, `_` and `.` directly between braces; a name that stands for nothing is an error. `{{id}}` is the
text `{id}`, and a brace that opens no name stands for itself, so JSON is written as it is. A value is written so that it
can't be more than a value in its place: percent-encoded in a redirect, escaped in a body whose `content-type` is JSON,
HTML or XML; a `content-type` itself, and a body of JavaScript or CSS, refer to nothing. `.` and `..` as a segment of a
redirect give 400. Between `{ }` YAML needs quotes around a template.

In a redirect only `{request.host}` may stand for the host, and only whole: nothing else that a client sends decides where
it is sent. What a regular expression's groups take can't be referred to.

The line of an access log has names of its own: the keys of the JSON line, and `{header:NAME}`.

### Further files

`include: ["routes/*.yaml"]` reads further files, relative to the directory of the file that names them. `*` stands for
any run of characters within one name, `?` for one; a name that begins with `.` is only taken where the dot is written. The
files of one pattern are read in sorted order, and each file once. A name without a wildcard must be there; a pattern that
matches nothing is a warning.

An included file is YAML of its own and holds `upstreams` and `routes`, nothing else: no listeners, no limits, no further
`include`. What it holds stands beside everything else: an upstream of one file serves the routes of another, a name that
two files give is an error that names both places, and routes come in the order in which their files are read, those of the
main file first. Relative paths in it start in its own directory. Every diagnostic names its file.

### Secrets

A secret is `{ file: PATH }`, or a value that comes from the environment: `"${NAME}"`. A file holds one line of UTF-8, at
most 64 KiB; white space around it is removed. A secret that is written out gets a warning. No diagnostic, log or answer of
the admin listener shows one.

### Certificates

A listener may have any number of certificates. A client names a host when it connects (SNI), and gets the certificate that
is for this name; if there is none, the one for the wildcard that takes it, where `*.` stands for one label; if there is
none, and for a client that names no host, the first of the list, or no connection with `strict_sni: on`. A certificate is
for its `hosts`, or for the names that it holds itself: so `hosts` are only needed where it holds more names than are meant.

Two certificates for one name, one with an ECDSA key and one with an RSA key, stand as two entries of the list: a client gets
ECDSA if it knows that, RSA otherwise. Of two with the same kind of key the first in the list is served, and `check` warns.

A certificate's file holds the certificate, then those between it and the root, in PEM; the key's file one private key, not
encrypted. Both are checked at load: that they can be read, that the key is the certificate's, and when it expires. They are
read again when they change, without a reload, and on every reload; so are authorities and revocation lists. While new files
don't go together, or are broken, what was read before goes on being served, and the log says which file it is and why. Write
the new files beside the old ones and rename them. Connections that are open stay open.

Paths only: a certificate or key itself, written into the configuration, is an error that doesn't show it.

`match_host` keeps a connection to the hosts that its certificate is for: browsers send requests for every host that a
certificate holds over one connection, and a request for another one gets 421, upon which they make a new connection.

### Warnings

What is allowed but hardly meant is a warning, and the file is used: a route that no request reaches because one that is
asked before takes everything that it takes; an upstream that no route uses; a `connect_timeout` longer than a route waits;
an endpoint that is one of the gateway's own addresses; a port that the process may not bind; a network of trusted proxies
that is everybody; a text that looks like another gateway's variable; a certificate that expires soon, that is never served or
that browsers will refuse for its `hosts`; a service whose certificate is not checked; routes where no listener takes requests.

## Keys
"#;

const LIMITS: &str = r#"
## Limits

What a running gateway allows, and what exceeding it gives. The file sets these.

| limit | default | may be | exceeding it gives |
|---|---|---|---|
"#;

const FIXED: &str = r#"
What a file may hold. These are fixed; exceeding one is an error at load.

| limit | at most |
|---|---|
"#;
