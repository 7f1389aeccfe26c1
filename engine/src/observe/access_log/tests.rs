use super::writer::BATCHES_WAITING_MAX;
use super::*;
use ringgate_config::LogTarget;
use ringgate_rt::by_hand::ByHand;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// A writer of its own, with nobody to complain to.
fn start(out: impl Write + Send + 'static) -> LogWriter {
    LogWriter::start(Output::Stream(Box::new(out)), Arc::default(), |_| {}).unwrap()
}

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
    let writer = start(written.clone());
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
    let writer = start(written.clone());
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
    let writer = start(Stuck(held, written.clone()));
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
    let writer = start(Broken);
    let batch = writer.handle().batch();
    (0..70).for_each(|number| line(&batch, number));
    drop((batch, by_hand));
    assert_eq!(writer.finish(), 70);
}

#[test]
fn without_a_writer_no_line_is_made() {
    let batch = LogBatch::off();
    batch.line(|_| panic!("nobody reads it"));
}

#[test]
fn shards_share_a_writer() {
    let written = Written::default();
    let writer = start(written.clone());
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

/// A file of this test alone.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("ringgate-log-{}-{name}", std::process::id())))
    }

    fn output(&self) -> Output {
        Output::open(&LogTarget::File(self.0.clone())).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One short line, which the writer has when this returns.
fn hand_over(writer: &LogWriter, text: &str) {
    let by_hand = ByHand::new();
    let batch = writer.handle().batch();
    batch.line(|out| out.extend_from_slice(text.as_bytes()));
    drop((by_hand, batch));
}

#[test]
fn a_file_is_made_for_the_group_to_read_and_appended_to() {
    let scratch = Scratch::new("append");
    for expected in ["one\n", "one\none\n"] {
        let writer = LogWriter::start(scratch.output(), Arc::default(), |_| {}).unwrap();
        hand_over(&writer, "one\n");
        assert_eq!((writer.finish(), scratch.text().as_str()), (0, expected));
    }
    let mode = std::fs::metadata(&scratch.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o137, 0, "{mode:o}: nobody else reads it");
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew_when_asked_for() {
    let (scratch, moved) = (Scratch::new("reopen"), Scratch::new("reopen.1"));
    let writer = LogWriter::start(scratch.output(), Arc::default(), |_| {}).unwrap();
    hand_over(&writer, "before\n");
    std::fs::rename(&scratch.0, &moved.0).unwrap();
    hand_over(&writer, "between\n");
    // Both lines are in the old file before the writer hears of another.
    let begun = Instant::now();
    while moved.text() != "before\nbetween\n" {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", moved.text());
        std::thread::yield_now();
    }
    writer.reopen();
    hand_over(&writer, "after\n");
    assert_eq!(writer.finish(), 0);
    assert_eq!((moved.text().as_str(), scratch.text().as_str()), ("before\nbetween\n", "after\n"));
}

#[test]
fn a_file_that_can_not_be_opened_anew_is_kept() {
    let scratch = Scratch::new("kept");
    let folder = Scratch::new("kept-folder");
    std::fs::create_dir(&folder.0).unwrap();
    let path = folder.0.join("log");
    let output = Output::open(&LogTarget::File(path.clone())).unwrap();
    let (complaints, heard) = channel();
    let complain = move |text: &str| complaints.send(text.to_owned()).unwrap();
    let writer = LogWriter::start(output, Arc::default(), complain).unwrap();
    std::fs::rename(&path, &scratch.0).unwrap();
    std::fs::remove_dir(&folder.0).unwrap();
    writer.reopen();
    hand_over(&writer, "goes on\n");
    assert_eq!((writer.finish(), scratch.text().as_str()), (0, "goes on\n"));
    let said: Vec<String> = heard.iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(&path.display().to_string()), "{said:?}");
}

#[test]
fn a_full_disk_loses_lines_which_are_counted_and_complained_of_once() {
    let counts = Arc::new(LogCounts::default());
    let (complaints, heard) = channel();
    let complain = move |text: &str| complaints.send(text.to_owned()).unwrap();
    let output = Output::open(&LogTarget::File("/dev/full".into())).unwrap();
    let writer = LogWriter::start(output, counts.clone(), complain).unwrap();
    (0..5).for_each(|_| hand_over(&writer, "lost\nlost\n"));
    assert_eq!(writer.finish(), 10, "each is counted, whatever the batch says");
    assert_eq!((counts.written(), counts.dropped()), (0, 10));
    let said: Vec<String> = heard.iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("/dev/full") && said[0].contains("No space left"), "{said:?}");
}

/// Takes so many bytes of what it is given, fails, and takes everything from then on.
struct FailsOnce(usize, Written);

impl Write for FailsOnce {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::mem::replace(&mut self.0, usize::MAX) {
            0 => Err(io::ErrorKind::StorageFull.into()),
            room if room < usize::MAX => {
                self.0 = 0;
                self.1.write(&bytes[..room])
            }
            _ => self.1.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn half_a_line_does_not_run_into_the_next_one() {
    for (room, lost, text) in
        [(0, 2, "three\n"), (2, 2, "on\nthree\n"), (4, 1, "one\nthree\n"), (6, 1, "one\ntw\nthree\n")]
    {
        let (written, counts) = (Written::default(), Arc::new(LogCounts::default()));
        let out = Output::Stream(Box::new(FailsOnce(room, written.clone())));
        let writer = LogWriter::start(out, counts.clone(), |_| {}).unwrap();
        hand_over(&writer, "one\ntwo\n");
        hand_over(&writer, "three\n");
        assert_eq!(writer.finish(), lost, "{room}");
        assert_eq!((counts.written(), counts.dropped()), (3 - lost, lost), "{room}");
        assert_eq!(String::from_utf8(written.0.lock().unwrap().clone()).unwrap(), text, "{room}");
    }
}

#[test]
fn a_writer_that_is_replaced_writes_what_it_was_given() {
    let written = Written::default();
    let (let_go, held) = channel();
    let old = start(Stuck(held, written.clone()));
    let by_hand = ByHand::new();
    let batch = old.handle().batch();
    line(&batch, 1);
    drop(old);
    line(&batch, 2);
    drop(let_go);
    drop((batch, by_hand));
    let begun = Instant::now();
    while written.lines().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "its thread ended with its owner");
        std::thread::yield_now();
    }
}
