//! Graceful and other ends, of connections and of streams.

use crate::wire::*;
use ringgate_protocols::h2::frame::{Kind, flags};
use ringgate_protocols::h2::{EndedBy, ErrorCode, Event, Limits, OpenError, SendError};

fn goaway(last_stream: u32) -> Vec<u8> {
    raw(Kind::GOAWAY, 0, 0, &[&last_stream.to_be_bytes()[..], &[0; 4]].concat())
}

/// The echo of the one ping among these frames.
fn echo(frames: &[(ringgate_protocols::h2::frame::Head, Vec<u8>)]) -> Vec<u8> {
    let (_, payload) = frames.iter().find(|(head, _)| head.kind == Kind::PING).unwrap();
    raw(Kind::PING, flags::ACK, 0, payload)
}

#[test]
fn a_server_drains_in_two_steps() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    end.connection.drain(&mut end.out);
    end.connection.drain(&mut end.out);
    assert!(end.connection.is_draining());
    let frames = end.frames();
    assert_eq!(frames[0].1[..4], 0x7fff_ffffu32.to_be_bytes());
    assert_eq!(frames.len(), 2);
    // A request that was on its way is still served.
    assert!(matches!(end.give(&headers(3, END, &GET)).unwrap()[0], Seen::Head(3, ..)));
    assert_eq!(end.give(&echo(&frames)).unwrap(), []);
    assert_eq!(end.frames()[0].1[..4], 3u32.to_be_bytes());
    // Later ones are passed over, and their blocks still count for the table.
    let late = [&b"\x40\x03x-a\x01b"[..], &block(&GET)].concat();
    assert_eq!(end.give(&raw(Kind::HEADERS, END_HEADERS, 5, &late)).unwrap(), []);
    assert_eq!(end.give(&[data(5, END_STREAM, b"x"), window_update(5, 1_000)].concat()).unwrap(), []);
    for stream in [1, 3] {
        assert!(!end.connection.is_drained());
        end.answer(id(stream), true);
        end.connection.release(id(stream), &mut end.out);
    }
    assert!(end.connection.is_drained());
    // What fails afterwards does not take the last stream back.
    end.out.clear();
    end.give(&raw(Kind::HEADERS, END, 7, &[0xbe, 0xff, 0xff])).unwrap_err();
    assert_eq!(end.frames()[0].1[..4], 3u32.to_be_bytes());
}

#[test]
fn a_server_need_not_wait_for_the_echo() {
    let mut end = End::open_server(Limits::default());
    end.connection.drain(&mut end.out);
    end.out.clear();
    end.connection.drain_now(&mut end.out);
    assert_eq!(end.frames()[0].1[..4], [0; 4]);
    assert!(end.connection.is_drained());
}

#[test]
fn a_client_learns_which_requests_were_not_processed() {
    let mut end = End::open_client(Limits::default());
    let streams = [end.request("GET", true), end.request("POST", false), end.request("GET", true)];
    let seen = end.give(&goaway(3)).unwrap();
    assert_eq!(seen, [Seen::Other(Event::GoAway { code: ErrorCode::NO_ERROR })]);
    assert_eq!(end.connection.stream_end(streams[1]), None);
    let left_out = end.connection.stream_end(streams[2]).unwrap();
    assert!(left_out.unprocessed && left_out.by == EndedBy::PeerGoAway);
    assert_eq!(end.connection.openable(), 0);
    assert_eq!(end.connection.send_request(true, &mut end.out, |_| {}), Err(OpenError::Closing));
    // Those that are processed go on.
    assert!(end.connection.data_head(streams[1], 5, true).is_ok());
    assert_eq!(end.give(&[headers(1, END, &OK), headers(3, END, &OK)].concat()).unwrap().len(), 2);
    // An answer to one that was left out, all the same: it is passed over.
    assert_eq!(end.give(&headers(5, END, &OK)).unwrap(), []);
    for stream in streams {
        end.connection.release(stream, &mut end.out);
    }
    assert!(end.connection.is_drained());
}

#[test]
fn a_refused_stream_may_be_sent_again() {
    let mut end = End::open_client(Limits::default());
    let (refused, cancelled) = (end.request("POST", false), end.request("POST", false));
    let frames = [reset(1, ErrorCode::REFUSED_STREAM), reset(3, ErrorCode::CANCEL)].concat();
    let seen = end.give(&frames).unwrap();
    assert_eq!(seen, [refused, cancelled].map(|stream| Seen::Other(Event::Ended { stream })));
    assert!(end.connection.stream_end(refused).unwrap().unprocessed);
    assert!(!end.connection.stream_end(cancelled).unwrap().unprocessed);
    assert_eq!(end.connection.data_head(refused, 1, false), Err(SendError::Ended));
    assert_eq!(end.connection.grant(refused, 10), 0);
}

#[test]
fn a_client_drains_by_itself() {
    let mut end = End::open_client(Limits::default());
    let stream = end.request("GET", true);
    end.connection.drain(&mut end.out);
    assert_eq!(end.frames().last().unwrap().0.kind, Kind::GOAWAY);
    assert_eq!(end.connection.openable(), 0);
    end.give(&headers(1, END, &OK)).unwrap();
    assert!(!end.connection.is_drained());
    end.connection.release(stream, &mut end.out);
    assert!(end.connection.is_drained());
}

