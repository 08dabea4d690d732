//! Money, in whole cents of the deployment's one currency.

use serde::{Deserialize, Serialize};

/// An amount in whole cents; never a float.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Cents(pub u32);

impl Cents {
    /// Whole currency units, the cents cut off: for bands and summaries.
    #[must_use]
    pub const fn units(self) -> u32 {
        self.0 / 100
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}
