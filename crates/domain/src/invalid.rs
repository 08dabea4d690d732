//! What is wrong with an input, field by field.

use serde::{Deserialize, Serialize};

/// One field that cannot be accepted, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Invalid {
    /// JSON pointer to the field, e.g. `/preferences/2/value`.
    pub pointer: String,
    /// What would be right, in words for the person who typed it.
    pub detail: String,
}

/// Collects every fault of an input, so that a person corrects them in one go.
///
/// ```
/// # use rapport_domain::invalid::Findings;
/// let mut findings = Findings::default();
/// findings.text("/name", "", 1, 80);
/// assert_eq!(findings.into_result().unwrap_err()[0].pointer, "/name");
/// ```
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Invalid>,
}

impl Findings {
    /// Records a fault.
    pub fn add(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.found.push(Invalid {
            pointer: pointer.into(),
            detail: detail.into(),
        });
    }

    /// Records a fault unless `right`.
    pub fn check(&mut self, right: bool, pointer: impl Into<String>, detail: impl Into<String>) {
        if !right {
            self.add(pointer, detail);
        }
    }

    /// Text of `least` to `most` characters, without control characters other than line breaks. Blanks around it are
    /// no text, but they count where there are too many: not everything is kept without them.
    pub fn text(&mut self, pointer: impl Into<String>, text: &str, least: usize, most: usize) {
        let pointer = pointer.into();
        let (length, whole) = (text.trim().chars().count(), text.chars().count());
        if length < least && length == 0 {
            self.add(pointer, "is needed");
        } else if length < least || whole > most {
            let length = if length < least { length } else { whole };
            self.add(
                pointer,
                format!("has {length} characters; {least} to {most} are allowed"),
            );
        } else if text
            .chars()
            .any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t')
        {
            self.add(pointer, "holds a control character");
        }
    }

    /// At most `most` entries, so that no list grows without bound.
    pub fn at_most<T>(&mut self, pointer: impl Into<String>, list: &[T], most: usize) {
        self.check(
            list.len() <= most,
            pointer,
            format!("has {} entries; at most {most} are allowed", list.len()),
        );
    }

    /// Nothing wrong, or everything that is.
    ///
    /// # Errors
    /// The faults, in the order found.
    pub fn into_result(self) -> Result<(), Vec<Invalid>> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_no_text_and_are_not_taken_without_end() {
        let fault = |text: &str, least, most| {
            let mut findings = Findings::default();
            findings.text("/text", text, least, most);
            let faults = findings.into_result().err().unwrap_or_default();
            faults.into_iter().map(|fault| fault.detail).next()
        };
        assert_eq!(fault(" tea ", 1, 5), None);
        assert_eq!(fault("   ", 0, 3), None);
        assert_eq!(fault("   ", 1, 3).as_deref(), Some("is needed"));
        let many = "has 1000 characters; 0 to 3 are allowed";
        assert_eq!(fault(&" ".repeat(1000), 0, 3).as_deref(), Some(many));
        let few = "has 1 characters; 2 to 3 are allowed";
        assert_eq!(fault(" a ", 2, 3).as_deref(), Some(few));
        assert_eq!(
            fault("a\u{7}", 1, 3).as_deref(),
            Some("holds a control character")
        );
    }
}
