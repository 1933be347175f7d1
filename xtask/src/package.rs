//! The workspace's crates and what they depend on, as `cargo metadata` tells it.
//!
//! Cargo itself resolves renamed and inherited dependencies, so no manifest is parsed here; its
//! text is kept only to say in which line a dependency stands.

use std::process::Command;

use serde_json::Value;

use crate::tree::TextFile;

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Part of what is shipped.
    Normal,
    /// Needed by a build script.
    Build,
    /// Needed by tests, examples and benches.
    Dev,
}

/// One dependency of one crate.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) purpose: Purpose,
    /// Whether it is a crate of this repository.
    pub(crate) is_ours: bool,
}

/// A member of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: TextFile,
    /// The root files of its library and its programs.
    pub(crate) crate_roots: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Package {
    /// The line of the manifest in which the entry `key` stands; the first line if cargo knows it
    /// by another name.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        let is_entry = |line: &str| {
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
        };
        self.manifest.numbered_lines().find(|(_, line)| is_entry(line)).map_or(1, |(at, _)| at)
    }
}

/// The answer of `cargo metadata`.
pub(crate) struct Metadata {
    pub(crate) root: String,
    json: Value,
}

/// Asks cargo about the workspace of the current folder. Reads manifests only: no network, no lock
/// file.
pub(crate) fn metadata() -> Result<Metadata, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cannot run cargo metadata: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo metadata failed: {}", said.trim_end()));
    }
    Metadata::from_json(&output.stdout)
}

impl Metadata {
    fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let json: Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("cannot read what cargo metadata says: {error}"))?;
        Ok(Self { root: string(&json, "workspace_root")?, json })
    }
}

/// The members of the workspace; `read` gives the text of a file below its root.
pub(crate) fn parse(
    metadata: &Metadata,
    read: impl Fn(&str) -> Result<TextFile, String>,
) -> Result<Vec<Package>, String> {
    let package = |json: &Value| {
        let roots = array(json, "targets")?.iter().filter(|target| is_library_or_program(target));
        Ok(Package {
            name: string(json, "name")?,
            manifest: read(&relative(metadata, json, "manifest_path")?)?,
            crate_roots: roots
                .map(|target| relative(metadata, target, "src_path"))
                .collect::<Result<_, _>>()?,
            dependencies: array(json, "dependencies")?
                .iter()
                .map(dependency)
                .collect::<Result<_, _>>()?,
        })
    };
    array(&metadata.json, "packages")?.iter().map(package).collect()
}

fn dependency(json: &Value) -> Result<Dependency, String> {
    Ok(Dependency {
        name: string(json, "name")?,
        purpose: match json["kind"].as_str() {
            None => Purpose::Normal,
            Some("build") => Purpose::Build,
            Some("dev") => Purpose::Dev,
            Some(kind) => return Err(format!("cargo metadata has a new dependency kind: {kind}")),
        },
        is_ours: json["path"].is_string(),
    })
}

fn is_library_or_program(target: &Value) -> bool {
    let kinds = target["kind"].as_array().map_or(&[][..], Vec::as_slice);
    kinds.iter().filter_map(Value::as_str).any(|kind| kind.ends_with("lib") || kind == "bin")
}

fn relative(metadata: &Metadata, json: &Value, key: &str) -> Result<String, String> {
    let path = string(json, key)?;
    path.strip_prefix(metadata.root.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
        .map(str::to_owned)
        .ok_or_else(|| format!("{path} lies outside the workspace {}", metadata.root))
}

fn string(json: &Value, key: &str) -> Result<String, String> {
    json[key].as_str().map(str::to_owned).ok_or_else(|| missing(key))
}

fn array<'a>(json: &'a Value, key: &str) -> Result<&'a [Value], String> {
    json[key].as_array().map(Vec::as_slice).ok_or_else(|| missing(key))
}

fn missing(key: &str) -> String {
    format!("cargo metadata says no \"{key}\" where one is expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "workspace_root": "/w",
        "packages": [{
            "name": "demo",
            "manifest_path": "/w/crates/demo/Cargo.toml",
            "targets": [
                {"kind": ["lib"], "src_path": "/w/crates/demo/src/lib.rs"},
                {"kind": ["bin"], "src_path": "/w/crates/demo/src/main.rs"},
                {"kind": ["bench"], "src_path": "/w/crates/demo/benches/frame.rs"},
                {"kind": ["custom-build"], "src_path": "/w/crates/demo/build.rs"}
            ],
            "dependencies": [
                {"name": "nix", "kind": null, "path": null},
                {"name": "cc", "kind": "build", "path": null},
                {"name": "ours", "kind": "dev", "path": "/w/crates/ours"}
            ]
        }]
    }"#;
    const MANIFEST: &str = "[package]\nname = \"demo\"\n\n[dependencies]\nnix.workspace = true\n";

    fn parse_sample(json: &str) -> Result<Vec<Package>, String> {
        let read = |path: &str| Ok(TextFile { path: path.to_owned(), text: MANIFEST.to_owned() });
        parse(&Metadata::from_json(json.as_bytes())?, read)
    }

    #[test]
    fn a_package_is_read_with_paths_from_the_root() {
        let packages = parse_sample(METADATA).unwrap();
        let [demo] = &packages[..] else { panic!("one package: {packages:?}") };
        assert_eq!(demo.name, "demo");
        assert_eq!(demo.manifest.path, "crates/demo/Cargo.toml");
        assert_eq!(demo.crate_roots, ["crates/demo/src/lib.rs", "crates/demo/src/main.rs"]);
    }

    #[test]
    fn dependencies_keep_their_purpose_and_their_home() {
        let packages = parse_sample(METADATA).unwrap();
        let seen: Vec<_> = packages[0]
            .dependencies
            .iter()
            .map(|dependency| (dependency.name.as_str(), dependency.purpose, dependency.is_ours))
            .collect();
        let expected = [
            ("nix", Purpose::Normal, false),
            ("cc", Purpose::Build, false),
            ("ours", Purpose::Dev, true),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_dependency_is_found_in_its_line_of_the_manifest() {
        let packages = parse_sample(METADATA).unwrap();
        assert_eq!(packages[0].line_of("nix"), 5);
        assert_eq!(packages[0].line_of("ni"), 1);
    }

    #[test]
    fn what_cargo_should_have_said_is_named() {
        let error = parse_sample(r#"{"workspace_root": "/w"}"#).unwrap_err();
        assert!(error.contains("\"packages\""), "{error}");
        let error = parse_sample(&METADATA.replace("\"build\"", "\"other\"")).unwrap_err();
        assert!(error.contains("other"), "{error}");
        let error = parse_sample(&METADATA.replace("/w/crates/demo/src", "/x")).unwrap_err();
        assert!(error.contains("outside"), "{error}");
    }
}
