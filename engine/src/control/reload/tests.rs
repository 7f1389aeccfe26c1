use super::*;

const PATH: &str = "/nowhere/gateway.yaml";

#[test]
fn without_a_thread_a_reload_has_failed_and_the_next_one_is_tried() {
    let (tell, events) = mpsc::channel();
    let mut reloads = Reloads::default();
    for _ in 0..2 {
        reloads.ask_on(Path::new(PATH), None, &tell, |_| Err(io::ErrorKind::WouldBlock.into()));
        let Ok(Event::Loaded(loaded)) = events.try_recv() else { panic!("nothing was told") };
        let reasons = loaded.result.err().expect("it can't be read").reasons();
        assert!(reasons[0].contains("no thread to read the file"), "{reasons:?}");
        assert!(reloads.running(), "until it is handled");
        assert!(!reloads.done());
    }
}

#[test]
fn what_is_asked_for_meanwhile_is_one_more() {
    let (tell, events) = mpsc::channel();
    let mut reloads = Reloads::default();
    let mut reading = None;
    let mut keep = |it: Box<dyn FnOnce() + Send>| {
        reading = Some(it);
        Ok(())
    };
    reloads.ask_on(Path::new(PATH), None, &tell, &mut keep);
    for _ in 0..3 {
        reloads.ask_on(Path::new(PATH), None, &tell, |_| panic!("two at a time"));
    }
    reading.expect("the first")();
    assert!(matches!(events.try_recv(), Ok(Event::Loaded(loaded)) if loaded.result.is_err()));
    assert!(reloads.done());
    assert!(!reloads.running() && !reloads.done());
}

#[test]
fn a_file_that_takes_long_is_complained_of_once() {
    let (tell, _events) = mpsc::channel();
    let mut reloads = Reloads::default();
    assert_eq!(reloads.due(), None);
    reloads.ask_on(Path::new(PATH), None, &tell, |_| Ok(()));
    let due = reloads.due().expect("a time");
    assert!(due > Instant::now());
    reloads.complain(Path::new(PATH), due - Duration::from_millis(1));
    assert_eq!(reloads.due(), Some(due), "too early");
    reloads.complain(Path::new(PATH), due);
    assert_eq!(reloads.due(), None);
    reloads.done();
    reloads.ask_on(Path::new(PATH), None, &tell, |_| Ok(()));
    assert!(reloads.due().is_some(), "the next one may take long too");
}
