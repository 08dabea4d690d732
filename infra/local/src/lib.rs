//! The whole system in one process: HTTP gateway, embedded table, ticker, sample people.
