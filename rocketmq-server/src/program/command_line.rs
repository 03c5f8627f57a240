//! Command lines as guides to Apache's programs write them.

use std::ffi::OsString;

/// The long options of Apache's programs, which take one dash or two.
const LONG: [&str; 4] = ["configFile", "namesrvAddr", "printConfigItem", "printImportantConfig"];

/// The arguments of this process, with two dashes before each long option.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(|argument| match argument.to_str() {
        Some(text) if is_long_with_one_dash(text) => format!("-{text}").into(),
        _ => argument,
    })
}

fn is_long_with_one_dash(argument: &str) -> bool {
    let name = argument.split_once('=').map_or(argument, |(name, _)| name);
    name.strip_prefix('-').is_some_and(|name| LONG.contains(&name))
}

/// The words of a command line that are no options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// The name servers of `-n`, each as `host:port`.
    pub name_servers: Option<String>,
    /// Settings, as lines in properties syntax.
    pub settings: String,
}

impl Leftovers {
    /// Reads the value of `-n` and the words that belong to no option: `key=value` is a setting, and a number behind
    /// `-n HOST` is its port.
    ///
    /// # Errors
    /// A word that is neither.
    pub fn read(name_servers: Option<&str>, words: &[String]) -> Result<Self, String> {
        let mut leftovers = Self { name_servers: name_servers.map(addresses), ..Self::default() };
        for word in words {
            match (&mut leftovers.name_servers, word.split_once('=')) {
                (_, Some((key, value))) if !key.is_empty() => {
                    leftovers.settings.push_str(&format!("{key}={}\n", value.replace('\\', "\\\\")));
                }
                (Some(host), None) if !host.contains(':') && is_port(word) => {
                    host.push(':');
                    host.push_str(word);
                }
                _ => {
                    return Err(format!(
                        "{word:?} is no option; write settings as key=value, such as listenPort=10911"
                    ));
                }
            }
        }
        Ok(leftovers)
    }
}

/// Addresses joined by semicolons; each has a colon or a blank before its port.
fn addresses(text: &str) -> String {
    let address = |address: &str| match address.trim().rsplit_once(char::is_whitespace) {
        Some((host, port)) if is_port(port) => format!("{}:{port}", host.trim_end().trim_end_matches(':')),
        _ => address.trim().to_owned(),
    };
    text.split(';').map(address).collect::<Vec<_>>().join(";")
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name_servers: &str, words: &[&str]) -> Result<Leftovers, String> {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Leftovers::read(Some(name_servers), &words)
    }

    #[test]
    fn a_name_server_is_written_in_any_of_the_usual_forms() {
        for (text, words) in [
            ("10.0.0.1:9876", &[][..]),
            ("10.0.0.1 9876", &[]),
            (" 10.0.0.1  9876 ", &[]),
            ("10.0.0.1: 9876", &[]),
            ("10.0.0.1", &["9876"]),
        ] {
            assert_eq!(read(text, words).unwrap().name_servers.as_deref(), Some("10.0.0.1:9876"), "{text:?}");
        }
        let two = read("10.0.0.1 9876; b:9876", &[]).unwrap();
        assert_eq!(two.name_servers.as_deref(), Some("10.0.0.1:9876;b:9876"));
    }

    #[test]
    fn settings_stand_behind_the_options() {
        let read = read("a:1", &["autoCreateTopicEnable=true", "regionId=", "path=C:\\x=y"]).unwrap();
        assert_eq!(read.settings, "autoCreateTopicEnable=true\nregionId=\npath=C:\\\\x=y\n");
        assert_eq!(Leftovers::read(None, &[]), Ok(Leftovers::default()));
    }

    #[test]
    fn what_is_neither_is_named() {
        for (servers, word) in [("a:1", "9876"), ("a", "0"), ("a", "99999"), ("a:1", "start"), ("a:1", "=x")]
        {
            let told = read(servers, &[word]).unwrap_err();
            assert!(told.contains(&format!("{word:?} is no option")) && told.contains("key=value"), "{told}");
        }
        assert!(Leftovers::read(None, &["9876".to_owned()]).is_err());
    }

    #[test]
    fn long_options_of_apaches_programs_have_one_dash_or_two() {
        assert!(is_long_with_one_dash("-configFile") && is_long_with_one_dash("-namesrvAddr=a:1"));
        assert!(!is_long_with_one_dash("--configFile") && !is_long_with_one_dash("-c"));
    }
}
