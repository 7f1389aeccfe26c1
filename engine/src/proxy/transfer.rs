//! What goes between the two ends while an exchange lasts: the request's body one way, the answer the other, both at
//! once, neither faster than its receiver takes it.

use super::ends::{Downstream, Upstream};
use super::rate::RateWatch;
use crate::model::{Answered, Edits, Fault, Piece};
use ringgate_config::MinRate;
use ringgate_rt::clock::{self, Moment};
use ringgate_rt::timer::Timer;
use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// How often an exchange that is still going on is looked after.
pub(crate) const TICK: Duration = Duration::from_millis(500);
/// How long a service may pause in the middle of its answer.
pub(crate) const ANSWER_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// What bounds a transfer.
pub(crate) struct Bounds<'a> {
    pub(crate) timer: &'a Timer,
    pub(crate) min_rate: Option<MinRate>,
    /// From the last byte of the request to the answer's head.
    pub(crate) answer_timeout: Duration,
    /// The process is stopping: this exchange is the last of its connection.
    pub(crate) draining: &'a Cell<bool>,
    /// It must end now.
    pub(crate) aborting: &'a Cell<bool>,
}

/// How a transfer went well.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The answer is with the client.
    Whole,
    /// Both sides have changed the protocol: from here on they are plain bytes.
    Switched,
}

/// What a transfer tells the record as it goes.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) status: u16,
    pub(crate) answer_bytes: u64,
    /// When the answer's head was there.
    pub(crate) head_at: Option<Moment>,
    /// When the answer began to leave, if it did not leave as a whole at its end.
    pub(crate) leaving_at: Option<Moment>,
}

/// How far a request is on its way when the transfer begins.
pub(crate) enum Begun {
    /// All of it.
    Whole,
    /// Its head and some of its body; this comes next, if it is known.
    Part(Option<Piece>),
}

/// Carries one exchange from the point where the request's head is on its way, until the answer is with the client.
pub(crate) async fn transfer<D: Downstream, U: Upstream>(
    down: &mut D,
    up: &mut U,
    begun: Begun,
    edit_answer: impl FnMut(&U, &mut Edits),
    edits: &mut Edits,
    bounds: &Bounds<'_>,
    progress: &mut Progress,
) -> Result<Done, Fault> {
    let now = clock::now();
    let (request_sent, request_held) = match begun {
        Begun::Whole => (true, None),
        Begun::Part(held) => (false, held),
    };
    let mut transfer = Transfer {
        down,
        up,
        edits,
        edit_answer,
        bounds,
        progress,
        request_sent,
        request_held,
        held: None,
        answer_done: false,
        switched: false,
        client_is_waited_for: false,
        late: false,
        deadline: now.after(bounds.answer_timeout),
        body_rate: RateWatch::default(),
        answer_rate: RateWatch::default(),
    };
    bounds.timer.set(now.after(TICK.min(bounds.answer_timeout)));
    poll_fn(|cx| transfer.poll(cx)).await
}

struct Transfer<'a, D, U, F> {
    down: &'a mut D,
    up: &'a mut U,
    edits: &'a mut Edits,
    edit_answer: F,
    bounds: &'a Bounds<'a>,
    progress: &'a mut Progress,
    /// Nothing more of the request is to be sent: it is whole, or the service does not take it.
    request_sent: bool,
    /// A piece of the request's body that was taken and is to be sent.
    request_held: Option<Piece>,
    /// What the service has sent and the client can't take yet.
    held: Option<Answered>,
    answer_done: bool,
    switched: bool,
    client_is_waited_for: bool,
    /// The service has not answered for a while.
    late: bool,
    deadline: Moment,
    body_rate: RateWatch,
    answer_rate: RateWatch,
}

