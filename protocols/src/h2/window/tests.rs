use super::*;

#[test]
fn a_send_window_may_fall_below_zero_and_not_grow_above_its_limit() {
    let mut window = SendWindow::new(100);
    window.take(100);
    assert_eq!(window.available(), 0);
    assert_eq!(window.change(-i64::from(MAX_31_BITS)), Ok(()));
    assert_eq!(window.available(), 0);
    assert_eq!(window.change(i64::from(MAX_31_BITS)), Ok(()));
    assert_eq!(window.change(1), Ok(()));
    assert_eq!(window.available(), 1);
    assert_eq!(window.change(i64::from(MAX_31_BITS)), Err(Overflow));
    assert_eq!(window.change(i64::from(MAX_31_BITS) - 1), Ok(()));
    assert_eq!(window.available(), MAX_31_BITS);
}

#[test]
fn a_receive_window_gives_back_halves() {
    let mut window = ReceiveWindow::new(100);
    assert_eq!(window.receive(100), Ok(()));
    assert_eq!(window.receive(1), Err(Exceeded));
    assert_eq!(window.consume(0), None);
    assert_eq!(window.consume(49), None);
    assert_eq!(window.consume(1), Some(50));
    assert_eq!(window.receive(51), Err(Exceeded));
    assert_eq!(window.receive(50), Ok(()));
    assert_eq!(window.receive(0), Ok(()));
}

#[test]
fn a_receive_window_that_is_made_smaller_waits_for_the_difference() {
    let mut window = ReceiveWindow::new(65_535);
    assert_eq!(window.receive(60_000), Ok(()));
    window.resize(10_000);
    assert_eq!(window.receive(1), Err(Exceeded));
    assert_eq!(window.consume(60_000), Some(60_000));
    assert_eq!(window.receive(10_000), Ok(()));
    assert_eq!(window.receive(1), Err(Exceeded));
}

#[test]
fn a_window_of_one_byte_is_given_back_byte_by_byte() {
    let mut window = ReceiveWindow::new(1);
    for _ in 0..3 {
        assert_eq!(window.receive(1), Ok(()));
        assert_eq!(window.consume(1), Some(1));
    }
}
