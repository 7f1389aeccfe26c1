use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn stream(id: u32) -> Stream {
    Stream::new(id, 0, 0)
}

proptest! {
    #[test]
    fn it_is_a_map(steps in prop::collection::vec((1u32..200, any::<bool>()), 1..400)) {
        let mut store = Store::default();
        let mut model = BTreeSet::new();
        for (id, adds) in steps {
            // Identifiers of one side, as a connection has them.
            let id = id * 2 - 1;
            if adds && model.insert(id) {
                store.insert(stream(id));
            } else if !adds {
                prop_assert_eq!(store.remove(id).map(|stream| stream.id), model.take(&id));
            }
            prop_assert_eq!(store.len(), model.len());
            for id in 1..400 {
                prop_assert_eq!(store.get(id).map(|stream| stream.id), model.get(&id).copied());
            }
            let all: BTreeSet<u32> = store.iter().map(|stream| stream.id).collect();
            prop_assert_eq!(&all, &model);
        }
    }
}

#[test]
fn slots_are_used_again() {
    let mut store = Store::default();
    for id in 0..10_000u32 {
        store.insert(stream(id * 2 + 1));
        if id >= 5 {
            assert!(store.remove((id - 5) * 2 + 1).is_some());
        }
    }
    assert_eq!((store.slots.len(), store.index.len()), (6, SLOTS_MIN * 2));
}

#[test]
fn memory_is_given_back_only_when_it_is_empty() {
    let mut store = Store::default();
    store.insert(stream(1));
    store.shrink();
    assert!(store.get(1).is_some());
    store.remove(1);
    store.shrink();
    assert_eq!((store.slots.capacity(), store.index.capacity()), (0, 0));
    assert!(store.get(1).is_none());
}
