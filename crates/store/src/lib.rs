//! The one DynamoDB table: keys, items, and the commit that every state change is.