/// The code of the one RST_STREAM that releasing stream 1 sends, if it sends one.
fn released(end: &mut End) -> Option<ErrorCode> {
    end.out.clear();
    end.connection.release(id(1), &mut end.out);
    end.connection.release(id(1), &mut end.out);
    assert_eq!(end.connection.stream_count(), 0);
    let frames = end.frames();
    assert!(frames.len() <= 1);
    frames.first().map(|(_, payload)| ErrorCode(u32::from_be_bytes(payload[..].try_into().unwrap())))
}

#[test]
fn a_stream_that_is_released_early_is_reset() {
    let open = |flags, answered: Option<bool>| {
        let mut end = End::open_server(Limits::default());
        end.give(&headers(1, flags, &POST)).unwrap();
        if let Some(whole) = answered {
            end.answer(id(1), whole);
        }
        end
    };
    assert_eq!(released(&mut open(END, Some(true))), None);
    // The answer is complete, the rest of the request is not wanted.
    assert_eq!(released(&mut open(END_HEADERS, Some(true))), Some(ErrorCode::NO_ERROR));
    assert_eq!(released(&mut open(END_HEADERS, Some(false))), Some(ErrorCode::CANCEL));
    assert_eq!(released(&mut open(END, None)), Some(ErrorCode::CANCEL));
    let mut reset_by_peer = open(END, None);
    reset_by_peer.give(&reset(1, ErrorCode::CANCEL)).unwrap();
    assert_eq!(released(&mut reset_by_peer), None);
    let mut client = End::open_client(Limits::default());
    client.request("GET", true);
    assert_eq!(released(&mut client), Some(ErrorCode::CANCEL));
}

#[test]
fn messages_are_sent_in_order_or_not_at_all() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    let out = &mut end.out;
    let connection = &mut end.connection;
    assert_eq!(connection.data_head(id(1), 1, false), Err(SendError::Order));
    assert_eq!(connection.send_trailers(id(1), out, |_| {}), Err(SendError::Order));
    assert_eq!(connection.send_informational(id(1), out, |writer| writer.status(103)), Ok(()));
    assert_eq!(connection.send_response(id(1), false, out, |writer| writer.status(200)), Ok(()));
    assert_eq!(connection.send_response(id(1), false, out, |writer| writer.status(200)), Err(SendError::Order));
    assert_eq!(connection.send_informational(id(1), out, |_| {}), Err(SendError::Order));
    assert!(connection.data_head(id(1), 1, false).is_ok());
    assert_eq!(connection.send_trailers(id(1), out, |_| {}), Ok(()));
    assert_eq!(connection.data_head(id(1), 1, false), Err(SendError::Order));
    assert_eq!(connection.send_response(id(3), false, out, |_| {}), Err(SendError::Ended));
}

#[test]
fn what_http_2_forbids_is_not_sent() {
    use ringgate_protocols::wire::HeaderId;
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    let written = end.connection.send_response(id(1), true, &mut end.out, |writer| {
        writer.status(200);
        writer.known(HeaderId::Connection, b"close", false);
        writer.named(b"Transfer-Encoding", b"chunked", false);
        writer.named(b"Keep-Alive", b"5", false);
        writer.known(HeaderId::Te, b"gzip", false);
        writer.named(b"TE", b"trailers", false);
        writer.named(b"X-Own", b"1", false);
        writer.named(b"Content-Type", b"text/plain", false);
    });
    written.unwrap();
    let mut client = End::open_client(Limits::default());
    client.request("GET", true);
    let seen = client.give(&end.out).unwrap();
    let Seen::Head(1, fields, true) = &seen[0] else { panic!("{seen:?}") };
    let names: Vec<&str> = fields.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, [":status", "te", "x-own", "content-type"]);
}

#[test]
fn a_head_longer_than_a_frame_is_sent_in_several() {
    let mut end = End::open_server(Limits::default());
    end.give(&headers(1, END, &GET)).unwrap();
    let long = vec![b'{'; 20_000];
    let write = |writer: &mut ringgate_protocols::h2::BlockWriter<'_>| {
        writer.status(200);
        writer.named(b"x-long", &long, false);
        writer.named(b"x-longer", &long, true);
    };
    end.connection.send_response(id(1), true, &mut end.out, write).unwrap();
    let frames = frames(&end.out);
    assert_eq!(frames.iter().map(|(head, _)| head.kind.0).collect::<Vec<_>>(), [1, 9, 9]);
    assert!(frames.iter().all(|(head, _)| head.len <= 16_384));
    let mut client = End::open_client(Limits { header_bytes: 64 << 10, ..Limits::default() });
    client.request("GET", true);
    let seen = client.give(&end.out).unwrap();
    let Seen::Head(1, fields, true) = &seen[0] else { panic!("{seen:?}") };
    assert_eq!(fields[2].1.len(), 20_000);
    assert!(client.head.never_indexed(1) && !client.head.never_indexed(0));
}
