//! Sections of the application's own, read into types of its own.

mod de;
mod error;
mod tree;

use super::sources::Sources;
use crate::error::Mistake;
use serde::de::DeserializeOwned;
use tree::Tree;

/// Reads the table `section` of all files, variables and `App::set`.
///
/// # Errors
/// Fails for a text that the type does not take, for a missing value, and for a placeholder without a value.
pub(crate) fn read<T: DeserializeOwned>(sources: &Sources, section: &str) -> Result<T, Mistake> {
    let tree = Tree::of(sources, section);
    let value = de::Value::new(sources, section.to_owned(), Some(&tree));
    T::deserialize(value).map_err(|error| error.into_mistake(section))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sources::Variables;
    use serde::Deserialize;
    use std::collections::{BTreeMap, HashMap};
    use std::net::IpAddr;
    use std::path::PathBuf;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    struct Orders {
        max_items: u32,
        #[serde(default)]
        currency: Currency,
        note: Option<String>,
        #[serde(default)]
        regions: Vec<String>,
        #[serde(default)]
        limits: BTreeMap<String, f64>,
        #[serde(default)]
        shops: Vec<Shop>,
        bank: Option<Bank>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "UPPERCASE")]
    enum Currency {
        #[default]
        Eur,
        Usd,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Shop {
        name: String,
        open: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Bank {
        address: IpAddr,
        cert: PathBuf,
    }

    fn read_with<T: DeserializeOwned>(toml: &str, variables: &[(&str, &str)]) -> Result<T, String> {
        let (sources, mistakes) = Sources::from_toml(toml, variables);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        read(&sources, "orders").map_err(|mistake| mistake.to_string())
    }

    fn orders(toml: &str) -> Result<Orders, String> {
        read_with(toml, &[])
    }

    const WHOLE: &str = "[orders]\nmax_items = 7\ncurrency = 'USD'\nnote = '${who:nobody}; or not'\nregions = ['a;b', 'c']\n\
                         [orders.limits]\n\"EU West\" = 1.5\nus = 2\n[[orders.shops]]\nname = 'north'\nopen = true\n\
                         [[orders.shops]]\nname = '12'\nopen = false\n[orders.bank]\naddress = '10.0.0.1'\ncert = 'c.pem'";

    #[test]
    fn each_kind_of_value_is_read() {
        let orders = orders(WHOLE).unwrap();
        assert_eq!((orders.max_items, orders.currency), (7, Currency::Usd));
        assert_eq!(orders.note.as_deref(), Some("nobody; or not"));
        assert_eq!(orders.regions, ["a;b", "c"]);
        assert_eq!(orders.limits, BTreeMap::from([("EU West".to_owned(), 1.5), ("us".to_owned(), 2.0)]));
        let shop = |name: &str, open| Shop { name: name.to_owned(), open };
        assert_eq!(orders.shops, [shop("north", true), shop("12", false)]);
        assert_eq!(orders.bank.unwrap().address, IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn a_value_that_is_not_there_is_the_types_default_or_a_mistake() {
        let least = orders("[orders]\nmaxItems = '5'").unwrap();
        assert_eq!((least.max_items, least.note, least.bank), (5, None, None));
        assert!(least.regions.is_empty() && least.limits.is_empty() && least.shops.is_empty());
        let empty = orders("[orders]\nmax-items = 1\nnote = ''\nregions = []\n[orders.limits]").unwrap();
        assert_eq!((empty.note, empty.regions.len()), (None, 0));
        for nothing in ["", "[orders]", "[orders]\nmax-items = ''"] {
            assert_eq!(
                orders(nothing).unwrap_err(),
                "`orders.max-items` has no value: set it in application.toml, or the variable ORDERS_MAX_ITEMS"
            );
        }
        assert_eq!(read_with::<HashMap<String, u8>>("", &[]), Ok(HashMap::new()));
    }

    #[test]
    fn a_variable_goes_before_the_file() {
        let variables =
            [("ORDERS_MAX_ITEMS", "9"), ("ORDERS_REGIONS", "x; y"), ("ORDERS_BANK_CERT", "d.pem")];
        let read: Orders = read_with(WHOLE, &variables).unwrap();
        assert_eq!((read.max_items, read.regions), (9, vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(read.bank.unwrap().cert, PathBuf::from("d.pem"));
        let read: Orders = read_with("", &[("ORDERS_MAXITEMS", "3")]).unwrap();
        assert_eq!(read.max_items, 3);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place_and_the_type_that_it_should_have() {
        let found = |toml: &str| orders(&format!("[orders]\nmax-items = 1\n{toml}")).unwrap_err();
        assert_eq!(
            orders("[orders]\nmaxItems = 'many'").unwrap_err(),
            "`orders.maxItems` in application.toml:2: invalid type: string \"many\", expected u32"
        );
        assert!(
            found("currency = 'GBP'").starts_with("`orders.currency` in application.toml:3: unknown variant")
        );
        let shop = found("[[orders.shops]]\nname = 'a'\nopen = 'often'");
        assert_eq!(
            shop,
            "`orders.shops.0.open` in application.toml:5: invalid type: string \"often\", expected a boolean"
        );
        assert!(found("[[orders.shops]]\nname = 'a'").contains("`orders.shops.0.open` has no value"));
        assert!(found("note = '${who}'").contains("`${who}` has no value"));
        assert!(
            found("regions = { a = 1 }").contains("`orders.regions`"),
            "{}",
            found("regions = { a = 1 }")
        );
        let of_variable = read_with::<Orders>("", &[("ORDERS_MAX_ITEMS", "-1")]).unwrap_err();
        assert!(of_variable.contains("in the variable ORDERS_MAX_ITEMS: invalid type"), "{of_variable}");
    }

    #[test]
    fn an_unknown_key_is_a_mistake_where_the_type_denies_it() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {
            #[serde(rename = "max-items")]
            _max_items: u32,
        }
        let error = read_with::<Strict>("[orders]\nmax-items = 1\nmax-itms = 2", &[]).unwrap_err();
        assert!(error.contains("unknown field `max-itms`, expected `max-items`"), "{error}");
        assert!(orders("[orders]\nmax-items = 1\nother = 2").is_ok());
    }

    #[test]
    fn a_shorter_list_replaces_a_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("application.toml");
        std::fs::write(&base, WHOLE).unwrap();
        let dev = "[orders]\nregions = ['z']\n[[orders.shops]]\nname = 'south'\nopen = true";
        std::fs::write(folder.path().join("application-dev.toml"), dev).unwrap();
        let mut mistakes = Vec::new();
        let sources =
            Sources::load(Some(&base), Some("dev"), Variables::default(), Vec::new(), &mut mistakes);
        let read: Orders = read(&sources, "orders").unwrap();
        assert_eq!((read.max_items, read.regions), (7, vec!["z".to_owned()]));
        assert_eq!(read.shops.len(), 1, "{:?}", read.shops);
    }
}
