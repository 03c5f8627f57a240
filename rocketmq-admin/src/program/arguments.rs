//! Command lines as guides to Apache's mqadmin write them.

use std::ffi::OsString;

use clap::Command;

/// Writes a command line as clap reads it: the command's name in its own case, and a long option with two dashes where
/// Apache takes one (`-qn`).
pub(super) fn normalize(program: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let place = words.iter().skip(1).position(|word| !is_option(word)).map(|at| at + 1);
    let named = place.and_then(|at| words[at].to_str());
    let command = named.and_then(|name| {
        program.get_subcommands().find(|command| command.get_name().eq_ignore_ascii_case(name))
    });
    let (Some(command), Some(place)) = (command, place) else { return words };
    let written = words.into_iter().enumerate().map(|(at, word)| match at {
        _ if at == place => command.get_name().into(),
        _ => two_dashes(command, word),
    });
    written.collect()
}

fn is_option(word: &OsString) -> bool {
    word.to_str().is_some_and(|word| word.starts_with('-'))
}

/// Apache's parser takes a long option, or a short one of several letters, with one dash. clap would take the letters for
/// options of their own.
fn two_dashes(command: &Command, word: OsString) -> OsString {
    let Some(text) = word.to_str() else { return word };
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let Some(name) = name.strip_prefix('-').filter(|name| name.len() > 1 && !name.starts_with('-')) else {
        return word;
    };
    let is_long = command.get_arguments().any(|argument| {
        argument.get_long() == Some(name) || argument.get_all_aliases().is_some_and(|all| all.contains(&name))
    });
    match is_long || name == "namesrvAddr" {
        true => format!("-{text}").into(),
        false => word,
    }
}

/// The name of the command, if there is one.
pub(super) fn command_name(words: &[OsString]) -> Option<&str> {
    let mut names = words.iter().skip(1).filter(|word| !is_option(word)).filter_map(|word| word.to_str());
    match names.next() {
        Some("help") => names.next(),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn written(line: &str) -> String {
        let queues = Arg::new("queues").long("totalQueueNum").alias("qn");
        let program = Command::new("mqadmin").subcommand(Command::new("updateStaticTopic").arg(queues));
        let words = normalize(&program, line.split(' ').map(OsString::from).collect());
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_match_in_any_case() {
        assert_eq!(written("mqadmin UPDATEstaticTopic -t x"), "mqadmin updateStaticTopic -t x");
        assert_eq!(written("mqadmin nothing -qn 4"), "mqadmin nothing -qn 4");
        assert_eq!(written("mqadmin"), "mqadmin");
    }

    #[test]
    fn long_options_with_one_dash_get_two() {
        let line = "mqadmin updateStaticTopic -qn 4 -namesrvAddr=x -totalQueueNum 4 -t -q";
        let expected = "mqadmin updateStaticTopic --qn 4 --namesrvAddr=x --totalQueueNum 4 -t -q";
        assert_eq!(written(line), expected);
    }

    #[test]
    fn help_is_about_the_next_word() {
        let words = ["mqadmin", "help", "addBroker"].map(OsString::from);
        assert_eq!(command_name(&words), Some("addBroker"));
        assert_eq!(command_name(&words[..2]), None);
        assert_eq!(command_name(&[]), None);
    }
}
