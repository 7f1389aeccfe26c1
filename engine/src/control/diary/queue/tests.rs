use super::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A reader that takes a write each time it is let; what it took is told.
struct Gated {
    leave: Receiver<()>,
    taken: Sender<String>,
}

impl Write for Gated {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // An error means that it was let go for good.
        let _ = self.leave.recv();
        let _ = self.taken.send(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const LONG: Duration = Duration::from_secs(10);

/// A queue with its thread; letting its reader go; what that has taken.
fn start() -> (Arc<Queue>, Sender<()>, Receiver<String>) {
    let queue = Arc::new(Queue::new());
    let ((let_go, leave), (taken, took)) = (channel(), channel());
    let inside = queue.clone();
    std::thread::spawn(move || inside.write_to(Gated { leave, taken }));
    (queue, let_go, took)
}

fn put(queue: &Queue, text: impl ToString) {
    queue.put(text.to_string().into_bytes());
}

#[test]
fn lines_come_out_in_their_order_and_a_flush_waits_for_the_last() {
    let (queue, let_go, took) = start();
    drop(let_go);
    (0..1000).for_each(|number| put(&queue, number));
    assert!(queue.flush(LONG));
    let lines: Vec<String> = took.try_iter().collect();
    assert_eq!(lines, (0..1000).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(queue.flush(Duration::ZERO), "nothing waits");
}

#[test]
fn nobody_waits_for_a_reader_that_is_stuck() {
    let (queue, let_go, took) = start();
    (0..LINES_MAX + 100).for_each(|number| put(&queue, number));
    assert!(!queue.flush(Duration::from_millis(20)));
    drop(let_go);
    assert!(queue.flush(LONG));
    let lines: Vec<String> = took.try_iter().collect();
    // One more may have been with the reader.
    let kept = lines.len() - 1;
    assert!((LINES_MAX..=LINES_MAX + 1).contains(&kept), "{kept}");
    let said = format!(" warn {} lines are missing here", LINES_MAX + 100 - kept);
    assert!(lines[kept].contains(&said), "{}", lines[kept]);
}

#[test]
fn lines_are_bounded_in_bytes_too_and_the_count_stands_where_they_are_missing() {
    let (queue, let_go, took) = start();
    put(&queue, "first");
    let_go.send(()).unwrap();
    assert_eq!(took.recv_timeout(LONG).unwrap(), "first");
    let half = "x".repeat(BYTES_MAX / 2);
    // The reader has the first of these, or will have.
    (0..5).for_each(|_| put(&queue, &half));
    let_go.send(()).unwrap();
    took.recv_timeout(LONG).unwrap();
    let_go.send(()).unwrap();
    took.recv_timeout(LONG).unwrap();
    // Two of the five are taken, so a short line fits now.
    put(&queue, "last");
    drop(let_go);
    assert!(queue.flush(LONG));
    let lines: Vec<String> = took.try_iter().collect();
    let at = lines.iter().position(|line| line.contains("lines are missing here")).expect("a count");
    assert_eq!(lines[at + 1..], ["last".to_owned()]);
    assert!(lines[..at].iter().all(|line| *line == half), "{at}");
}
