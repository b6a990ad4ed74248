//! Where the built programs are; they are built if they are missing or older than their sources.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::SystemTime,
};

use anyhow::{Context, Error, Result, ensure};

/// A program of this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `zentrio-server`.
    Server,
    /// `zentrio`.
    Device,
}

impl Program {
    const ALL: [Self; 2] = [Self::Server, Self::Device];

    fn name(self) -> &'static str {
        match self {
            Self::Server => "zentrio-server",
            Self::Device => "zentrio",
        }
    }

    /// A command that runs it, untouched by the settings of whoever runs the tests.
    ///
    /// # Errors
    /// If it is not built and cannot be.
    pub fn command(self) -> Result<Command> {
        let mut command = Command::new(folder()?.join(self.name()));
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("ZENTRIO_") {
                command.env_remove(name);
            }
        }
        command.envs(environment()).stdin(Stdio::null());
        Ok(command)
    }
}

/// What programs are started with, so that a test finds all of what they say.
#[must_use]
pub fn environment() -> [(&'static str, &'static str); 4] {
    [
        ("ZENTRIO_LOG", "trace"),
        // Nothing of a test belongs into the keyring of whoever runs it.
        ("ZENTRIO_KEY_STORE", "file"),
        ("NO_COLOR", "1"),
        ("TZ", "UTC"),
    ]
}

/// The folder with both programs, in which those of the same build as this one stand.
fn folder() -> Result<&'static Path> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOLDER.get_or_init(|| find_or_build().map_err(|error| format!("{error:#}")));
    found
        .as_deref()
        .map_err(|reason| Error::msg(reason.clone()))
}

fn find_or_build() -> Result<PathBuf> {
    let test = env::current_exe()?;
    // This program is in `deps`, the others one folder above.
    let folder = test
        .ancestors()
        .nth(2)
        .context("this test is in no folder")?;
    if Program::ALL
        .iter()
        .all(|program| is_fresh(&folder.join(program.name())))
    {
        return Ok(folder.to_owned());
    }
    build(folder)?;
    for program in Program::ALL {
        let path = folder.join(program.name());
        ensure!(
            path.exists(),
            "cargo built no {}: run `cargo build --bins`",
            path.display()
        );
    }
    Ok(folder.to_owned())
}

/// Cargo writes beside each program what it is made of.
fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let (Some(built), Ok(sources)) = (
        changed(program),
        fs::read_to_string(program.with_extension("d")),
    ) else {
        return false;
    };
    let sources = sources
        .split_once(": ")
        .map_or("", |(_, sources)| sources.trim_end());
    // A blank in a path is written with a backslash before it.
    let sources = sources.replace("\\ ", "\0");
    let mut sources = sources
        .split(' ')
        .map(|path| PathBuf::from(path.replace('\0', " ")));
    let is_older = |at: SystemTime| at <= built;
    sources.all(|source| changed(&source).is_some_and(is_older))
}

fn build(folder: &Path) -> Result<()> {
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--package",
            "server",
            "--package",
            "app-adapter",
            "--bins",
            "--profile",
            profile,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .context("the programs are not built, and cargo cannot be run: run `cargo build --bins`")?;
    let words = String::from_utf8_lossy(&built.stderr);
    ensure!(
        built.status.success(),
        "the programs are not built, and cannot be:\n{words}"
    );
    Ok(())
}
