//! Our end on a pipe: what an engine does with a connection, as plainly as possible.

use ringgate_protocols::h2::{Connection, ConnectionError, Event, Head, StreamId};
use ringgate_protocols::hpack::{Name, Pseudo};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// What is to be sent on a stream behind its head.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) body: Vec<u8>,
    pub(crate) at: usize,
    /// Trailers end the message, where there are any.
    pub(crate) trailers: Option<Vec<(String, String)>>,
}

pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(crate) out: Vec<u8>,
    pub(crate) outgoing: BTreeMap<StreamId, Outgoing>,
    /// Whether a stream is released once its end has been sent.
    pub(crate) releases: bool,
    pipe: DuplexStream,
    received: Vec<u8>,
    head: Head,
}

/// What the owner of a driver does with events; data comes as bytes.
pub(crate) trait Owner {
    fn event(&mut self, driver: &mut Driver, event: Event, head: &Head, data: &[u8]);
    /// Whether everything is done.
    fn is_done(&self) -> bool;
}

impl Driver {
    pub(crate) fn new(connection: Connection, out: Vec<u8>, pipe: DuplexStream) -> Self {
        Self {
            connection,
            out,
            outgoing: BTreeMap::new(),
            releases: false,
            pipe,
            received: Vec::new(),
            head: Head::new(),
        }
    }

    /// Runs until the owner is done, or the peer closes.
    pub(crate) async fn run(&mut self, owner: &mut impl Owner) -> Result<(), ConnectionError> {
        let mut buffer = vec![0; 7_000];
        loop {
            self.send_data();
            self.connection.sent();
            let out = std::mem::take(&mut self.out);
            // Both directions at once: each peer may wait for the other to read.
            let (mut reader, mut writer) = tokio::io::split(&mut self.pipe);
            let mut unsent = &out[..];
            let mut len = 0;
            while !unsent.is_empty() || len == 0 {
                if owner.is_done() && unsent.is_empty() {
                    return Ok(());
                }
                tokio::select! {
                    biased;
                    written = writer.write(unsent), if !unsent.is_empty() => match written {
                        Ok(written) => unsent = &unsent[written..],
                        Err(_) => return Ok(()),
                    },
                    read = reader.read(&mut buffer) => {
                        len = read.unwrap_or(0);
                        if len == 0 {
                            return Ok(());
                        }
                        self.received.extend_from_slice(&buffer[..len]);
                    }
                }
            }
            self.receive(owner)?;
        }
    }

    fn receive(&mut self, owner: &mut impl Owner) -> Result<(), ConnectionError> {
        let mut received = std::mem::take(&mut self.received);
        let mut head = std::mem::take(&mut self.head);
        let mut at = 0;
        loop {
            let step = self.connection.receive(&received[at..], 0, &mut head, &mut self.out)?;
            if let Event::Need(_) = step.event {
                at += step.consumed;
                break;
            }
            let data = match &step.event {
                Event::Data { data, .. } => received[at + data.start..at + data.end].to_vec(),
                _ => Vec::new(),
            };
            owner.event(self, step.event, &head, &data);
            at += step.consumed;
        }
        received.drain(..at);
        self.received = received;
        self.head = head;
        Ok(())
    }

    /// Adds what is to be sent on a stream, the end included.
    pub(crate) fn send(&mut self, stream: StreamId, outgoing: Outgoing) {
        self.outgoing.insert(stream, outgoing);
        self.connection.wants_to_send(stream);
    }

    fn send_data(&mut self) {
        // Those that have only their end to send need no turn.
        let ended: Vec<_> = self.outgoing.iter().filter(|(_, o)| o.at == o.body.len()).map(|(id, _)| *id).collect();
        for stream in ended {
            self.send_end(stream);
        }
        while let Some(turn) = self.connection.next_turn(0) {
            let Some(outgoing) = self.outgoing.get_mut(&turn.stream) else {
                self.connection.has_sent_all(turn.stream);
                continue;
            };
            let len = turn.bytes.min(outgoing.body.len() - outgoing.at);
            let is_last = outgoing.at + len == outgoing.body.len();
            let end = is_last && outgoing.trailers.is_none();
            assert!(len <= self.connection.grant(turn.stream, len));
            let head = self.connection.data_head(turn.stream, len, end).unwrap();
            self.out.extend_from_slice(&head);
            self.out.extend_from_slice(&outgoing.body[outgoing.at..outgoing.at + len]);
            outgoing.at += len;
            if end {
                self.outgoing.remove(&turn.stream);
                self.release(turn.stream);
            } else if is_last {
                self.send_end(turn.stream);
            }
        }
    }

    fn send_end(&mut self, stream: StreamId) {
        let Some(outgoing) = self.outgoing.remove(&stream) else { return };
        self.connection.has_sent_all(stream);
        match outgoing.trailers {
            Some(trailers) => {
                let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| write_fields(writer, &trailers);
                self.connection.send_trailers(stream, &mut self.out, write).unwrap();
            }
            None => self.out.extend(self.connection.data_head(stream, 0, true).unwrap()),
        }
        self.release(stream);
    }

    fn release(&mut self, stream: StreamId) {
        if self.releases {
            self.connection.release(stream, &mut self.out);
        }
    }
}

/// Writes fields, with or without a colon in front.
pub(crate) fn write_fields(writer: &mut ringgate_protocols::h2::BlockWriter<'_>, fields: &[(String, String)]) {
    for (name, value) in fields {
        match Name::of(name.as_bytes()) {
            Name::Pseudo(pseudo) => writer.pseudo(pseudo, value.as_bytes()),
            _ => writer.named(name.as_bytes(), value.as_bytes(), false),
        }
    }
}

/// The regular fields of a head.
pub(crate) fn fields(head: &Head) -> Vec<(String, String)> {
    let text = |span: ringgate_protocols::wire::Span| String::from_utf8(span.of(head.bytes()).to_vec()).unwrap();
    head.fields.iter().map(|field| (text(field.name), text(field.value))).collect()
}

pub(crate) fn status(writer: &mut ringgate_protocols::h2::BlockWriter<'_>, status: &str) {
    writer.pseudo(Pseudo::Status, status.as_bytes());
}
