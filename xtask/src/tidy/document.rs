//! Rules for Markdown files.

use crate::finding::Finding;
use crate::tree::{TextFile, Tree};

/// Links within the repository lead somewhere. Those to other places are not followed.
pub(super) fn has_no_dead_links(file: &TextFile, tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (at, line) in file.numbered_lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in links(line).filter(|target| is_relative(target)) {
            let exists = resolve(&file.path, target)
                .is_some_and(|path| path.is_empty() || tree.paths.contains(&path));
            if !exists {
                let sentence = format!("the link leads nowhere: there is no \"{target}\"");
                found.push(Finding::new(file, at, sentence));
            }
        }
    }
    found
}

/// The targets of `[text](target "title")` and `[name]: target` in a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let inline = line
        .match_indices("](")
        .filter(|(at, _)| line[..*at].matches('`').count().is_multiple_of(2))
        .filter_map(|(at, opening)| line[at + opening.len()..].split(')').next());
    let defined = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    inline
        .chain(defined.map(|(_, target)| target))
        .filter_map(|target| target.split_whitespace().next())
}

fn is_relative(target: &str) -> bool {
    !(target.contains("://") || target.starts_with("mailto:") || target.starts_with('#'))
}

/// The path from the root of the workspace, or `None` for a target outside it.
fn resolve(document: &str, target: &str) -> Option<String> {
    let target = target.split('#').next()?;
    let mut path: Vec<&str> = document.split('/').collect();
    path.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop()?;
            }
            name => path.push(name),
        }
    }
    Some(path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let found = |line| links(line).collect::<Vec<_>>();
        assert_eq!(found("see [a](b.md) and [`c`](d.md#e \"f\")"), ["b.md", "d.md#e"]);
        assert_eq!(found("[name]: ../target.md"), ["../target.md"]);
        assert_eq!(found("written as `[a](b.md)`, and [c]() is empty"), [""; 0]);
    }

    #[test]
    fn targets_are_resolved_from_the_document() {
        let resolved = |target| resolve("docs/man/a.md", target);
        assert_eq!(resolved("b.md#part").as_deref(), Some("docs/man/b.md"));
        assert_eq!(resolved("./../../README.md").as_deref(), Some("README.md"));
        assert_eq!(resolved("../c/").as_deref(), Some("docs/c"));
        assert_eq!(resolved("../../../outside.md"), None);
    }
}
