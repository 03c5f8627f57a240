//! Parses an expression into a tree, with the checks of Apache's parser.
//!
//! It is written by hand: the rules depend on the exact look-ahead of Apache's generated parser, which stops without an
//! error wherever its grammar can stop. A combinator library would have to be bent to that.

use super::expression::{Expression, Magnitude, Part};
use super::number::parse_double;
use super::token::{Lexer, Token};
use super::value::{Value, compare};
use crate::SyntaxError;

/// Deepest nesting of parentheses. Java's parser overflows its stack at a somewhat larger depth.
const MAX_DEPTH: usize = 50;
/// Longest row of signs, `=` or `<`: these nest as well. Rows of AND and OR do not nest and have no limit.
const MAX_CHAIN: usize = 8;

/// A parsed text.
pub(super) struct Parsed {
    pub(super) root: Expression,
    /// Reports text behind the expression, which brokers ignore.
    pub(super) ignored: Option<SyntaxError>,
}

pub(super) fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    let mut parser = Parser { lexer: Lexer::new(text), peeked: None, last: 0, depth: 0 };
    let root = parser.or()?;
    let root = condition(root)?;
    let ignored = parser.ignored()?;
    Ok(Parsed { root, ignored })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<(usize, Token)>,
    /// Start of the word that was read last.
    last: usize,
    depth: usize,
}

/// A part of the expression and its start.
struct Operand {
    at: usize,
    value: Expression,
}

impl Operand {
    fn error(&self, what: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.at, what)
    }

    fn is_null(&self) -> bool {
        matches!(self.value, Expression::Constant(Value::Null))
    }
}

