//! The outside world: clock, ids, tokens, mail, blobs, dispatch, telemetry.
