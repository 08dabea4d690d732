//! One Lambda function per family of operations, and the consumers of due rows.
