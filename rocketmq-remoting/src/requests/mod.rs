//! The headers of every exchange, one family per file: plain structs whose serde names are Java's field names.
//!
//! A field without `default` must be there: Java fails without it too, if later and less clearly. What Java
//! fills in or never looks at is optional here.

pub mod admin;
pub mod broker;
pub mod group;
pub mod heartbeat;
pub mod lock;
pub mod offset;
pub mod pop;
pub mod pull;
pub mod query;
pub mod reply;
pub mod route;
pub mod routing;
pub mod send;
pub mod topic;
pub mod transaction;

use std::str::FromStr;

use crate::error::DecodeError;

/// A number out of a hot header: unlike elsewhere, Java refuses the request when one does not parse.
fn parse_field<N: FromStr>(name: &str, value: &str) -> Result<N, DecodeError> {
    value.parse().map_err(|_| DecodeError::bad_field(name, value, std::any::type_name::<N>()))
}

/// Ties each request header to its code and the header of its answer.
macro_rules! exchanges {
    ($($request:ty = $code:ident => $response:ty;)*) => {
        $(impl crate::request::Request for $request {
            const CODE: crate::code::RequestCode = crate::code::RequestCode::$code;
            type Response = $response;
        })*
    };
}
use exchanges;
