use super::*;

#[test]
fn resets_that_were_forgotten_are_still_treated_as_such() {
    let mut closed = ClosedStreams::default();
    closed.ended_by_peer(1);
    for id in 0..=RESETS_MAX as u32 {
        closed.reset_here(101 + 2 * id);
    }
    // The first has been forgotten; what is lower may have been one too, unless the peer is known to have ended it.
    assert_eq!(closed.past(101), Past::ResetHere);
    assert_eq!(closed.past(51), Past::ResetHere);
    assert_eq!(closed.past(1), Past::EndedByPeer);
    assert_eq!(closed.past(103), Past::ResetHere);
    assert_eq!(closed.past(102), Past::Unknown);
}

#[test]
fn only_the_last_ends_are_known() {
    let mut closed = ClosedStreams::default();
    for id in 0..=ENDS_MAX as u32 {
        closed.ended_by_peer(1 + 2 * id);
    }
    assert_eq!(closed.past(1), Past::Unknown);
    assert_eq!(closed.past(3), Past::EndedByPeer);
}
