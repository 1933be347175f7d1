//! What the fuzzers have collected, on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};

use autoip_fuzz::TARGETS;

/// More than this belongs elsewhere than into the repository.
const CORPUS_BYTES_MAX: u64 = 200_000;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_that_was_ever_kept_still_passes() {
    for (name, run) in TARGETS {
        let inputs = files(&fuzz().join("corpus").join(name));
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            // A panic tells neither target nor input; the harness shows this line with it.
            println!("{name}: {}", input.display());
            run(&fs::read(&input).unwrap());
        }
    }
}

#[test]
fn every_target_has_its_fuzzer_and_its_corpus_and_the_corpora_are_small() {
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let stems = |folder: &str| -> Vec<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files(&fuzz().join(folder)).into_iter().map(stem).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    let inputs = names.iter().flat_map(|name| files(&fuzz().join("corpus").join(name)));
    let bytes: u64 = inputs.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}

/// Bytes of every length and of no meaning, the same in every run.
#[test]
fn noise_passes() {
    let mut state = 1_u64;
    let mut noise = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for length in 0..256 {
        let bytes: Vec<u8> = (0..length).map(|_| noise()).collect();
        TARGETS.iter().for_each(|(_, run)| run(&bytes));
    }
}
