//! The commands, a file each: what they do and how they tell of it.

pub(crate) mod inspect;
pub(crate) mod rebuild;
pub(crate) mod verify;
