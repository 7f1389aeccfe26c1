use super::*;

/// What no thread was made for.
type Looking = Option<Box<dyn FnOnce() + Send>>;

#[test]
fn where_there_is_nothing_to_look_at_nobody_wakes_up() {
    assert_eq!(Watch::default().due(&Holdings::default(), Instant::now()), None);
}

#[test]
fn one_look_at_a_time_and_the_next_one_a_second_later() {
    let directory = crate::secure::tests::Directory::new("watch");
    let secured = Holdings { listeners: vec![directory.listener("https", &["a.example"])], services: Vec::new() };
    let (tell, events) = mpsc::channel();
    let (mut watch, begun) = (Watch::default(), Instant::now());
    let mut looking: Looking = None;
    assert_eq!(watch.due(&secured, begun), Some(begun), "at once: what was read may be older than what was built");
    watch.turn_on(&secured, &tell, begun, |look| {
        looking = Some(look);
        Ok(())
    });
    assert_eq!(watch.due(&secured, begun), None, "while one is going on");
    watch.turn_on(&secured, &tell, begun + 2 * LOOK_EVERY, |_| panic!("two at a time"));
    looking.expect("the look")();
    assert!(matches!(events.try_recv(), Ok(Event::Looked(changes)) if changes.is_empty()));
    watch.done(begun);
    assert_eq!(watch.due(&secured, begun), Some(begun + LOOK_EVERY));
    watch.turn_on(&secured, &tell, begun, |_| panic!("too early"));
}

#[test]
fn without_a_thread_it_is_tried_again() {
    let directory = crate::secure::tests::Directory::new("threads");
    let secured = Holdings { listeners: vec![directory.listener("https", &["a.example"])], services: Vec::new() };
    let (tell, _events) = mpsc::channel();
    let (mut watch, begun) = (Watch::default(), Instant::now());
    watch.turn_on(&secured, &tell, begun, |_| Err(io::ErrorKind::WouldBlock.into()));
    assert_eq!(watch.due(&secured, begun), Some(begun + LOOK_EVERY));
}
