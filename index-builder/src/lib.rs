//! From worker records to index shards: a Lambda function and a command.
