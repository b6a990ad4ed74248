//! Reads the statement that made a table, as far as it takes to change one constraint in it.
//!
//! Everything else in it stays as it was written: collations, checks, computed columns, comments.

use std::ops::Range;

/// What matters of the statement's text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// A word, or a name in quotes, without them.
    Word(String),
    Open,
    Close,
    Comma,
    Other,
}

/// The statement with `UNIQUE (old)` made `UNIQUE (new)`; `None` if the table has no such constraint.
pub(crate) fn widen_unique(sql: &str, old: &[&str], new: &[&str]) -> Option<String> {
    let tokens = tokens(sql);
    let starts = (0..tokens.len()).filter(|&at| is_word(&tokens, at, "unique"));
    let columns = starts
        .filter(|&at| begins_constraint(&tokens, at))
        .find_map(|at| column_list(&tokens, at + 1, old))?;
    Some(format!(
        "{}{}{}",
        sql.get(..columns.start)?,
        new.join(", "),
        sql.get(columns.end..)?
    ))
}

/// Whether a constraint of the table begins here, and not one of a column.
fn begins_constraint(tokens: &[(Token, Range<usize>)], at: usize) -> bool {
    let is_comma = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|(token, _)| *token == Token::Comma)
    };
    match at {
        0 => false,
        1 | 2 => is_comma(at - 1),
        _ => is_comma(at - 1) || is_word(tokens, at - 2, "constraint") && is_comma(at - 3),
    }
}

/// Where the text between the parentheses is that begin at `at`, if it lists just these columns.
fn column_list(
    tokens: &[(Token, Range<usize>)],
    at: usize,
    columns: &[&str],
) -> Option<Range<usize>> {
    let mut wanted = vec![Token::Open];
    for (number, column) in columns.iter().enumerate() {
        if number > 0 {
            wanted.push(Token::Comma);
        }
        wanted.push(Token::Word(column.to_ascii_lowercase()));
    }
    wanted.push(Token::Close);
    let there = tokens.get(at..at + wanted.len())?;
    let same = there
        .iter()
        .zip(&wanted)
        .all(|((token, _), wanted)| token == wanted);
    let (first, last) = (there.first()?, there.last()?);
    same.then_some(first.1.end..last.1.start)
}

fn is_word(tokens: &[(Token, Range<usize>)], at: usize, word: &str) -> bool {
    matches!(tokens.get(at), Some((Token::Word(there), _)) if there == word)
}

/// Words in lower case; blanks and comments are left out.
fn tokens(sql: &str) -> Vec<(Token, Range<usize>)> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = end_of(bytes, at);
        let token = match byte {
            b'(' => Some(Token::Open),
            b')' => Some(Token::Close),
            b',' => Some(Token::Comma),
            b'"' | b'`' | b'[' => {
                let name = sql.get(at + 1..end.saturating_sub(1)).unwrap_or_default();
                Some(Token::Word(name.to_ascii_lowercase()))
            }
            _ if is_name(byte) => Some(Token::Word(sql[at..end].to_ascii_lowercase())),
            _ if byte.is_ascii_whitespace() || is_comment(bytes, at) => None,
            _ => Some(Token::Other),
        };
        tokens.extend(token.map(|token| (token, at..end)));
        at = end;
    }
    tokens
}

/// Where what begins at `at` has come to its end.
fn end_of(bytes: &[u8], at: usize) -> usize {
    let behind = |rest: &[u8], wanted: &[u8]| {
        let found = rest.windows(wanted.len()).position(|part| part == wanted);
        found.map_or(bytes.len(), |n| bytes.len() - rest.len() + n + wanted.len())
    };
    let rest = bytes.get(at + 1..).unwrap_or_default();
    match bytes[at] {
        // A quote that is doubled begins what goes on as another one.
        quote @ (b'"' | b'`' | b'\'') => behind(rest, &[quote]),
        b'[' => behind(rest, b"]"),
        b'-' if is_comment(bytes, at) => behind(rest, b"\n"),
        b'/' if is_comment(bytes, at) => behind(rest.get(1..).unwrap_or_default(), b"*/"),
        byte if is_name(byte) => {
            let n = rest.iter().take_while(|byte| is_name(**byte)).count();
            at + 1 + n
        }
        _ => at + 1,
    }
}

fn is_comment(bytes: &[u8], at: usize) -> bool {
    let start = bytes.get(at..).unwrap_or_default();
    start.starts_with(b"--") || start.starts_with(b"/*")
}

/// Letters beyond ASCII are parts of names, so that no character is cut.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(sql: &str) -> Option<String> {
        widen_unique(sql, &["a", "b"], &["a", "b", "c"])
    }

    #[test]
    fn the_constraint_is_found_however_it_is_written() {
        for (before, after) in [
            (
                "CREATE TABLE t (a, b, UNIQUE(a, b))",
                "CREATE TABLE t (a, b, UNIQUE(a, b, c))",
            ),
            (
                "create table t(a TEXT, b,\n unique ( \"A\" ,\n[b] ) on conflict replace, c)",
                "create table t(a TEXT, b,\n unique (a, b, c) on conflict replace, c)",
            ),
            (
                "CREATE TABLE t (a /* UNIQUE(a,b) */, b, -- , UNIQUE(a,b)\n CONSTRAINT \"one, two\" UNIQUE (`a`,b))",
                "CREATE TABLE t (a /* UNIQUE(a,b) */, b, -- , UNIQUE(a,b)\n CONSTRAINT \"one, two\" UNIQUE (a, b, c))",
            ),
            (
                "CREATE TABLE t (a DEFAULT ', UNIQUE(a,b)', b DEFAULT 'it''s', UNIQUE(a,b), UNIQUE(b, a))",
                "CREATE TABLE t (a DEFAULT ', UNIQUE(a,b)', b DEFAULT 'it''s', UNIQUE(a, b, c), UNIQUE(b, a))",
            ),
            (
                "CREATE TABLE t (ä, b, CHECK (f(a,b)), UNIQUE(a,b), ü)",
                "CREATE TABLE t (ä, b, CHECK (f(a,b)), UNIQUE(a, b, c), ü)",
            ),
        ] {
            assert_eq!(widened(before).as_deref(), Some(after), "{before}");
        }
    }

    #[test]
    fn what_is_no_such_constraint_is_left_alone() {
        for sql in [
            "CREATE TABLE t (a UNIQUE, b)",
            "CREATE TABLE t (a, b, UNIQUE(b, a))",
            "CREATE TABLE t (a, b, UNIQUE(a, b, d))",
            "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
            "CREATE TABLE t (a, b, UNIQUE(a, b",
            "CREATE TABLE t (a, 'b, UNIQUE(a, b))",
            "/*",
            "-",
            "\"",
            "",
        ] {
            assert_eq!(widened(sql), None, "{sql}");
        }
    }
}
