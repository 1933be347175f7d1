//! Runs that once failed.

use autoip_sim::{Options, Run};

/// What went wrong, the seed and the options.
const REPLAYS: &[(&str, u64, &str)] = &[
    (
        "two liars answered each other without end",
        10,
        "hosts=4 chaos_s=60 echo=1000 harassers=1 spoofers=1 talk_s=1",
    ),
    (
        "a claim after too many deletions counted as one without a reason",
        48,
        "hosts=1 profile=draft-07 chaos_s=91 delay_us=20000 jitter_us=5000 drift_ppm=20 \
         install_ms=2000 delete_s=5 talk_s=10 split_s=40 avahis=2",
    ),
    (
        "a host that slept was expected to announce",
        39,
        "hosts=1 delivery=all chaos_s=177 loss=700 delay_us=20000 jitter_us=5000 drift_ppm=200 \
         busy_ms=200 install_ms=50 suspend_s=30 talk_s=10",
    ),
    (
        "a timer that was due at once was taken for one that had been",
        1492,
        "hosts=12 chaos_s=71 delay_us=1000 jitter_us=100 drift_ppm=200 busy_ms=200 \
         install_ms=50 mac_s=100 talk_s=10 systemds=1 harassers=1 trackers=2",
    ),
    (
        "a denial in the last moment of listening counted for certain",
        601,
        "hosts=37 range=82 chaos_s=240 delay_us=1000 busy_ms=200 install_ms=2000 talk_s=1 \
         avahis=3 spoofers=1",
    ),
    (
        "conflicts that came before a busy host had noticed the first counted",
        283,
        "hosts=3 range=16 profile=fast chaos_s=235 duplicate=500 echo=100 delay_us=1 busy_ms=10 \
         talk_s=10 avahis=4 laggards=1",
    ),
    (
        "an address that was lost long ago counted as the one denied last",
        6040,
        "hosts=9 range=20 defend=never delivery=all chaos_s=145 delay_us=20000 jitter_us=400000 \
         install_ms=50 install_fail=300 talk_s=1 harassers=1",
    ),
    (
        "a conflict that came before a deletion was answered after it",
        1_065_235,
        "hosts=4 range=14 chaos_s=56 loss=100 delay_us=1000 jitter_us=100 drift_ppm=20 \
         busy_ms=200 delete_s=5 talk_s=1 split_s=10 harassers=1",
    ),
    (
        "a denied address came up again after many that nobody had seen",
        1_046_608,
        "hosts=12 spread_ms=1000 range=38 clones=4 delivery=all chaos_s=184 loss=1 delay_us=1000 \
         install_ms=50 install_fail=300 delete_s=30 owners=4 drafts=2 deniers=1 laggards=1",
    ),
];

#[test]
fn runs_that_once_failed_pass() {
    for (what, seed, options) in REPLAYS {
        let run = Run { seed: *seed, options: Options::parse(options).unwrap(), bug: None };
        let outcome = run.outcome(false);
        assert!(outcome.violations.is_empty(), "{what}: {run}\n{:#?}", outcome.violations);
        assert!(outcome.frames < 200_000, "{what}: {} frames", outcome.frames);
    }
}
