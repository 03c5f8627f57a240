//! Enums of Java's JSON.

/// Declares an enum whose constants travel by name. It reads ordinals too. Null and unknown names of newer peers read
/// as the default; Java reads them as null.
macro_rules! java_enum {
    ($(#[$doc:meta])* pub enum $type:ident { $($(#[$attribute:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$attribute])* $variant,)*
        }

        impl $type {
            const ALL: &[Self] = &[$(Self::$variant),*];

            /// Returns Java's name of this constant.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the constant with Java's name `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|constant| constant.name() == name)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Constant;

                impl serde::de::Visitor<'_> for Constant {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a constant of ", stringify!($type)))
                    }

                    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<$type, E> {
                        Ok($type::from_name(name).unwrap_or_default())
                    }

                    fn visit_i64<E: serde::de::Error>(self, ordinal: i64) -> Result<$type, E> {
                        let constant = usize::try_from(ordinal).ok().and_then(|at| $type::ALL.get(at));
                        Ok(constant.copied().unwrap_or_default())
                    }

                    fn visit_u64<E: serde::de::Error>(self, ordinal: u64) -> Result<$type, E> {
                        self.visit_i64(i64::try_from(ordinal).unwrap_or(-1))
                    }

                    fn visit_unit<E: serde::de::Error>(self) -> Result<$type, E> {
                        Ok($type::default())
                    }
                }

                deserializer.deserialize_any(Constant)
            }
        }
    };
}
pub(super) use java_enum;
