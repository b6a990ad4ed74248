//! The project's rules about itself, which no compiler checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// What each crate may use of ours. Whoever adds an arrow changes the design.
const ARROWS: [(&str, &[&str]); 7] = [
    ("sync-core-derive", &[]),
    ("sync-core", &["sync-core-derive"]),
    ("entity", &["sync-core"]),
    ("migration", &[]),
    ("server", &["entity", "migration", "sync-core"]),
    ("app-adapter", &["entity", "migration", "sync-core"]),
    (
        "sync-tests",
        &["app-adapter", "entity", "migration", "server", "sync-core"],
    ),
];

/// What a framework must not need.
const NOT_IN_THE_FRAMEWORK: [&str; 6] = [
    "axum",
    "clap",
    "indicatif",
    "sea-orm-migration",
    "tower",
    "tower-http",
];

/// Tables that only Zentrio has, whose names say so.
const ZENTRIO_TABLES: [&str; 5] = [
    "appearance_settings",
    "list_items",
    "profile_addons",
    "stream_settings",
    "watch_history",
];

const TOP_LEVEL: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "app-adapter",
    "entity",
    "migration",
    "server",
    "sync-core",
    "target",
    "tests",
];

const MOST_LINES_OF_A_FILE: usize = 500;

#[test]
fn crates_depend_on_each_other_as_designed() -> Result<()> {
    let packages = packages()?;
    let names: BTreeSet<_> = packages.keys().map(String::as_str).collect();
    assert_eq!(names, ARROWS.iter().map(|(name, _)| *name).collect());
    for (name, allowed) in ARROWS {
        let allowed = BTreeSet::from_iter(allowed.iter().copied());
        let (shipped, for_tests): (Vec<_>, Vec<_>) = packages[name]
            .iter()
            .filter(|dependency| names.contains(dependency.name.as_str()))
            .partition(|dependency| dependency.is_shipped);
        let name_of = |dependency: &&Dependency| dependency.name.clone();
        let shipped: BTreeSet<_> = shipped.iter().map(name_of).collect();
        assert_eq!(
            shipped,
            allowed.iter().map(ToString::to_string).collect(),
            "{name}"
        );
        let for_tests: BTreeSet<_> = for_tests.iter().map(name_of).collect();
        let stray: Vec<_> = for_tests
            .iter()
            .filter(|used| !allowed.contains(used.as_str()))
            .collect();
        assert!(stray.is_empty(), "{name} uses {stray:?} in its tests");
    }
    Ok(())
}

/// Otherwise a server carries an HTTP client and its TLS.
#[test]
fn only_a_device_has_the_client() -> Result<()> {
    let packages = packages()?;
    let with_client: Vec<_> = packages
        .iter()
        .filter(|(_, dependencies)| dependencies.iter().any(turns_client_on))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(with_client, ["app-adapter", "sync-tests"]);
    Ok(())
}

/// What tests need of the framework is in no program, whether it is built alone or with all others.
#[test]
fn what_is_shipped_has_nothing_of_the_tests() -> Result<()> {
    for what in [
        &["-p", "server"][..],
        &["-p", "app-adapter"],
        &["--workspace"],
    ] {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["tree", "--offline", "--edges", "no-dev", "--prefix", "none"])
            .args(["--format", "{p}|{f}"])
            .args(what)
            .current_dir(top())
            .output()?;
        let tree = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let framework: BTreeSet<_> = tree
            .lines()
            .filter(|line| line.starts_with("sync-core v"))
            .filter_map(|line| line.split_once('|'))
            .flat_map(|(_, features)| features.split(','))
            .map(|feature| feature.trim_end_matches(" (*)"))
            .collect();
        let known = ["", "client", "default", "openapi"];
        let stray: Vec<_> = framework.iter().filter(|f| !known.contains(f)).collect();
        assert!(stray.is_empty(), "{what:?} builds sync-core with {stray:?}");
    }
    Ok(())
}

/// Nor do those who use it get what only its tests and its testing kit need.
#[test]
fn the_framework_needs_no_temporary_files() -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "-p",
            "sync-core",
        ])
        .current_dir(top())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(
        !tree.contains("tempfile v") && !tree.contains("anyhow v"),
        "{tree}"
    );
    Ok(())
}

fn turns_client_on(dependency: &Dependency) -> bool {
    let has_client = || {
        dependency
            .features
            .iter()
            .any(|feature| feature == "client")
    };
    dependency.name == "sync-core" && (dependency.has_defaults || has_client())
}

#[test]
fn the_framework_knows_no_web_server_no_command_line_and_no_table() -> Result<()> {
    let packages = packages()?;
    for name in ["sync-core", "sync-core-derive"] {
        let used: Vec<_> = packages[name]
            .iter()
            .filter(|dependency| dependency.is_shipped)
            .map(|dependency| dependency.name.as_str())
            .filter(|used| NOT_IN_THE_FRAMEWORK.contains(used))
            .collect();
        assert!(used.is_empty(), "{name} uses {used:?}");
    }
    let mut named = Vec::new();
    for file in sources(&top().join("sync-core"))? {
        let text = fs::read_to_string(&file)?;
        let tables = ZENTRIO_TABLES.iter().filter(|table| text.contains(**table));
        named.extend(tables.map(|table| format!("{} names {table}", file.display())));
    }
    assert!(named.is_empty(), "{named:#?}");
    Ok(())
}

#[test]
fn the_top_level_holds_what_it_should() -> Result<()> {
    let mut stray = Vec::new();
    for entry in fs::read_dir(top())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()) {
            stray.push(name);
        }
    }
    assert!(
        stray.is_empty(),
        "nothing else belongs on the top level: {stray:?}"
    );
    Ok(())
}

#[test]
fn no_file_is_too_long_to_read() -> Result<()> {
    let mut long = Vec::new();
    for file in sources(top())? {
        let lines = fs::read_to_string(&file)?.lines().count();
        if lines > MOST_LINES_OF_A_FILE {
            long.push(format!("{} has {lines} lines", file.display()));
        }
    }
    assert!(
        long.is_empty(),
        "more than {MOST_LINES_OF_A_FILE} lines: {long:#?}"
    );
    Ok(())
}

struct Dependency {
    name: String,
    /// In what users get, not only in tests.
    is_shipped: bool,
    has_defaults: bool,
    features: Vec<String>,
}

/// What each crate of the workspace declares.
fn packages() -> Result<BTreeMap<String, Vec<Dependency>>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(top())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    entries(&metadata, "packages")?
        .iter()
        .map(|package| {
            let dependencies = entries(package, "dependencies")?.iter().map(dependency);
            Ok((name(package)?, dependencies.collect::<Result<_>>()?))
        })
        .collect()
}

fn dependency(declared: &Value) -> Result<Dependency> {
    Ok(Dependency {
        name: name(declared)?,
        is_shipped: declared["kind"] != "dev",
        has_defaults: declared["uses_default_features"] == true,
        features: entries(declared, "features")?
            .iter()
            .filter_map(|feature| feature.as_str().map(str::to_owned))
            .collect(),
    })
}

fn entries<'a>(of: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    of[key]
        .as_array()
        .with_context(|| format!("cargo metadata has no {key}"))
}

fn name(of: &Value) -> Result<String> {
    let name = of["name"]
        .as_str()
        .context("cargo metadata has something without a name")?;
    Ok(name.to_owned())
}

fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every Rust file below a folder, apart from what a build made.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_hidden = name.to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() && !is_hidden && name != "target" {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}
