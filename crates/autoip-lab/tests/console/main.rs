//! The console blocks of README and guide, run on virtual hosts: what stands there happens.
//!
//! A page is a test. Its blocks are run one after the other on hosts that a comment in the page
//! connects:
//!
//! ```text
//! <!-- link: laptop eth0, camera eth0 02:00:5e:10:00:01 -->
//! ```
//!
//! is a link with two hosts on it, one of them with a given MAC address. The first host is where
//! commands run, unless the fence of a block says `on=camera`. What is different from one run to
//! the next, addresses and times above all, may differ from the page ([`transcript`] knows how);
//! the rest must be as it stands. The other words after `console` are explained at [`page::Block`].
//!
//! Each host has files of its own below `/etc`, `/run` and `/var`, so that the programs use their
//! ordinary places. This test is those programs, too: it goes by the name that it is started by.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod page;
mod scene;
mod stand_in;
mod tests;
mod transcript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use page::Page;
use scene::Scene;

fn main() -> ExitCode {
    if let Some(status) = stand_in::run() {
        return status;
    }
    let machinery = tests::ALL.map(|(name, test)| (name.to_owned(), Test::from(Box::new(test))));
    let pages = pages().into_iter().map(|path| {
        let name = path.display().to_string();
        (name, Test::from(Box::new(move || play(&path))))
    });
    autoip_lab::run_all(pages.chain(machinery))
}

type Test = Box<dyn FnOnce() + Send>;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The pages whose blocks are run, from the root of the workspace.
fn pages() -> Vec<PathBuf> {
    let guide = fs::read_dir(root().join("docs/guide")).into_iter().flatten();
    let guide = guide.map(|entry| Path::new("docs/guide").join(entry.unwrap().file_name()));
    let mut pages: Vec<_> =
        guide.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    pages.extend(["README.md", "docs/packaging.md"].map(PathBuf::from));
    pages.retain(|path| root().join(path).exists());
    pages.sort();
    pages
}

/// Runs the blocks of a page.
fn play(path: &Path) {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let page = Page::parse(path, &text);
    if page.blocks.is_empty() {
        return;
    }
    if let Some(missing) = stand_in::missing(&page) {
        autoip_lab::skip(&format!(
            "{}: {missing} is not installed, or not for this user",
            path.display()
        ));
    }
    let mut scene = Scene::new(&page);
    for block in &page.blocks {
        scene.play(block);
    }
    scene.end();
}
