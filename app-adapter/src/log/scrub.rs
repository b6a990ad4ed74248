//! Words that may be written down: servers choose some of them, and know the token.

/// The longest word that is kept: the name of a row has 36 characters, a token more.
const LONGEST_WORD: usize = 36;
/// The longest text that is kept.
const LONGEST_TEXT: usize = 300;
/// What stands in the place of a word that is not kept.
const LEFT_OUT: &str = "…";

/// The text without what may be a token or somebody's address, in one line.
pub(super) fn scrubbed(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| !word.is_empty());
    let kept: Vec<&str> = words
        .map(|word| if may_stay(word) { word } else { LEFT_OUT })
        .collect();
    kept.join(" ").chars().take(LONGEST_TEXT).collect()
}

fn may_stay(word: &str) -> bool {
    let is_token = |part: &str| part.chars().count() > LONGEST_WORD;
    // A path or an address of a server has parts; what is between them may be as long as any word.
    let mut parts = word.split(|c: char| !(c.is_alphanumeric() || "-_+=.".contains(c)));
    !word.contains('@') && !parts.any(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_left_out() {
        let token = "zs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJK";
        for (text, kept) in [
            (
                "the server cannot be reached",
                "the server cannot be reached",
            ),
            (
                "at https://zentrio.eu:8443/api/sync/pull: no",
                "at https://zentrio.eu:8443/api/sync/pull: no",
            ),
            (
                "row 0190f1c2-7e3a-7b3c-8d2e-0a1b2c3d4e5f",
                "row 0190f1c2-7e3a-7b3c-8d2e-0a1b2c3d4e5f",
            ),
            ("anna@example.org is banned", "… is banned"),
            ("a\u{1b}[2Jb\nc", "a [2Jb c"),
            (&format!("you said {token}!"), "you said …"),
            (&format!("at https://x.org/{token}"), "at …"),
            (&format!("{{\"token\":\"{token}\"}}"), "…"),
        ] {
            assert_eq!(scrubbed(text), kept);
        }
        assert_eq!(scrubbed(&"word ".repeat(1_000)).len(), LONGEST_TEXT);
    }
}
