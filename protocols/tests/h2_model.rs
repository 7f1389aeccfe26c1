//! Random frames and random steps of the caller, against a model of stream states that is written from RFC 9113 section
//! 5.1 alone: for each frame it says what must come of it.

// Clippy takes only functions marked as tests for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "h2_wire/mod.rs"]
mod wire;

use proptest::prelude::*;
use ringgate_protocols::h2::frame::Kind;
use ringgate_protocols::h2::{ErrorCode, Limits};
use std::collections::BTreeMap;
use wire::*;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Head(u32, bool),
    Trailers(u32, bool),
    Data(u32, bool),
    Reset(u32),
    WindowUpdate(u32, u32),
    Priority(u32),
    Answer(u32, bool),
    CallerResets(u32),
    CallerReleases(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let stream = (0u32..5).prop_map(|at| 2 * at + 1);
    let increment = prop::sample::select(vec![0u32, 1, 1_000, 0x7fff_ffff]);
    prop_oneof![
        4 => (stream.clone(), any::<bool>()).prop_map(|(stream, end)| Step::Head(stream, end)),
        2 => (stream.clone(), prop::bool::weighted(0.8)).prop_map(|(stream, end)| Step::Trailers(stream, end)),
        3 => (stream.clone(), any::<bool>()).prop_map(|(stream, end)| Step::Data(stream, end)),
        1 => stream.clone().prop_map(Step::Reset),
        1 => (stream.clone(), increment).prop_map(|(stream, increment)| Step::WindowUpdate(stream, increment)),
        1 => stream.clone().prop_map(Step::Priority),
        3 => (stream.clone(), any::<bool>()).prop_map(|(stream, end)| Step::Answer(stream, end)),
        1 => stream.clone().prop_map(Step::CallerResets),
        1 => stream.prop_map(Step::CallerReleases),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    HalfClosedRemote,
    HalfClosedLocal,
    /// By END_STREAM of both, or RST_STREAM of the peer.
    Closed,
    /// By RST_STREAM of this end.
    ResetHere,
}

#[derive(Default)]
struct Model {
    last: u32,
    streams: BTreeMap<u32, State>,
    answered: BTreeMap<u32, bool>,
    send_windows: BTreeMap<u32, i64>,
}

const FINE: Outcome = Outcome::Fine;

const fn fatal(code: ErrorCode) -> Outcome {
    Outcome::Connection(code)
}

impl Model {
    fn is_idle(&self, stream: u32) -> bool {
        stream > self.last
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) -> Outcome {
        self.streams.insert(stream, State::ResetHere);
        Outcome::Stream(stream, code)
    }

    fn end(&mut self, stream: u32) {
        let state = self.streams.get_mut(&stream).unwrap();
        *state = if *state == State::HalfClosedLocal { State::Closed } else { State::HalfClosedRemote };
    }

    fn headers(&mut self, stream: u32, end: bool, is_head: bool) -> Outcome {
        if self.is_idle(stream) {
            self.last = stream;
            if !is_head {
                return self.reset(stream, ErrorCode::PROTOCOL_ERROR);
            }
            self.streams.insert(stream, if end { State::HalfClosedRemote } else { State::Open });
            self.send_windows.insert(stream, 65_535);
            return FINE;
        }
        match self.streams.get(&stream) {
            // Closed by the use of a higher one.
            None => fatal(ErrorCode::PROTOCOL_ERROR),
            Some(State::Closed) => fatal(ErrorCode::STREAM_CLOSED),
            Some(State::ResetHere) => FINE,
            Some(State::HalfClosedRemote) => self.reset(stream, ErrorCode::STREAM_CLOSED),
            Some(State::Open | State::HalfClosedLocal) if is_head || !end => {
                self.reset(stream, ErrorCode::PROTOCOL_ERROR)
            }
            Some(State::Open | State::HalfClosedLocal) => {
                self.end(stream);
                FINE
            }
        }
    }

    fn data(&mut self, stream: u32, end: bool) -> Outcome {
        if self.is_idle(stream) {
            return fatal(ErrorCode::PROTOCOL_ERROR);
        }
        match self.streams.get(&stream) {
            None | Some(State::Closed) => return fatal(ErrorCode::STREAM_CLOSED),
            Some(State::ResetHere) => {}
            Some(State::HalfClosedRemote) => return self.reset(stream, ErrorCode::STREAM_CLOSED),
            Some(State::Open | State::HalfClosedLocal) if end => self.end(stream),
            Some(State::Open | State::HalfClosedLocal) => {}
        }
        FINE
    }

    fn window_update(&mut self, stream: u32, increment: u32) -> Outcome {
        if self.is_idle(stream) {
            return fatal(ErrorCode::PROTOCOL_ERROR);
        }
        if let None | Some(State::Closed | State::ResetHere) = self.streams.get(&stream) {
            return FINE;
        }
        if increment == 0 {
            return self.reset(stream, ErrorCode::PROTOCOL_ERROR);
        }
        let window = self.send_windows.get_mut(&stream).unwrap();
        *window += i64::from(increment);
        if *window > 0x7fff_ffff {
            return self.reset(stream, ErrorCode::FLOW_CONTROL_ERROR);
        }
        FINE
    }

    fn reset_frame(&mut self, stream: u32) -> Outcome {
        if self.is_idle(stream) {
            return fatal(ErrorCode::PROTOCOL_ERROR);
        }
        if let Some(state) = self.streams.get_mut(&stream).filter(|state| **state != State::ResetHere) {
            *state = State::Closed;
        }
        FINE
    }

    /// Whether the caller may answer, which it then does.
    fn answers(&mut self, stream: u32, end: bool) -> bool {
        let Some(state @ (State::Open | State::HalfClosedRemote)) = self.streams.get_mut(&stream) else { return false };
        if self.answered.insert(stream, true).is_some() {
            return false;
        }
        if end {
            *state = if *state == State::Open { State::HalfClosedLocal } else { State::Closed };
        }
        true
    }

    fn caller_resets(&mut self, stream: u32) {
        if let Some(state) = self.streams.get_mut(&stream).filter(|state| **state != State::Closed) {
            *state = State::ResetHere;
        }
    }
}

/// One step of the model and of the connection: what each came to.
fn take(model: &mut Model, end: &mut End, step: Step) -> (Outcome, Outcome) {
    let (expected, bytes) = match step {
        Step::Head(stream, ends) => {
            let flags = if ends { END } else { END_HEADERS };
            (model.headers(stream, ends, true), headers(stream, flags, &POST))
        }
        Step::Trailers(stream, ends) => {
            let flags = if ends { END } else { END_HEADERS };
            (model.headers(stream, ends, false), headers(stream, flags, &[("x", "y")]))
        }
        Step::Data(stream, ends) => {
            (model.data(stream, ends), data(stream, if ends { END_STREAM } else { 0 }, b"data"))
        }
        Step::Reset(stream) => (model.reset_frame(stream), reset(stream, ErrorCode::CANCEL)),
        Step::WindowUpdate(stream, increment) => {
            (model.window_update(stream, increment), window_update(stream, increment))
        }
        Step::Priority(stream) => (FINE, raw(Kind::PRIORITY, 0, stream, &[0; 5])),
        Step::Answer(stream, ends) => {
            if model.answers(stream, ends) {
                end.answer(id(stream), ends);
            }
            (FINE, Vec::new())
        }
        Step::CallerResets(stream) => {
            model.caller_resets(stream);
            end.connection.reset(id(stream), ErrorCode::CANCEL, &mut end.out);
            end.out.clear();
            (FINE, Vec::new())
        }
        Step::CallerReleases(stream) => {
            // One that is released is closed for good.
            model.caller_resets(stream);
            end.connection.release(id(stream), &mut end.out);
            end.out.clear();
            (FINE, Vec::new())
        }
    };
    (outcome(end, &bytes), expected)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn streams_are_where_the_model_says(steps in prop::collection::vec(step(), 1..40)) {
        let mut model = Model::default();
        let mut end = End::open_server(Limits::default());
        for (at, step) in steps.iter().enumerate() {
            let (found, expected) = take(&mut model, &mut end, *step);
            prop_assert_eq!(found, expected, "step {}: {:?}", at, step);
            if let Outcome::Connection(_) = found {
                break;
            }
        }
    }
}
