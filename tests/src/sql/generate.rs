//! Generates expressions and property sets; the same seed yields the same ones. Most expressions are valid or nearly
//! so, because the doubtful points are the end of Apache's parser and its conversions between types.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::PropertySet;
use super::words::{
    BLANKS, EDGES, EQUALITIES, FLOATS, FOREIGN, INTEGERS, KEYWORDS, KEYWORDS_4X, MAGNITUDES, NAMES, SPOILERS,
    TAILS, VALUES,
};

/// Deepest nesting. Deeper expressions are refused on purpose; Apache's parser would overflow its stack a little later.
const DEPTH: u32 = 4;

/// A source of expressions and property sets.
#[derive(Debug)]
pub struct Generator {
    random: StdRng,
    keywords: &'static [&'static str],
}

impl Generator {
    /// Makes a source that uses the words of this `version` of Apache RocketMQ.
    pub fn new(seed: u64, version: &str) -> Self {
        let known = if version.starts_with("4.") { KEYWORDS_4X } else { KEYWORDS.len() };
        Self { random: StdRng::seed_from_u64(seed), keywords: &KEYWORDS[..known] }
    }

    /// Returns property sets; in each of them some names are absent.
    pub fn properties(&mut self, sets: usize) -> Vec<PropertySet> {
        (0..sets).map(|_| self.property_set()).collect()
    }

    fn property_set(&mut self) -> PropertySet {
        let mut set = PropertySet::new();
        for &name in NAMES {
            if !self.one_in(4) {
                set.insert(name, self.pick(VALUES));
            }
        }
        set
    }

    /// Returns the next expression.
    pub fn expression(&mut self) -> String {
        let depth = self.random.random_range(0..=DEPTH);
        match self.random.random_range(0..100) {
            0..60 => self.or(depth),
            60..75 => self.or(depth) + self.pick(TAILS),
            75..90 => {
                let text = self.or(depth);
                self.spoilt(&text)
            }
            90..98 => self.soup(),
            98 => format!("convert_string_expressions:{}", self.or(depth)),
            _ => format!("hyphenated_props:{}", self.or(depth)),
        }
    }

    fn or(&mut self, depth: u32) -> String {
        self.joined("OR", |it| it.joined("AND", |it| it.equality(depth)))
    }

    fn joined(&mut self, operator: &str, mut operand: impl FnMut(&mut Self) -> String) -> String {
        let mut text = operand(self);
        while self.one_in(4) {
            text = text + &self.blank() + &self.cased(operator) + &self.blank() + &operand(self);
        }
        text
    }

    fn equality(&mut self, depth: u32) -> String {
        let mut text = self.comparison(depth);
        if self.one_in(8) {
            let negated = if self.one_in(2) { "NOT" } else { "" };
            text = [text, self.cased("IS"), self.cased(negated), self.cased("NULL")].join(&self.blank());
        }
        text
    }

    fn comparison(&mut self, depth: u32) -> String {
        if depth > 0 && self.one_in(3) {
            let not = if self.one_in(4) { "NOT " } else { "" };
            return format!("{}({})", self.cased(not), self.or(depth - 1));
        }
        let blank = self.blank();
        format!("{}{blank}{}", self.operand(), self.compared(&blank))
    }

    /// Returns the part of a comparison after its left side.
    fn compared(&mut self, blank: &str) -> String {
        let not = if self.one_in(4) { "NOT " } else { "" };
        let not = self.cased(not);
        match self.random.random_range(0..20) {
            0 => String::new(),
            1..4 => {
                let (low, and, high) = (self.operand(), self.cased("AND"), self.operand());
                format!("{not}{}{blank}{low}{blank}{and}{blank}{high}", self.cased("BETWEEN"))
            }
            4..6 => format!("{not}{}{blank}{}", self.cased("IN"), self.list()),
            6..9 if self.keywords.len() > KEYWORDS_4X => {
                let part = self.pick(&KEYWORDS[KEYWORDS_4X..]);
                format!("{not}{}{blank}{}", self.cased(part), self.string_or_not())
            }
            9..14 => format!("{}{blank}{}", self.pick(EQUALITIES), self.any()),
            14 if self.one_in(3) => format!("{}{blank}{}", self.pick(FOREIGN), self.any()),
            _ => format!("{}{blank}{}", self.pick(MAGNITUDES), self.operand()),
        }
    }

