//! What the programs tell of themselves: their help to the letter, completions, colours.

use std::process::Command;

use anyhow::{Result, ensure};
use sync_tests::programs::{Program, Started};

const DEVICE: [&str; 12] = [
    "connect",
    "sync",
    "run",
    "status",
    "explain",
    "discard",
    "leave-out",
    "retry",
    "doctor",
    "logs",
    "disconnect",
    "completions",
];
const SERVER: [&str; 9] = [
    "serve",
    "user",
    "device",
    "account",
    "migrate",
    "gc",
    "import",
    "epoch",
    "completions",
];

fn said(program: Program, args: &[&str]) -> Result<String> {
    let ended = Started::new(program.command()?.args(args), "")?.ended()?;
    Ok(ended.with_code(0)?.stdout)
}

/// The long help of a program and of each of its commands.
fn help(program: Program, commands: &[&str]) -> Result<String> {
    let mut text = said(program, &["--help"])?;
    for command in commands {
        ensure!(text.contains(command), "--help does not tell of {command}");
    }
    for command in commands {
        text += &format!(
            "\n==== {command} ====\n{}",
            said(program, &[command, "--help"])?
        );
    }
    Ok(text)
}

/// `cargo insta review` shows what changed.
#[test]
fn the_help_is_what_it_was() -> Result<()> {
    for (name, program, commands) in [
        ("help_zentrio", Program::Device, DEVICE.as_slice()),
        ("help_zentrio_server", Program::Server, SERVER.as_slice()),
    ] {
        let text = help(program, commands)?;
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true }, {
            insta::assert_snapshot!(name, text);
        });
    }
    Ok(())
}

#[test]
fn every_shell_can_complete() -> Result<()> {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        for (program, word) in [(Program::Device, "leave-out"), (Program::Server, "epoch")] {
            let script = said(program, &["completions", shell])?;
            ensure!(script.contains(word), "{shell} does not know {word}");
        }
    }
    let mut unknown = Program::Device.command()?;
    Started::new(unknown.args(["completions", "tcsh"]), "")?
        .ended()?
        .with_code(2)?;
    Ok(())
}

/// What a program writes on a terminal: `script`, which every Linux has, is one.
fn on_a_terminal(env: &[(&str, &str)]) -> Result<Option<String>> {
    let program = Program::Device.command()?;
    let mut script = Command::new("script");
    let words = format!("{} --help", program.get_program().to_string_lossy());
    script.args(["-qec", &words, "/dev/null"]);
    script
        .env_remove("NO_COLOR")
        // Where changes are checked, colours are shown on any terminal.
        .env_remove("CI")
        .env("TERM", "xterm")
        .envs(env.iter().copied());
    match Started::new(&mut script, "") {
        Ok(started) => Ok(Some(started.ended()?.stdout)),
        Err(_) => Ok(None),
    }
}

#[test]
fn colours_are_for_terminals_and_can_be_switched_off() -> Result<()> {
    const COLOUR: &str = "\u{1b}[";
    let Some(coloured) = on_a_terminal(&[])? else {
        return Ok(());
    };
    ensure!(
        coloured.contains(COLOUR),
        "no colours on a terminal: {coloured}"
    );
    for off in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
        let plain = on_a_terminal(&[off])?.unwrap_or_default();
        ensure!(plain.contains("Usage"), "{plain}");
        ensure!(!plain.contains(COLOUR), "{off:?} leaves colours");
    }
    ensure!(!said(Program::Device, &["--help"])?.contains(COLOUR));
    Ok(())
}
