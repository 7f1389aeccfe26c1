//! HTTP/1.1 messages, read strictly and independently of the gateway's own parser.

use std::io::{self, ErrorKind, Read};

/// A request as a service received it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    pub(crate) fields: FieldList,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: FieldList,
    /// Which of the service's connections it came on, from 0.
    pub(crate) connection: usize,
}

/// An answer as a client received it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) fields: FieldList,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: FieldList,
}

impl Answer {
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The body of one of the gateway's own answers.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// Fields in their order, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldList(pub(crate) Vec<(String, String)>);

impl FieldList {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(n, _)| n == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a field that stands there once.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "more than one {name}: {all:?}");
        all.first().copied()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}

/// A start line with its fields.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) fields: FieldList,
}

/// A byte stream with what has been read of it and not yet been used.
pub(crate) struct Wire<S> {
    pub(crate) stream: S,
    pub(crate) pending: Vec<u8>,
}

pub(crate) fn cut(what: &str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, format!("the connection ended in {what}"))
}

fn wrong(what: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

impl<S: Read> Wire<S> {
    pub(crate) fn new(stream: S) -> Wire<S> {
        Wire { stream, pending: Vec::new() }
    }

    /// Reads more. 0 at the end.
    pub(crate) fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 64 * 1024];
        let n = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.pending.extend_from_slice(&chunk[..n]);
        Ok(n)
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.pending.split_off(n);
        std::mem::replace(&mut self.pending, rest)
    }

    /// Takes exactly `n` bytes.
    pub(crate) fn exactly(&mut self, n: usize) -> io::Result<Vec<u8>> {
        while self.pending.len() < n {
            if self.fill()? == 0 {
                return Err(cut("counted bytes"));
            }
        }
        Ok(self.take(n))
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.pending.iter().position(|b| *b == b'\n') {
                let line = self.take(at + 1);
                let text = line.strip_suffix(b"\r\n").ok_or_else(|| wrong("a line ends in a bare LF".into()))?;
                return String::from_utf8(text.to_vec()).map_err(|e| wrong(e.to_string()));
            }
            if self.fill()? == 0 {
                return Err(cut("a line"));
            }
        }
    }

    fn field_lines(&mut self) -> io::Result<FieldList> {
        let mut list = FieldList::default();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(list);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| wrong(format!("no colon: {line:?}")))?;
            if name.trim() != name || name.is_empty() {
                return Err(wrong(format!("not a name: {name:?}")));
            }
            list.0.push((name.to_ascii_lowercase(), value.trim().to_string()));
        }
    }

    /// The next head; none if the stream ends before it begins.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        if self.pending.is_empty() && self.fill()? == 0 {
            return Ok(None);
        }
        let line = self.line()?;
        Ok(Some(Head { line, fields: self.field_lines()? }))
    }

    fn chunked(&mut self) -> io::Result<(Vec<u8>, FieldList)> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(&line, 16).map_err(|_| wrong(format!("not a chunk size: {line:?}")))?;
            if size == 0 {
                return Ok((body, self.field_lines()?));
            }
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                return Err(wrong("no CRLF behind a chunk".into()));
            }
        }
    }

    /// A body framed by its head; `to_the_end` says what holds where the head states nothing.
    pub(crate) fn body(&mut self, fields: &FieldList, to_the_end: bool) -> io::Result<(Vec<u8>, FieldList)> {
        match (fields.all("content-length")[..].first(), fields.all("transfer-encoding")[..].first()) {
            (Some(_), Some(_)) => Err(wrong("both Content-Length and Transfer-Encoding".into())),
            (None, Some(&"chunked")) => self.chunked(),
            (None, Some(other)) => Err(wrong(format!("Transfer-Encoding: {other}"))),
            (Some(length), None) => {
                let length = length.parse().map_err(|_| wrong(format!("Content-Length: {length}")))?;
                Ok((self.exactly(length)?, FieldList::default()))
            }
            (None, None) if to_the_end => {
                while self.fill()? > 0 {}
                Ok((std::mem::take(&mut self.pending), FieldList::default()))
            }
            (None, None) => Ok((Vec::new(), FieldList::default())),
        }
    }

    /// The next request; none at the end of the stream.
    pub(crate) fn request(&mut self, connection: usize) -> io::Result<Option<Request>> {
        let Some(head) = self.head()? else { return Ok(None) };
        let (body, trailers) = self.body(&head.fields, false)?;
        let mut request = request_of(head, connection)?;
        (request.body, request.trailers) = (body, trailers);
        Ok(Some(request))
    }

    /// The next answer to a request with that method, informational ones among them.
    pub(crate) fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let head = self.head()?.ok_or_else(|| cut("nothing: no answer came"))?;
        let mut answer = answer_of(head)?;
        let none = method == "HEAD" || matches!(answer.status, 100..=199 | 204 | 304);
        if !none {
            (answer.body, answer.trailers) = self.body(&answer.fields, true)?;
        }
        Ok(answer)
    }
}

pub(crate) fn request_of(head: Head, connection: usize) -> io::Result<Request> {
    let words: Vec<&str> = head.line.split(' ').collect();
    let [method, target, version] = words[..] else {
        return Err(wrong(format!("not a request line: {:?}", head.line)));
    };
    Ok(Request {
        method: method.into(),
        target: target.into(),
        version: version.into(),
        fields: head.fields,
        body: Vec::new(),
        trailers: FieldList::default(),
        connection,
    })
}

pub(crate) fn answer_of(head: Head) -> io::Result<Answer> {
    let mut words = head.line.splitn(3, ' ');
    let version = words.next().filter(|v| v.starts_with("HTTP/1.")).map(str::to_string);
    let status = words.next().and_then(|s| s.parse().ok());
    let (Some(version), Some(status), Some(reason)) = (version, status, words.next()) else {
        return Err(wrong(format!("not a status line: {:?}", head.line)));
    };
    let (body, trailers) = (Vec::new(), FieldList::default());
    Ok(Answer { version, status, reason: reason.into(), fields: head.fields, body, trailers })
}