impl Parser<'_> {
    fn peek(&mut self) -> Result<&Token, SyntaxError> {
        let word = match self.peeked.take() {
            Some(word) => word,
            None => self.read()?,
        };
        self.last = word.0;
        Ok(&self.peeked.insert(word).1)
    }

    fn take(&mut self) -> Result<Token, SyntaxError> {
        let (at, token) = match self.peeked.take() {
            Some(word) => word,
            None => self.read()?,
        };
        self.last = at;
        Ok(token)
    }

    fn read(&mut self) -> Result<(usize, Token), SyntaxError> {
        Ok((self.lexer.position(), self.lexer.next()?))
    }

    /// Returns the start of the next word.
    fn here(&mut self) -> usize {
        match &self.peeked {
            Some((at, _)) => *at,
            None => self.lexer.position(),
        }
    }

    fn accept(&mut self, wanted: &Token) -> Result<bool, SyntaxError> {
        let found = self.peek()? == wanted;
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), SyntaxError> {
        if self.accept(wanted)? { Ok(()) } else { Err(self.error(format!("`{wanted}` is missing here"))) }
    }

    /// Makes an error at the word that was read last.
    fn error(&self, what: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.last, what)
    }

    fn ignored(&mut self) -> Result<Option<SyntaxError>, SyntaxError> {
        let next = self.peek()?.clone();
        let hint = match &next {
            Token::End => return Ok(None),
            Token::Name(name) if name.eq_ignore_ascii_case("like") => {
                "there is no LIKE; write CONTAINS 'part', STARTSWITH 'part' or ENDSWITH 'part'"
            }
            Token::Plus | Token::Minus => "conditions do not calculate, and a comment ends with its line",
            Token::Open => "there are no functions",
            _ => {
                "the condition ends before this, and brokers ignore the rest; join conditions with AND or OR"
            }
        };
        Ok(Some(self.error(hint)))
    }

    fn or(&mut self) -> Result<Operand, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} levels of nesting")));
        }
        let all = self.joined(&Token::Or, Self::and, Expression::Or)?;
        self.depth -= 1;
        Ok(all)
    }

    fn and(&mut self) -> Result<Operand, SyntaxError> {
        self.joined(&Token::And, Self::equality, Expression::And)
    }

    /// Reads one operand, or several joined by the same operator.
    fn joined(
        &mut self,
        operator: &Token,
        operand: fn(&mut Self) -> Result<Operand, SyntaxError>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Operand, SyntaxError> {
        let first = operand(self)?;
        if self.peek()? != operator {
            return Ok(first);
        }
        let at = first.at;
        let mut all = vec![condition(first)?];
        while self.accept(operator)? {
            all.push(condition(operand(self)?)?);
        }
        Ok(Operand { at, value: join(all) })
    }

    fn equality(&mut self) -> Result<Operand, SyntaxError> {
        let mut left = self.comparison()?;
        for _ in 0..=MAX_CHAIN {
            let at = left.at;
            let value = match self.peek()? {
                Token::Equal => {
                    self.take()?;
                    equal(left, self.comparison()?)?
                }
                Token::NotEqual => {
                    self.take()?;
                    not(equal(left, self.comparison()?)?)
                }
                Token::Is => {
                    self.take()?;
                    let negated = self.accept(&Token::Not)?;
                    self.expect(&Token::Null)?;
                    let null = Expression::Constant(Value::Null);
                    let is_null = Expression::Equal(Box::new(left.value), Box::new(null));
                    if negated { not(is_null) } else { is_null }
                }
                _ => return Ok(left),
            };
            left = Operand { at, value };
        }
        Err(self.chain_too_long())
    }

    fn chain_too_long(&self) -> SyntaxError {
        self.error(format!("more than {MAX_CHAIN} operators in a row; use parentheses"))
    }

    fn comparison(&mut self) -> Result<Operand, SyntaxError> {
        let mut left = self.unary()?;
        for _ in 0..=MAX_CHAIN {
            let at = left.at;
            let value = match self.peek()? {
                Token::Greater => self.magnitude(left, Magnitude::Greater)?,
                Token::GreaterEqual => self.magnitude(left, Magnitude::GreaterEqual)?,
                Token::Less => self.magnitude(left, Magnitude::Less)?,
                Token::LessEqual => self.magnitude(left, Magnitude::LessEqual)?,
                Token::Not => {
                    self.take()?;
                    self.range_or_part(left, true)?
                }
                Token::Between | Token::In | Token::Contains | Token::StartsWith | Token::EndsWith => {
                    self.range_or_part(left, false)?
                }
                _ => return Ok(left),
            };
            left = Operand { at, value };
        }
        Err(self.chain_too_long())
    }

    fn magnitude(&mut self, left: Operand, magnitude: Magnitude) -> Result<Expression, SyntaxError> {
        self.take()?;
        let right = self.unary()?;
        compared(magnitude, left, right)
    }

    fn range_or_part(&mut self, left: Operand, negated: bool) -> Result<Expression, SyntaxError> {
        match self.take()? {
            Token::Between => self.between(left, negated),
            Token::In => self.one_of(left, negated),
            Token::Contains => self.part(left, Part::Contains, negated),
            Token::StartsWith => self.part(left, Part::StartsWith, negated),
            Token::EndsWith => self.part(left, Part::EndsWith, negated),
            _ => Err(self.error("BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH is missing here, behind NOT")),
        }
    }

    fn between(&mut self, value: Operand, negated: bool) -> Result<Expression, SyntaxError> {
        let low = self.unary()?;
        self.expect(&Token::And)?;
        let high = self.unary()?;
        let again = Operand { at: value.at, value: value.value.clone() };
        if negated {
            let below = compared(Magnitude::Less, again, low)?;
            let above = compared(Magnitude::Greater, value, high)?;
            return Ok(Expression::Or(vec![below, above]));
        }
        check_range(&low, &high)?;
        let from = compared(Magnitude::GreaterEqual, again, low)?;
        let to = compared(Magnitude::LessEqual, value, high)?;
        Ok(Expression::And(vec![from, to]))
    }

    fn one_of(&mut self, left: Operand, negated: bool) -> Result<Expression, SyntaxError> {
        self.expect(&Token::Open)?;
        let mut values = vec![self.text()?];
        while self.accept(&Token::Comma)? {
            values.push(self.text()?);
        }
        self.expect(&Token::Close)?;
        match left.value {
            Expression::Property(name) => Ok(Expression::In { name, values, not: negated }),
            _ => Err(left.error(format!(
                "the name of a property stands before IN, not {}; write NOT before IN, not before the name",
                describe(&left.value)
            ))),
        }
    }

    fn part(&mut self, left: Operand, part: Part, negated: bool) -> Result<Expression, SyntaxError> {
        let search = self.text()?;
        Ok(Expression::Like { part, value: Box::new(left.value), search, not: negated })
    }

    fn text(&mut self) -> Result<String, SyntaxError> {
        match self.take()? {
            Token::Text(text) => Ok(text),
            Token::End => Err(self.error("a text in single quotes is missing here")),
            other => Err(self.error(format!("a text in single quotes belongs here, not `{other}`"))),
        }
    }

    /// Reads a value with signs and NOT before it; they bind tighter than any comparison.
    fn unary(&mut self) -> Result<Operand, SyntaxError> {
        let at = self.here();
        let mut signs = Vec::new();
        while matches!(self.peek()?, Token::Plus | Token::Minus | Token::Not) {
            signs.push((self.last, self.take()?));
            if signs.len() > MAX_CHAIN {
                return Err(self.chain_too_long());
            }
        }
        let mut operand = self.primary()?;
        for (at, sign) in signs.into_iter().rev() {
            let value = match sign {
                Token::Minus => Expression::Negate(Box::new(operand.value)),
                Token::Not => not(condition(operand)?),
                _ => operand.value,
            };
            operand = Operand { at, value };
        }
        Ok(Operand { at, value: operand.value })
    }

    fn primary(&mut self) -> Result<Operand, SyntaxError> {
        let token = self.take()?;
        let at = self.last;
        let value = match token {
            Token::Text(text) => Value::Text(text),
            Token::Integer(digits) => self.integer(&digits)?,
            Token::Float(digits) => self.float(&digits)?,
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            Token::Name(name) => return Ok(Operand { at, value: Expression::Property(name) }),
            Token::Open => {
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                return Ok(Operand { at, value: inner.value });
            }
            other => return Err(self.no_value(&other)),
        };
        Ok(Operand { at, value: Expression::Constant(value) })
    }

    fn no_value(&self, found: &Token) -> SyntaxError {
        match found {
            Token::End => self.error("a value is missing here"),
            Token::Equal => self.error("a value is missing before this `=`; equality is one `=`"),
            other => self.error(format!("a value is missing before this `{other}`")),
        }
    }

    fn integer(&self, digits: &str) -> Result<Value, SyntaxError> {
        let number: i64 = digits
            .trim_end_matches(['l', 'L'])
            .parse()
            .map_err(|_| self.error(format!("{digits} does not fit 64 bits")))?;
        Ok(i32::try_from(number).map_or(Value::Long(number), Value::Int))
    }

    /// Reads a floating point literal. Like Apache, it accepts only positive finite doubles, so 0.0 is refused.
    fn float(&self, digits: &str) -> Result<Value, SyntaxError> {
        match parse_double(digits) {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(Value::Double(number)),
            _ => Err(self.error(format!("{digits} is outside the range of a positive double"))),
        }
    }
}