    fn list(&mut self) -> String {
        let mut values = Vec::new();
        while values.is_empty() || self.one_in(2) {
            values.push(self.string_or_not());
        }
        format!("({})", values.join(self.pick(&[",", ", ", " , ", ",,"])))
    }

    fn string_or_not(&mut self) -> String {
        if self.one_in(30) { self.any() } else { self.string() }
    }

    /// Returns an operand, most often a number or a property.
    fn operand(&mut self) -> String {
        let sign = match self.random.random_range(0..24) {
            0 | 1 => "-",
            2 => "+",
            3 => "- ",
            4 if self.one_in(4) => "NOT ",
            5 if self.one_in(4) => "+-",
            _ => "",
        };
        let value = match self.random.random_range(0..20) {
            0 if self.one_in(2) => self.any(),
            1..5 => self.pick(INTEGERS).to_owned(),
            5..7 => self.pick(FLOATS).to_owned(),
            7 if self.one_in(3) => self.pick(EDGES).to_owned(),
            _ => self.pick(NAMES).to_owned(),
        };
        self.cased(sign) + &value
    }

    fn any(&mut self) -> String {
        match self.random.random_range(0..8) {
            0 => self.pick(INTEGERS).to_owned(),
            1 => self.pick(FLOATS).to_owned(),
            2 | 3 => self.string(),
            4 => {
                let word = self.pick(&["TRUE", "FALSE", "TRUE", "FALSE", "NULL"]);
                self.cased(word)
            }
            _ => self.pick(NAMES).to_owned(),
        }
    }

    fn string(&mut self) -> String {
        let value = self.pick(VALUES);
        // Sometimes leaves inner quotes single, which ends the string early.
        if self.one_in(10) { format!("'{value}'") } else { format!("'{}'", value.replace('\'', "''")) }
    }

    /// Returns words in no order.
    fn soup(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.random.random_range(0..10) {
            let word = match self.random.random_range(0..4) {
                0 => self.pick(self.keywords).to_owned(),
                1 => self.pick(MAGNITUDES).to_owned(),
                2 => self.pick(&["(", ")", ",", "+", "-"]).to_owned(),
                _ => self.any(),
            };
            text = text + &self.cased(&word) + &self.blank();
        }
        text
    }

    /// Returns the text with some characters removed, doubled, swapped or added.
    fn spoilt(&mut self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..self.random.random_range(1..=3) {
            let at = self.random.random_range(0..=chars.len());
            match self.random.random_range(0..4) {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 if at < chars.len() => chars.insert(at, chars[at]),
                2 if at + 1 < chars.len() => chars.swap(at, at + 1),
                _ => chars.insert(at, self.pick(SPOILERS)),
            }
        }
        chars.into_iter().collect()
    }

    /// Returns a keyword in upper, lower or mixed case. Leaves names alone.
    fn cased(&mut self, word: &str) -> String {
        if !self.keywords.iter().any(|keyword| word.starts_with(keyword)) {
            return word.to_owned();
        }
        match self.random.random_range(0..4) {
            0 => word.to_lowercase(),
            1 => word[..1].to_owned() + &word[1..].to_lowercase(),
            _ => word.to_owned(),
        }
    }

    fn blank(&mut self) -> String {
        if self.one_in(30) { String::new() } else { self.pick(BLANKS).to_owned() }
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.random.random_ratio(1, many)
    }

    fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        from.choose(&mut self.random).copied().unwrap_or_default()
    }
}
