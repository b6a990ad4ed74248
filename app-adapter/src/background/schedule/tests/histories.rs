//! Whatever happens, in whatever order.

use proptest::prelude::*;

use super::*;

fn inputs() -> impl Strategy<Value = Input> {
    let asked = prop_oneof![
        Just(None),
        (0..2_000_u64).prop_map(|s| Some(Duration::from_secs(s)))
    ];
    let gates = prop_oneof![
        4 => Just(Gate::Open),
        1 => Just(Gate::NotConnected),
        1 => Just(Gate::LoginNeeded),
        1 => Just(Gate::ChoiceNeeded),
    ];
    let endings = prop_oneof![
        3 => any::<bool>().prop_map(|edits_left| Ending::Done { edits_left }),
        1 => Just(Ending::Offline),
        1 => Just(Ending::Busy),
        1 => Just(Ending::Hopeless),
        2 => (asked, any::<bool>()).prop_map(|(asked, network)| Ending::Failed { asked, network }),
        1 => gates.clone().prop_map(Ending::Stopped),
    ];
    prop_oneof![
        6 => Just(Input::Tick),
        1 => Just(Input::SyncNow),
        1 => Just(Input::Notify(Trigger::Resume)),
        1 => Just(Input::Notify(Trigger::Online)),
        2 => Just(Input::Notify(Trigger::LocalChange)),
        2 => Just(Input::Notify(Trigger::ServerEvent)),
        1 => gates.prop_map(Input::Gate),
        4 => endings.prop_map(Input::Ended),
    ]
}

/// What happens, how long after the thing before, and how far somebody moved the clock on the wall.
fn history() -> impl Strategy<Value = Vec<(Input, u64, i64)>> {
    let step = (
        inputs(),
        0..40_000_u64,
        prop_oneof![9 => Just(0), 1 => -1_000_000..1_000_000_i64],
    );
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// BG02, BG10, BG14: never two at once, never more than one a second, and whatever happened, with an
    /// open gate there always is a next sync, which is not further away than the longest wait.
    #[test]
    fn whatever_happens_it_neither_rushes_nor_stalls(history in history(), random in 0.0..1.0_f64) {
        let mut told = Told::new();
        told.random = random;
        let mut was_running = false;
        let mut at = Vec::new();
        for (input, ms, step) in history {
            told.pass(ms);
            told.wall_ms += step;
            // Only a sync that runs can end.
            let input = match input {
                Input::Ended(_) if !was_running => Input::Tick,
                input => input,
            };
            let started = told.tell(input);
            let ended = matches!(input, Input::Ended(_));
            prop_assert!(!(started && was_running && !ended), "two at once");
            was_running = started || (was_running && !ended);
            prop_assert_eq!(was_running, told.schedule.running);
            if started {
                at.push(told.schedule.at);
            }
            if !was_running && told.schedule.gate == Gate::Open {
                let longest = Duration::from_secs(15 * 60);
                prop_assert!(told.last.next.is_some_and(|next| next <= longest), "{:?}", told.last);
            }
        }
        for pair in at.windows(2) {
            prop_assert!(pair[1] - pair[0] >= Duration::from_secs(1), "{pair:?}");
        }
    }

    /// BG10: when the faults stop, everything is at the server after one more sync, and the failures are forgotten.
    #[test]
    fn a_fault_that_has_healed_leaves_nothing_behind(history in history()) {
        let mut told = Told::new();
        for (input, ms, _) in history {
            told.pass(ms);
            if !matches!(input, Input::Ended(_)) || told.schedule.running {
                told.tell(input);
            }
        }
        if told.schedule.running {
            told.done();
        }
        told.tell(Input::Gate(Gate::Open));
        told.tell(Input::Notify(Trigger::LocalChange));
        told.starts.clear();
        while told.starts.is_empty() {
            told.wait(16 * MINUTE);
            if told.schedule.running {
                break;
            }
        }
        told.done();
        prop_assert_eq!(told.schedule.failures(), 0);
        prop_assert!(told.schedule.hold.is_none() && told.schedule.edits.is_none());
    }
}