fn condition(operand: Operand) -> Result<Expression, SyntaxError> {
    match operand.value {
        value @ Expression::Property(_) => Ok(Expression::Cast(Box::new(value))),
        value if value.is_condition() => Ok(value),
        ref value => Err(operand.error(format!("a condition belongs here, and {} is none", describe(value)))),
    }
}

/// Builds an `=`. Refuses the literal NULL, and a boolean literal on the left of a literal of another type.
fn equal(left: Operand, right: Operand) -> Result<Expression, SyntaxError> {
    if let Some(null) = [&left, &right].into_iter().find(|side| side.is_null()) {
        return Err(null.error("NULL cannot be compared; write IS NULL or IS NOT NULL"));
    }
    if let (Expression::Constant(Value::Bool(_)), Expression::Constant(other)) = (&left.value, &right.value)
        && !matches!(other, Value::Bool(_))
    {
        let what = format!("{} cannot be compared with {}", describe(&left.value), describe(&right.value));
        return Err(right.error(what));
    }
    Ok(Expression::Equal(Box::new(left.value), Box::new(right.value)))
}

fn compared(magnitude: Magnitude, left: Operand, right: Operand) -> Result<Expression, SyntaxError> {
    for side in [&left, &right] {
        let numeric = match &side.value {
            Expression::Constant(value) => value.is_number(),
            other => !other.is_condition(),
        };
        if !numeric {
            return Err(side.error(format!(
                "`<`, `>` and BETWEEN compare properties and numbers, and {} is neither",
                describe(&side.value)
            )));
        }
    }
    Ok(Expression::Compare(magnitude, Box::new(left.value), Box::new(right.value)))
}

fn check_range(low: &Operand, high: &Operand) -> Result<(), SyntaxError> {
    if let (Expression::Constant(from), Expression::Constant(to)) = (&low.value, &high.value)
        && (from.is_null() || to.is_null() || !compare(to, from).is_ok_and(|order| order.is_ge()))
    {
        let what = format!("nothing lies between {} and {}", describe(&low.value), describe(&high.value));
        return Err(low.error(what));
    }
    Ok(())
}

fn not(condition: Expression) -> Expression {
    Expression::Not(Box::new(condition))
}

fn describe(value: &Expression) -> String {
    match value {
        Expression::Constant(Value::Text(text)) => format!("'{text}'"),
        Expression::Constant(Value::Int(number)) => number.to_string(),
        Expression::Constant(Value::Long(number)) => number.to_string(),
        Expression::Constant(Value::Double(number)) => number.to_string(),
        Expression::Constant(Value::Bool(value)) => value.to_string().to_uppercase(),
        Expression::Constant(Value::Null) => "NULL".to_owned(),
        Expression::Property(name) => format!("the property {name}"),
        Expression::Negate(_) => "a negated value".to_owned(),
        _ => "a condition".to_owned(),
    }
}
