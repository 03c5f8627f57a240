//! Parses an expression into a tree, with the checks of Apache's parser.
//!
//! It is written by hand: the rules depend on the exact look-ahead of Apache's generated parser, which stops without an
//! error wherever its grammar can stop. A combinator library would have to be bent to that.

use super::SqlError;
use super::expression::{Expression, Magnitude, Part};
use super::number::parse_double;
use super::token::{Lexer, Token};
use super::value::{Value, compare};

/// Deepest nesting of parentheses. Java's parser overflows its stack at a somewhat larger depth.
const MAX_DEPTH: usize = 50;
/// Longest row of signs, `=` or `<`: these nest as well. Rows of AND and OR do not nest and have no limit.
const MAX_CHAIN: usize = 8;

pub(super) fn parse(text: &str) -> Result<Expression, SqlError> {
    let mut parser = Parser { lexer: Lexer::new(text), peeked: None, depth: 0 };
    let root = parser.or()?;
    parser.condition(root)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Result<&Token, SqlError> {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        Ok(self.peeked.insert(token))
    }

    fn take(&mut self) -> Result<Token, SqlError> {
        match self.peeked.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    fn accept(&mut self, wanted: &Token) -> Result<bool, SqlError> {
        let found = self.peek()? == wanted;
        if found {
            self.peeked = None;
        }
        Ok(found)
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), SqlError> {
        if self.accept(wanted)? { Ok(()) } else { Err(self.error(format!("expected {wanted}"))) }
    }

    fn error(&self, what: String) -> SqlError {
        SqlError::new(self.lexer.position(), what)
    }

    fn condition(&self, value: Expression) -> Result<Expression, SqlError> {
        match value {
            Expression::Property(_) => Ok(Expression::Cast(Box::new(value))),
            value if value.is_condition() => Ok(value),
            value => Err(self.error(format!("{} is not a condition", describe(&value)))),
        }
    }

    fn or(&mut self) -> Result<Expression, SqlError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} levels of nesting")));
        }
        let all = self.joined(&Token::Or, Self::and, Expression::Or)?;
        self.depth -= 1;
        Ok(all)
    }

    fn and(&mut self) -> Result<Expression, SqlError> {
        self.joined(&Token::And, Self::equality, Expression::And)
    }

    /// Reads one operand, or several joined by the same operator.
    fn joined(
        &mut self,
        operator: &Token,
        operand: fn(&mut Self) -> Result<Expression, SqlError>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression, SqlError> {
        let first = operand(self)?;
        if self.peek()? != operator {
            return Ok(first);
        }
        let mut all = vec![self.condition(first)?];
        while self.accept(operator)? {
            let next = operand(self)?;
            all.push(self.condition(next)?);
        }
        Ok(join(all))
    }

    fn equality(&mut self) -> Result<Expression, SqlError> {
        let mut left = self.comparison()?;
        for _ in 0..=MAX_CHAIN {
            left = match self.peek()? {
                Token::Equal => {
                    self.take()?;
                    let right = self.comparison()?;
                    self.equal(left, right)?
                }
                Token::NotEqual => {
                    self.take()?;
                    let right = self.comparison()?;
                    not(self.equal(left, right)?)
                }
                Token::Is => {
                    self.take()?;
                    let negated = self.accept(&Token::Not)?;
                    self.expect(&Token::Null)?;
                    let is_null =
                        Expression::Equal(Box::new(left), Box::new(Expression::Constant(Value::Null)));
                    if negated { not(is_null) } else { is_null }
                }
                _ => return Ok(left),
            };
        }
        Err(self.chain_too_long())
    }

    fn chain_too_long(&self) -> SqlError {
        self.error(format!("more than {MAX_CHAIN} operators in a row, use parentheses"))
    }

    /// Builds an `=`. Refuses the literal NULL, and a boolean literal on the left of a literal of another type.
    fn equal(&self, left: Expression, right: Expression) -> Result<Expression, SqlError> {
        let null = |side: &Expression| matches!(side, Expression::Constant(Value::Null));
        if null(&left) || null(&right) {
            return Err(self.error("NULL cannot be compared, write IS NULL".to_owned()));
        }
        if let (Expression::Constant(Value::Bool(_)), Expression::Constant(other)) = (&left, &right)
            && !matches!(other, Value::Bool(_))
        {
            return Err(self.error(format!(
                "{} cannot be compared with {}",
                describe(&left),
                describe(&right)
            )));
        }
        Ok(Expression::Equal(Box::new(left), Box::new(right)))
    }

    fn comparison(&mut self) -> Result<Expression, SqlError> {
        let mut left = self.unary()?;
        for _ in 0..=MAX_CHAIN {
            left = match self.peek()? {
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
        }
        Err(self.chain_too_long())
    }

    fn magnitude(&mut self, left: Expression, magnitude: Magnitude) -> Result<Expression, SqlError> {
        self.take()?;
        let right = self.unary()?;
        self.compared(magnitude, left, right)
    }

    fn compared(
        &self,
        magnitude: Magnitude,
        left: Expression,
        right: Expression,
    ) -> Result<Expression, SqlError> {
        for side in [&left, &right] {
            let numeric = match side {
                Expression::Constant(value) => value.is_number(),
                side => !side.is_condition(),
            };
            if !numeric {
                return Err(self.error(format!("{} cannot be compared with <, <=, > or >=", describe(side))));
            }
        }
        Ok(Expression::Compare(magnitude, Box::new(left), Box::new(right)))
    }

    fn range_or_part(&mut self, left: Expression, negated: bool) -> Result<Expression, SqlError> {
        match self.take()? {
            Token::Between => self.between(left, negated),
            Token::In => self.one_of(left, negated),
            Token::Contains => self.part(left, Part::Contains, negated),
            Token::StartsWith => self.part(left, Part::StartsWith, negated),
            Token::EndsWith => self.part(left, Part::EndsWith, negated),
            _ => {
                Err(self.error("expected BETWEEN, IN, CONTAINS, STARTSWITH or ENDSWITH after NOT".to_owned()))
            }
        }
    }

    fn between(&mut self, value: Expression, negated: bool) -> Result<Expression, SqlError> {
        let low = self.unary()?;
        self.expect(&Token::And)?;
        let high = self.unary()?;
        if negated {
            let below = self.compared(Magnitude::Less, value.clone(), low)?;
            let above = self.compared(Magnitude::Greater, value, high)?;
            return Ok(Expression::Or(vec![below, above]));
        }
        self.check_range(&low, &high)?;
        let from = self.compared(Magnitude::GreaterEqual, value.clone(), low)?;
        let to = self.compared(Magnitude::LessEqual, value, high)?;
        Ok(Expression::And(vec![from, to]))
    }

    fn check_range(&self, low: &Expression, high: &Expression) -> Result<(), SqlError> {
        if let (Expression::Constant(from), Expression::Constant(to)) = (low, high)
            && (from.is_null() || to.is_null() || !compare(to, from).is_ok_and(|order| order.is_ge()))
        {
            return Err(self.error(format!("nothing lies between {} and {}", describe(low), describe(high))));
        }
        Ok(())
    }

    fn one_of(&mut self, left: Expression, negated: bool) -> Result<Expression, SqlError> {
        self.expect(&Token::Open)?;
        let mut values = vec![self.text()?];
        while self.accept(&Token::Comma)? {
            values.push(self.text()?);
        }
        self.expect(&Token::Close)?;
        match left {
            Expression::Property(name) => Ok(Expression::In { name, values, not: negated }),
            left => {
                Err(self
                    .error(format!("IN needs the name of a property on its left, not {}", describe(&left))))
            }
        }
    }

    fn part(&mut self, left: Expression, part: Part, negated: bool) -> Result<Expression, SqlError> {
        let search = self.text()?;
        Ok(Expression::Like { part, value: Box::new(left), search, not: negated })
    }

    fn text(&mut self) -> Result<String, SqlError> {
        match self.take()? {
            Token::Text(text) => Ok(text),
            other => Err(self.error(format!("expected a string in single quotes, not {other}"))),
        }
    }

    /// Reads a value with signs and NOT before it; they bind tighter than any comparison.
    fn unary(&mut self) -> Result<Expression, SqlError> {
        let mut signs = Vec::new();
        while matches!(self.peek()?, Token::Plus | Token::Minus | Token::Not) {
            signs.push(self.take()?);
            if signs.len() > MAX_CHAIN {
                return Err(self.chain_too_long());
            }
        }
        let mut value = self.primary()?;
        for sign in signs.iter().rev() {
            value = match sign {
                Token::Minus => Expression::Negate(Box::new(value)),
                Token::Not => not(self.condition(value)?),
                _ => value,
            };
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Expression, SqlError> {
        let value = match self.take()? {
            Token::Text(text) => Value::Text(text),
            Token::Integer(digits) => self.integer(&digits)?,
            Token::Float(digits) => self.float(&digits)?,
            Token::True => Value::Bool(true),
            Token::False => Value::Bool(false),
            Token::Null => Value::Null,
            Token::Name(name) => return Ok(Expression::Property(name)),
            Token::Open => {
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                return Ok(inner);
            }
            other => return Err(self.error(format!("expected a value, not {other}"))),
        };
        Ok(Expression::Constant(value))
    }

    fn integer(&self, digits: &str) -> Result<Value, SqlError> {
        let number: i64 = digits
            .trim_end_matches(['l', 'L'])
            .parse()
            .map_err(|_| self.error(format!("{digits} does not fit 64 bits")))?;
        Ok(i32::try_from(number).map_or(Value::Long(number), Value::Int))
    }

    /// Reads a floating point literal. Like Apache, it accepts only positive finite doubles, so 0.0 is refused.
    fn float(&self, digits: &str) -> Result<Value, SqlError> {
        match parse_double(digits) {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(Value::Double(number)),
            _ => Err(self.error(format!("{digits} is outside the range of a positive double"))),
        }
    }
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