impl<D: Downstream, U: Upstream, F: FnMut(&U, &mut Edits)> Transfer<'_, D, U, F> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Done, Fault>> {
        if self.bounds.aborting.get() {
            return Poll::Ready(Err(Fault::Stopped));
        }
        loop {
            self.move_request(cx)?;
            match self.move_answer(cx) {
                Poll::Ready(Ok(true)) => continue,
                Poll::Ready(Ok(false)) => {
                    let done = if self.switched { Done::Switched } else { Done::Whole };
                    return Poll::Ready(Ok(done));
                }
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(fault)),
                Poll::Pending => {}
            }
            match self.bounds.timer.poll(cx) {
                Poll::Ready(()) => self.tick()?,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Sends on what has come of the request's body; once it is whole, watches whether the client leaves.
    fn move_request(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        loop {
            if self.request_sent {
                self.up.drive(cx, self.late);
                return self.down.poll_left(cx, self.late && !self.answer_done);
            }
            self.client_is_waited_for = false;
            match self.up.poll_ready(cx) {
                Poll::Pending => return Ok(()),
                // The service does not take the rest. It may have answered already; if not, its end is seen there.
                Poll::Ready(Err(_)) => self.request_sent = true,
                Poll::Ready(Ok(())) => {
                    let held = self.request_held.take().map(Ok);
                    match held.map_or_else(|| self.down.poll_body(cx), Poll::Ready) {
                        Poll::Pending => {
                            self.client_is_waited_for = true;
                            return Ok(());
                        }
                        Poll::Ready(piece) => self.send_piece(piece?),
                    }
                }
            }
        }
    }

    fn send_piece(&mut self, piece: Piece) {
        self.deadline = clock::now().after(self.bounds.answer_timeout);
        match piece {
            Piece::Data { buf, last } => {
                self.request_sent = last;
                self.up.send_data(buf, last);
            }
            Piece::End(trailers) => {
                self.request_sent = true;
                self.up.send_end(trailers);
            }
        }
    }

    /// Takes what the service sends and gives it to the client. True if it moved something, false at the end.
    fn move_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Fault>> {
        if self.answer_done {
            ready!(self.down.poll_finished(cx))?;
            return Poll::Ready(Ok(false));
        }
        if self.held.is_none() {
            // Fetched also while the client is still taking the piece before: two pieces at a time, no more.
            match self.up.poll_answer(cx) {
                Poll::Ready(answered) => self.held = Some(answered?),
                Poll::Pending => {
                    // Nothing to send, but what was sent must be driven on, and a client that is gone noticed.
                    let _ = self.down.poll_ready(cx)?;
                    return Poll::Pending;
                }
            }
        }
        ready!(self.down.poll_ready(cx))?;
        match self.held.take() {
            Some(Answered::Informational) => self.down.send_informational(&self.up.head()),
            Some(Answered::Head) => self.send_head(cx)?,
            Some(Answered::Switched) => self.send_switch(),
            Some(Answered::Piece(piece)) => self.send_answer_piece(piece),
            None => {}
        }
        Poll::Ready(Ok(true))
    }

    fn send_head(&mut self, cx: &mut Context<'_>) -> Result<(), Fault> {
        let now = clock::now();
        self.progress.head_at = Some(now);
        self.progress.status = self.up.head().status;
        self.deadline = now.after(ANSWER_IDLE_TIMEOUT);
        (self.edit_answer)(self.up, self.edits);
        if self.bounds.draining.get() {
            self.down.close_after_this();
        }
        self.down.put_head(&self.up.head(), self.edits);
        // What has come of the body leaves in the same send. If nothing has, the head must not wait for it.
        match self.up.poll_answer(cx) {
            Poll::Ready(Ok(Answered::Piece(piece))) => self.send_answer_piece(piece),
            Poll::Ready(Ok(_)) => return Err(Fault::Internal),
            Poll::Ready(Err(fault)) => return Err(fault),
            Poll::Pending => self.down.flush(),
        }
        if !self.answer_done {
            self.progress.leaving_at = Some(clock::read());
        }
        Ok(())
    }

    fn send_switch(&mut self) {
        self.progress.head_at = Some(clock::now());
        self.progress.status = self.up.head().status;
        (self.edit_answer)(self.up, self.edits);
        self.down.send_switch(&self.up.head(), self.edits);
        self.progress.leaving_at = Some(clock::read());
        self.switched = true;
        self.answer_done = true;
    }

    fn send_answer_piece(&mut self, piece: Piece) {
        match piece {
            Piece::Data { buf, last } => {
                self.answer_done = last;
                self.progress.answer_bytes += buf.len() as u64;
                self.down.send_data(buf, last);
            }
            Piece::End(trailers) => {
                self.answer_done = true;
                self.down.send_end(trailers);
            }
        }
    }

    /// Looks after an exchange that takes long: a client that has left, rates, deadlines.
    fn tick(&mut self) -> Result<(), Fault> {
        let now = clock::now();
        self.late = true;
        if self.down.has_left() {
            return Err(Fault::ClientGone);
        }
        let rate = self.bounds.min_rate;
        let reading = !self.request_sent && self.client_is_waited_for;
        if self.body_rate.too_slow(now, self.down.body_progress(), reading, rate) {
            return Err(Fault::SlowBody);
        }
        let (confirmed, waiting) = self.down.sent();
        if self.answer_rate.too_slow(now, confirmed, self.down.answered() && waiting > 0, rate) {
            return Err(Fault::SlowReader);
        }
        let service_is_waited_for = !reading && self.held.is_none() && !self.answer_done;
        if !service_is_waited_for {
            let patience =
                if self.progress.head_at.is_some() { ANSWER_IDLE_TIMEOUT } else { self.bounds.answer_timeout };
            self.deadline = now.after(patience);
        } else if now >= self.deadline {
            return Err(Fault::UpstreamTimeout);
        }
        self.bounds.timer.set(now.after(TICK).min(self.deadline));
        Ok(())
    }
}
