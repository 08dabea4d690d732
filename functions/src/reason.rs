//! The reason that is given for a correction: it lies beside what was corrected, out of the audit item.

use domain::invalid::Findings;
use store::{Actor, Audit, Key};

use crate::context::Context;
use crate::problem::Problem;

const MAX_REASON: usize = 500;

/// Adds what is wrong with a reason to `findings`.
pub fn check_reason(findings: &mut Findings, reason: &str) {
    findings.text("/reason", reason, 1, MAX_REASON);
}

/// Refuses a body whose only text is its reason.
///
/// # Errors
/// 422.
pub fn need_reason(reason: &str) -> Result<(), Problem> {
    let mut findings = Findings::default();
    check_reason(&mut findings, reason);
    Ok(findings.into_result()?)
}

impl Context {
    /// What a correction made now says of itself.
    #[must_use]
    pub fn correction(
        &self,
        actor: impl Into<Actor>,
        operation: &'static str,
        aggregate: &Key,
        fields: Vec<String>,
        reason: &str,
    ) -> Audit {
        Audit {
            fields,
            reason: Some(reason.trim().to_owned()),
            ..self.audit(actor, operation, aggregate)
        }
    }
}
