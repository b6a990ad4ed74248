use super::*;

const MINUTE: u64 = 60_000;

/// A schedule, and what came of what it was told.
struct Told {
    schedule: Schedule,
    elapsed_ms: u64,
    wall_ms: i64,
    random: f64,
    last: Decision,
    starts: Vec<u64>,
    asked: Vec<Gate>,
}

impl Told {
    fn new() -> Self {
        Self::with(Gate::Open)
    }

    fn with(gate: Gate) -> Self {
        Self {
            schedule: Schedule::new(Policy::default(), gate),
            elapsed_ms: 5,
            wall_ms: 1_767_000_000_000,
            random: 0.5,
            last: Decision::default(),
            starts: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// One that has synced well just now.
    fn synced() -> Self {
        let mut told = Self::new();
        told.tell(Input::Tick);
        assert!(told.last.start, "a sync comes first");
        told.done();
        told.starts.clear();
        told
    }

    fn tell(&mut self, input: Input) -> bool {
        let now = Now {
            elapsed: Duration::from_millis(self.elapsed_ms),
            wall_ms: self.wall_ms,
            random: self.random,
        };
        self.last = self.schedule.step(now, input);
        if self.last.start {
            self.starts.push(self.elapsed_ms);
        }
        self.asked.extend(self.last.ask);
        self.last.start
    }

    fn done(&mut self) {
        self.tell(Input::Ended(Ending::Done { edits_left: false }));
    }

    fn failed(&mut self, seconds: Option<u64>, network: bool) {
        let asked = seconds.map(Duration::from_secs);
        self.tell(Input::Ended(Ending::Failed { asked, network }));
    }

    fn pass(&mut self, ms: u64) {
        self.elapsed_ms += ms;
        self.wall_ms += i64::try_from(ms).expect("short");
    }

    /// Looks again every two seconds for so long, as the driver does.
    fn wait(&mut self, ms: u64) {
        for _ in 0..ms / 2_000 {
            self.pass(2_000);
            self.tell(Input::Tick);
        }
        self.pass(ms % 2_000);
        self.tell(Input::Tick);
    }
}

#[test]
fn bg01_a_hundred_triggers_in_a_second_are_one_sync() {
    use Trigger::{LocalChange, Online, Resume, ServerEvent};
    let mixes: [&[Trigger]; 5] = [
        &[LocalChange],
        &[ServerEvent],
        &[Online, Resume],
        &[LocalChange, ServerEvent],
        &[Resume, LocalChange, Online, ServerEvent],
    ];
    for mix in mixes {
        // A sync that lasts, and one that is over at once.
        for lasts in [false, true] {
            let mut told = Told::synced();
            told.wait(MINUTE);
            told.starts.clear();
            for n in 0..100 {
                if told.tell(Input::Notify(mix[n % mix.len()])) && !lasts {
                    told.done();
                }
                told.pass(10);
            }
            if lasts && !told.starts.is_empty() {
                told.done();
            }
            let by_then = told.starts.len();
            assert!(by_then <= 1, "{mix:?}: {:?}", told.starts);
            told.wait(20_000);
            if told.schedule.running {
                told.done();
            }
            // What the first sync could not know of makes it one more, and only that.
            assert!((1..=2).contains(&told.starts.len()), "{mix:?}");
            let alone = mix.len() == 1 || mix == [Online, Resume];
            assert!(
                !alone || told.starts.len() == 1,
                "{mix:?}: {:?}",
                told.starts
            );
        }
    }
}

#[test]
fn bg01_edits_that_came_too_late_for_a_sync_make_one_more() {
    let mut told = Told::synced();
    told.wait(MINUTE);
    assert!(told.tell(Input::SyncNow));
    for _ in 0..50 {
        told.pass(10);
        told.tell(Input::Notify(Trigger::LocalChange));
    }
    told.tell(Input::Ended(Ending::Done { edits_left: true }));
    told.wait(30_000);
    assert_eq!(told.starts.len(), 2);
    told.done();
    told.wait(30_000);
    assert_eq!(told.starts.len(), 2, "and that was all");
}

#[test]
fn bg01_edits_wait_until_no_more_come_but_not_for_ever() {
    let mut told = Told::synced();
    told.wait(MINUTE);
    told.tell(Input::Notify(Trigger::LocalChange));
    let begun = told.elapsed_ms;
    assert_eq!(told.last.next, Some(Duration::from_secs(2)));
    // A player that saves its position every second.
    while told.starts.is_empty() {
        told.pass(1_000);
        told.tell(Input::Notify(Trigger::LocalChange));
    }
    assert_eq!(told.starts, [begun + 15_000]);
}

#[test]
fn bg02_nothing_begins_while_a_sync_runs() {
    let mut told = Told::new();
    assert!(told.tell(Input::Tick));
    for input in [
        Input::SyncNow,
        Input::Notify(Trigger::Resume),
        Input::Notify(Trigger::Online),
        Input::Notify(Trigger::LocalChange),
        Input::Notify(Trigger::ServerEvent),
        Input::Gate(Gate::NotConnected),
        Input::Gate(Gate::Open),
        Input::Tick,
    ] {
        told.pass(10 * MINUTE);
        assert!(!told.tell(input), "{input:?}");
        assert_eq!(told.last.next, None);
    }
}

#[test]
fn bg03_waits_after_failures_double_up_to_a_cap() {
    let mut told = Told::new();
    told.random = 1.0;
    told.tell(Input::Tick);
    for expected in [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900] {
        told.failed(None, false);
        assert_eq!(told.last.next, Some(Duration::from_secs(expected)));
        told.pass(expected * 1_000);
        assert!(told.tell(Input::Tick), "{expected}");
    }
    told.done();
    assert_eq!(told.schedule.failures(), 0);
    told.wait(6 * MINUTE);
    told.failed(None, false);
    assert_eq!(
        told.last.next,
        Some(Duration::from_secs(5)),
        "reset by success"
    );
}

#[test]
fn bg03_chance_moves_the_wait() {
    let wait = |random| {
        let mut told = Told::new();
        told.random = random;
        told.tell(Input::Tick);
        told.failed(None, false);
        told.last.next
    };
    assert_eq!(wait(0.0), Some(Duration::from_millis(2_500)));
    assert_eq!(wait(1.0), Some(Duration::from_secs(5)));
}

#[test]
fn bg03_a_server_that_asks_for_patience_gets_it() {
    for (asked, expected) in [(120, 120), (1, 5), (1_000_000_000, 900)] {
        let mut told = Told::new();
        told.random = 1.0;
        told.tell(Input::Tick);
        told.failed(Some(asked), true);
        assert_eq!(told.last.next, Some(Duration::from_secs(expected)));
        // Neither edits, hints, a network nor waking up are reasons to be impatient.
        for trigger in [
            Trigger::LocalChange,
            Trigger::ServerEvent,
            Trigger::Online,
            Trigger::Resume,
        ] {
            told.tell(Input::Notify(trigger));
            assert_eq!(
                told.last.next,
                Some(Duration::from_secs(expected)),
                "{trigger:?}"
            );
        }
    }
}

#[test]
fn bg04_the_user_overrules_every_wait() {
    let endings = [
        Ending::Offline,
        Ending::Busy,
        Ending::Hopeless,
        Ending::Failed {
            asked: Some(Duration::from_secs(600)),
            network: false,
        },
        Ending::Stopped(Gate::LoginNeeded),
        Ending::Stopped(Gate::ChoiceNeeded),
    ];
    for ending in endings {
        let mut told = Told::new();
        told.tell(Input::Tick);
        told.pass(2_000);
        told.tell(Input::Ended(ending));
        assert!(told.tell(Input::SyncNow), "{ending:?}");
    }
}

#[test]
fn bg04_a_user_who_drums_on_the_button_gets_a_sync_a_second() {
    let mut told = Told::synced();
    told.wait(MINUTE);
    for _ in 0..100 {
        if told.tell(Input::SyncNow) {
            told.done();
        }
        told.pass(10);
    }
    assert_eq!(told.starts.len(), 1);
    told.wait(10_000);
    assert_eq!(told.starts.len(), 2);
}

#[test]
fn bg05_without_triggers_it_syncs_every_five_minutes() {
    for (random, expected) in [(0.0, 270), (0.5, 300), (1.0, 330)] {
        let mut told = Told::new();
        told.random = random;
        told.tell(Input::Tick);
        for _ in 0..3 {
            told.done();
            let next = told.last.next.expect("a time");
            assert_eq!(next.as_secs_f64().round(), f64::from(expected));
            told.pass(u64::try_from(next.as_millis()).expect("short") + 1);
            assert!(told.tell(Input::Tick));
        }
    }
}

#[test]
fn bg06_offline_is_tried_again_soon_and_at_once_with_a_network() {
    let mut told = Told::new();
    told.tell(Input::Tick);
    for _ in 0..10 {
        told.tell(Input::Ended(Ending::Offline));
        let next = told.last.next.expect("a time");
        assert!(next <= Duration::from_secs(60), "{next:?}");
        told.pass(u64::try_from(next.as_millis()).expect("short") + 1);
        assert!(told.tell(Input::Tick));
    }
    told.pass(2_000);
    told.tell(Input::Ended(Ending::Offline));
    assert!(told.tell(Input::Notify(Trigger::Online)));
    // The network comes while a sync still tries without.
    told.pass(2_000);
    told.tell(Input::Notify(Trigger::Online));
    told.tell(Input::Ended(Ending::Offline));
    assert!(told.last.start);
    told.pass(2_000);
    told.tell(Input::Ended(Ending::Offline));
    assert!(!told.last.start, "once");
}

#[test]
fn bg08_a_night_asleep_is_one_sync() {
    // Which clock goes on in sleep, and whether the app tells of waking up, too.
    for (elapsed, wall) in [(false, true), (true, true), (true, false)] {
        for app_tells in [false, true] {
            let mut told = Told::synced();
            told.wait(MINUTE);
            told.starts.clear();
            let night = 8 * 60 * MINUTE;
            if elapsed {
                told.elapsed_ms += night;
            }
            if wall {
                told.wall_ms += i64::try_from(night).expect("short");
            }
            told.tell(Input::Tick);
            if app_tells {
                told.tell(Input::Notify(Trigger::Resume));
            }
            told.pass(500);
            told.done();
            told.tell(Input::Notify(Trigger::Online));
            told.wait(4 * MINUTE);
            assert_eq!(told.starts.len(), 1, "{elapsed} {wall} {app_tells}");
        }
    }
}

#[test]
fn bg08_a_short_sleep_is_noticed_too() {
    let mut told = Told::synced();
    told.wait(30_000);
    told.wall_ms += 90_000;
    told.pass(2_000);
    assert!(told.tell(Input::Tick));
}

#[test]
fn bg08_sleep_does_not_end_a_wait_that_the_server_asked_for() {
    let mut told = Told::new();
    told.tell(Input::Tick);
    told.failed(Some(600), false);
    told.wall_ms += 120_000;
    assert!(!told.tell(Input::Tick));
    assert_eq!(told.last.next, Some(Duration::from_secs(480)));
}

#[test]
fn ck11_a_clock_that_is_put_back_stalls_nothing() {
    let mut told = Told::synced();
    for _ in 0..200 {
        told.pass(2_000);
        told.wall_ms -= 3_600_000;
        if told.tell(Input::Tick) {
            told.done();
        }
    }
    assert_eq!(told.starts.len(), 1, "in 400 seconds");
}

#[test]
fn bg09_an_ended_login_asks_once_and_is_quiet() {
    let mut told = Told::new();
    told.tell(Input::Tick);
    told.tell(Input::Ended(Ending::Stopped(Gate::LoginNeeded)));
    for trigger in [
        Trigger::LocalChange,
        Trigger::ServerEvent,
        Trigger::Online,
        Trigger::Resume,
    ] {
        told.tell(Input::Notify(trigger));
        told.wait(60 * MINUTE);
    }
    told.tell(Input::Gate(Gate::LoginNeeded));
    assert_eq!(
        (told.starts.len(), told.asked.as_slice()),
        (1, &[Gate::LoginNeeded][..])
    );
    // Sync Now tells the one who asks, and nobody else.
    assert!(told.tell(Input::SyncNow));
    told.tell(Input::Ended(Ending::Stopped(Gate::LoginNeeded)));
    assert_eq!(told.asked.len(), 1);
    told.pass(2_000);
    assert!(
        told.tell(Input::Gate(Gate::Open)),
        "a new login syncs at once"
    );
    told.done();
    told.tell(Input::Gate(Gate::LoginNeeded));
    assert_eq!(told.asked.len(), 2, "another end of a login");
}

#[test]
fn bg09_a_choice_is_asked_for_once_and_then_carried_out() {
    let mut told = Told::new();
    told.tell(Input::Tick);
    told.tell(Input::Ended(Ending::Stopped(Gate::ChoiceNeeded)));
    told.wait(60 * MINUTE);
    assert_eq!(
        (told.starts.len(), told.asked.as_slice()),
        (1, &[Gate::ChoiceNeeded][..])
    );
    assert!(told.tell(Input::Gate(Gate::Open)));
}

#[test]
fn bg11_where_another_program_syncs_it_waits() {
    let mut told = Told::new();
    told.tell(Input::Tick);
    for _ in 0..5 {
        told.tell(Input::Ended(Ending::Busy));
        assert_eq!(told.last.next, Some(Duration::from_secs(5)));
        assert_eq!(told.schedule.failures(), 0, "that is no failure");
        told.pass(5_001);
        assert!(told.tell(Input::Tick));
    }
}

#[test]
fn without_a_login_nothing_happens() {
    let mut told = Told::with(Gate::NotConnected);
    told.wait(60 * MINUTE);
    told.tell(Input::Notify(Trigger::LocalChange));
    told.wait(60 * MINUTE);
    assert!(told.starts.is_empty() && told.asked.is_empty());
    assert!(told.tell(Input::Gate(Gate::Open)));
    told.tell(Input::Gate(Gate::NotConnected));
    told.tell(Input::Ended(Ending::Stopped(Gate::NotConnected)));
    told.wait(60 * MINUTE);
    assert_eq!(told.starts.len(), 1);
}

mod histories;
