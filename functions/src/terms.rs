//! Terms: what two people in an engagement agree on, negotiated by offers; and the schemes that cap rates.

mod agreed;
mod funding;
pub(crate) mod lapse;
mod offers;
mod refused;
mod view;

use utoipa_axum::router::OpenApiRouter;

use crate::context::Shared;

/// The routes of this family.
#[must_use]
pub fn router() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(funding::router())
        .merge(offers::router())
        .merge(agreed::router())
}
