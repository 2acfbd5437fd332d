//! User data headers: any octets at all, and elements in any order.

use paygate_parsers::concat::{Part, strip_udh};
use proptest::collection::vec;
use proptest::prelude::*;

fn other_element() -> impl Strategy<Value = Vec<u8>> {
    let identifier = any::<u8>().prop_filter("not a concatenation element", |id| !matches!(id, 0x00 | 0x08));
    (identifier, vec(any::<u8>(), 0..12)).prop_map(|(identifier, data)| {
        let length = u8::try_from(data.len()).expect("shorter than 12");
        [vec![identifier, length], data].concat()
    })
}

fn place() -> impl Strategy<Value = Part> {
    (any::<u16>(), 2..=u8::MAX)
        .prop_flat_map(|(reference, total)| (Just(reference), Just(total), 1..=total))
        .prop_map(|(reference, total, number)| Part { reference, total, number })
}

proptest! {
    #[test]
    fn any_octets_give_a_possible_place_and_their_own_end_or_an_error(octets in vec(any::<u8>(), 0..300)) {
        if let Ok((part, payload)) = strip_udh(&octets) {
            prop_assert!(octets.ends_with(payload));
            prop_assert_eq!(payload.len() + 1 + usize::from(octets[0]), octets.len());
            if let Some(Part { total, number, .. }) = part {
                prop_assert!(total > 1 && (1..=total).contains(&number));
            }
        }
    }

    #[test]
    fn a_place_is_found_among_any_other_elements(
        before in vec(other_element(), 0..4),
        place in place(),
        after in vec(other_element(), 0..4),
        payload in vec(any::<u8>(), 0..160),
    ) {
        let [high, low] = place.reference.to_be_bytes();
        let element = vec![0x08, 4, high, low, place.total, place.number];
        let elements = [before.concat(), element, after.concat()].concat();
        let length = u8::try_from(elements.len()).expect("nine elements of at most 13 octets");
        let octets = [vec![length], elements, payload.clone()].concat();
        prop_assert_eq!(strip_udh(&octets), Ok((Some(place), payload.as_slice())));
    }

    #[test]
    fn a_cut_header_is_never_taken_for_a_whole_message(place in place(), keep in 0usize..6) {
        let octets = [5, 0, 3, place.reference.to_be_bytes()[1], place.total, place.number];
        prop_assert!(strip_udh(&octets[..keep]).is_err());
    }
}
