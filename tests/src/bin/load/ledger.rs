//! What was asked for, and what was promised by an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What something is, and so where it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) enum Kind {
    Message,
    Ticket,
    Signup,
    Request,
    Withdrawal,
    Proposal,
    Visit,
}

/// One thing that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: Kind,
    /// Which pair's; 0 for what is nobody's.
    pub(crate) pair: usize,
    /// Words that nothing else holds.
    pub(crate) mark: String,
    /// Its id, once an answer has promised that it is there.
    pub(crate) promised: Option<String>,
}

/// Everything that was asked for, by mark.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<String, Asked>>);

impl Ledger {
    /// Something is about to be asked for.
    pub(crate) fn ask(&self, kind: Kind, pair: usize, mark: &str) {
        let asked = Asked {
            kind,
            pair,
            mark: mark.to_owned(),
            promised: None,
        };
        self.entries().insert(mark.to_owned(), asked);
    }

    /// It was answered: it is there, as `id`.
    pub(crate) fn promise(&self, mark: &str, id: String) {
        if let Some(asked) = self.entries().get_mut(mark) {
            asked.promised = Some(id);
        }
    }

    pub(crate) fn of(&self, kind: Kind) -> Vec<Asked> {
        let entries = self.entries();
        entries
            .values()
            .filter(|asked| asked.kind == kind)
            .cloned()
            .collect()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
