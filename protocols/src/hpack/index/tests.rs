use super::*;

#[test]
fn what_is_put_is_found_and_the_oldest_is_forgotten() {
    let mut index: Index<2> = Index::new();
    assert_eq!(index.find(0), None);
    for (serial, hash) in [2, 4, 6, 8].into_iter().enumerate() {
        index.put(hash, serial as u32);
    }
    index.put(2, 9);
    index.put(3, 10);
    index.put(10, 11);
    assert_eq!([2, 3, 4, 6, 8, 10].map(|hash| index.find(hash)), [Some(9), Some(10), None, Some(2), Some(3), Some(11)]);
}

#[test]
fn serial_numbers_may_wrap_around() {
    let mut index: Index<1> = Index::new();
    for at in 0..5u32 {
        index.put(at, (u32::MAX - 2).wrapping_add(at));
    }
    // 0 and 1 are the same hash.
    assert_eq!(index.find(0), Some(u32::MAX - 1));
    assert_eq!(index.find(4), Some(1));
    index.put(9, 2);
    assert_eq!((index.find(1), index.find(2)), (None, Some(u32::MAX)));
}
