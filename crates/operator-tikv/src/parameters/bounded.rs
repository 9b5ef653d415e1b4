//! Numbers with bounds: checked as they are read, and shown in schemas.

use serde_json::Value;

/// A number that can be bounded.
pub(crate) trait Number: Copy {
    /// What JSON Schema calls it.
    const TYPE: &'static str;

    fn json(self) -> Value;
}

macro_rules! integers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            const TYPE: &'static str = "integer";

            fn json(self) -> Value {
                self.into()
            }
        }
    )*};
}

integers!(u16, u32, u64);

impl Number for f64 {
    const TYPE: &'static str = "number";

    /// Whole numbers without a fraction.
    fn json(self) -> Value {
        if self.fract() == 0.0 && self.abs() < 9.0e15 {
            (self as i64).into()
        } else {
            self.into()
        }
    }
}

/// A parameter that is a number between two others, and perhaps has a default.
///
/// The words after the bounds are what a number out of bounds is said not to be. Generic parameters
/// are given as in `Name[const MOST: u16][MOST](u16)`.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($($rest:tt)*): $($bounds:tt)*) => {
        bounded!(@type [$(#[$doc])*] [] [] $name ($($rest)*): $($bounds)*);
    };
    ($(#[$doc:meta])* $name:ident$generics:tt$given:tt($($rest:tt)*): $($bounds:tt)*) => {
        bounded!(@type [$(#[$doc])*] $generics $given $name ($($rest)*): $($bounds)*);
    };
    (@type $docs:tt $generics:tt $given:tt $name:ident ($number:ty):
     $least:tt to $most:tt, $what:literal $(, default $default:expr)?) => {
        $(bounded!(@default $generics $given $name $default);)?
        bounded!(@impl $docs $generics $given $name ($number): $least, $most, $what);
    };
    (@default [$($generic:tt)*] [$($given:tt)*] $name:ident $default:expr) => {
        impl<$($generic)*> Default for $name<$($given)*> {
            fn default() -> Self {
                Self($default)
            }
        }
    };
    (@impl [$($doc:tt)*] [$($generic:tt)*] [$($given:tt)*] $name:ident ($number:ty):
     $least:tt, $most:tt, $what:literal) => {
        $($doc)*
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name<$($generic)*>($number);

        impl<$($generic)*> $name<$($given)*> {
            /// So many; `None` when that is out of bounds.
            #[must_use]
            pub fn new(number: $number) -> Option<Self> {
                ($least..=$most).contains(&number).then_some(Self(number))
            }

            /// The number.
            #[must_use]
            pub fn get(self) -> $number {
                self.0
            }
        }

        impl<$($generic)*> schemars::JsonSchema for $name<$($given)*> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                use $crate::parameters::bounded::Number;
                let (least, most): ($number, $number) = ($least, $most);
                schemars::json_schema!({
                    "type": <$number as Number>::TYPE,
                    "minimum": least.json(),
                    "maximum": most.json(),
                })
            }
        }

        impl<'de, $($generic)*> serde::Deserialize<'de> for $name<$($given)*> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <$number>::deserialize(deserializer)?;
                Self::new(number).ok_or_else(|| {
                    let (least, most): ($number, $number) = ($least, $most);
                    let text = format_args!("{number} is not {}: use {least} to {most}", $what);
                    serde::de::Error::custom(text)
                })
            }
        }
    };
}
pub(crate) use bounded;
