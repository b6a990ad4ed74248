//! What a user sees who makes a mistake: one file for each, with the compiler's words beside it.
//!
//! After a change, `TRYBUILD=overwrite cargo test -p sync-core --test ui` writes the words anew.

use std::process::Command;

/// The compiler whose words stand in `ui/types`: those for type errors change with every release.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn mistakes_are_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    if compiler().starts_with(COMPILER) {
        cases.compile_fail("tests/ui/types/*.rs");
    }
}

fn compiler() -> String {
    let version = Command::new("rustc")
        .arg("--version")
        .output()
        .expect("cargo found a compiler");
    String::from_utf8_lossy(&version.stdout).into_owned()
}
