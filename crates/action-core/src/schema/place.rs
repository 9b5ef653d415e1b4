//! Where a value is in a request.

use std::fmt;

/// Where a value is. Written only when it is told, as a JSON pointer.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// The request as a whole.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(of, name) => {
                write!(f, "{of}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(of, index) => write!(f, "{of}/{index}"),
        }
    }
}
