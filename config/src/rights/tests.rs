use super::*;

const NONE: &str = "Name:\tringgate\nCapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n";
const BIND: &str = "Name:\tringgate\nCapEff:\t0000000000000400\n";
const ROOT: &str = "CapEff:\t000001ffffffffff\n";

#[test]
fn ports_below_the_first_need_the_right() {
    let none = Rights::new("1024\n", NONE);
    assert!(!none.allow(80) && !none.allow(1023) && none.allow(1024) && none.allow(0));
    assert!(Rights::new("1024\n", BIND).allow(80));
    assert!(Rights::new("1024\n", ROOT).allow(1));
    let lowered = Rights::new("80\n", NONE);
    assert!(lowered.allow(80) && !lowered.allow(79));
    assert!(Rights::new("0\n", NONE).allow(1));
}

#[test]
fn what_the_kernel_does_not_say_is_no_reason_to_complain() {
    assert!(Rights::new("1024\n", "Name:\tx\n").allow(80));
    assert!(!Rights::new("nonsense", NONE).allow(80));
    // Whatever it is, it can be asked.
    let _ = Rights::of_this_process().allow(80);
}
