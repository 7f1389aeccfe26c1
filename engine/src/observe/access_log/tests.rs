use super::*;
use ringgate_rt::by_hand::ByHand;
use std::io;
use std::sync::mpsc::channel;
use std::time::Instant;

/// What was written, to be looked at while the writer still has it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn lines(&self) -> Vec<usize> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim_end_matches('.').parse().unwrap()).collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A reader that takes nothing until it is let go.
struct Stuck(Receiver<()>, Written);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error means that it was let go for good.
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line of 1 KiB: 32 make a batch.
fn line(batch: &LogBatch, number: usize) {
    batch.line(|out| {
        let start = out.len();
        out.extend_from_slice(number.to_string().as_bytes());
        out.resize(start + 1023, b'.');
        out.push(b'\n');
    });
}

#[test]
fn every_line_is_written_in_order_and_the_last_ones_at_the_end() {
    let by_hand = ByHand::new();
    let written = Written::default();
    let writer = LogWriter::start(written.clone()).unwrap();
    let batch = writer.handle().batch();
    // Fewer batches than may wait for the writer: none is lost, however slow it is.
    (0..1000).for_each(|number| line(&batch, number));
    drop((batch, by_hand));
    assert_eq!(writer.finish(), 0);
    assert_eq!(written.lines(), (0..1000).collect::<Vec<_>>());
}

#[test]
fn a_few_lines_are_written_before_they_are_old() {
    let mut by_hand = ByHand::new();
    let written = Written::default();
    let writer = LogWriter::start(written.clone()).unwrap();
    let batch = writer.handle().batch();
    for round in 1..=2 {
        line(&batch, round);
        let begun = Instant::now();
        while written.lines().len() < round {
            assert!(begun.elapsed() < Duration::from_secs(10), "round {round}");
            by_hand.turn();
        }
        assert!(begun.elapsed() >= BATCH_AGE, "lines gather for a while");
    }
    drop((batch, by_hand));
    assert_eq!(writer.finish(), 0);
}

#[test]
fn lines_that_the_reader_is_too_slow_for_are_counted_and_nobody_waits() {
    let by_hand = ByHand::new();
    let written = Written::default();
    let (let_go, held) = channel();
    let writer = LogWriter::start(Stuck(held, written.clone())).unwrap();
    let batch = writer.handle().batch();
    let lines = (BATCHES_WAITING_MAX + 20) * 32;
    (0..lines).for_each(|number| line(&batch, number));
    drop(let_go);
    drop((batch, by_hand));
    let lost = writer.finish() as usize;
    let kept = written.lines();
    assert!(lost >= 18 * 32, "{lost}");
    assert_eq!(kept.len() + lost, lines);
    assert!(kept.is_sorted(), "what is kept is in order");
}

#[test]
fn lines_that_can_not_be_written_are_counted() {
    let by_hand = ByHand::new();
    let writer = LogWriter::start(Broken).unwrap();
    let batch = writer.handle().batch();
    (0..70).for_each(|number| line(&batch, number));
    drop((batch, by_hand));
    assert_eq!(writer.finish(), 70);
}

#[test]
fn without_a_writer_no_line_is_made() {
    let batch = LogBatch::off();
    assert!(!batch.is_on());
    batch.line(|_| panic!("nobody reads it"));
}

#[test]
fn shards_share_a_writer() {
    let written = Written::default();
    let writer = LogWriter::start(written.clone()).unwrap();
    let shards = (0..4).map(|shard| {
        let handle = writer.handle();
        std::thread::spawn(move || {
            let by_hand = ByHand::new();
            let batch = handle.batch();
            (0..100).for_each(|number| line(&batch, shard * 1000 + number));
            drop((batch, by_hand));
        })
    });
    shards.collect::<Vec<_>>().into_iter().for_each(|shard| shard.join().unwrap());
    assert_eq!(writer.finish(), 0);
    let lines = written.lines();
    for shard in 0..4 {
        let own: Vec<usize> = lines.iter().filter(|line| **line / 1000 == shard).map(|line| line % 1000).collect();
        assert_eq!(own, (0..100).collect::<Vec<_>>());
    }
}
