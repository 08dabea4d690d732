//! Addresses that a partner's form may stand at or lead to, in the one spelling that browsers use.
//!
//! Read strictly and by hand: what a lenient reader would repair, an attacker would choose.

const MAX_URL: usize = 500;

/// Whether text is a web origin in the one spelling that browsers send.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    origin_of(text) == Some(text)
}

/// The origin of an address that a browser may be led to: https, or plain http on this very machine
/// (for development), a host name in lower case, and no login in it. `None` for everything else.
#[must_use]
pub fn origin_of(url: &str) -> Option<&str> {
    if url.len() > MAX_URL || !url.bytes().all(is_plain) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let (host_is_right, default_port) = match scheme {
        "https" => (is_host(host), "443"),
        "http" => (host == "localhost", "80"),
        _ => return None,
    };
    let port_is_right = port.is_none_or(|port| is_port(port) && port != default_port);
    let length = scheme.len() + "://".len() + authority.len();
    (host_is_right && port_is_right)
        .then(|| url.get(..length))
        .flatten()
}

/// Browsers read a backslash as a slash, and drop tabs and line breaks: none of these may stand in an address.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\\\"'<>`{}|^".contains(&byte)
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    // A last label of digits would make it an address by number, in one of many spellings.
    let is_named = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_lowercase()));
    host.len() <= 253 && is_named && host.split('.').all(is_label)
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0')
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_the_one_spelling_that_browsers_send() {
        for right in [
            "https://example.org",
            "https://www.xn--bcher-kva.example:8443",
            "http://localhost",
            "http://localhost:3000",
        ] {
            assert!(is_origin(right), "{right}");
        }
        for wrong in [
            "",
            "null",
            "*",
            "https://*",
            "https://*.example.org",
            "https://",
            "https://Example.org",
            "https://example.org/",
            "https://example.org:443",
            "https://example.org:0443",
            "https://example.org:99999",
            "https://example.org:",
            "https://ana@example.org",
            "https://ana:secret@example.org",
            "https://example.org?x",
            "https://-example.org",
            "https://example..org",
            "https://127.0.0.1",
            "https://[::1]",
            "http://example.org",
            "http://localhost:80",
            "http://localhost.example.org",
            "HTTPS://example.org",
            "javascript://example.org",
            "//example.org",
            "https:example.org",
            " https://example.org",
            "https://example.org\n",
            "https://exämple.org",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }

    #[test]
    fn redirects_lead_to_a_plain_address_and_nowhere_else() {
        for right in [
            "https://example.org",
            "https://example.org/a/b?c=d&e=%20#f",
            "https://example.org/@someone",
            "http://localhost:3000/thanks",
        ] {
            assert!(origin_of(right).is_some(), "{right}");
        }
        for wrong in [
            "/thanks",
            "//example.org/thanks",
            "https:/example.org",
            "https:///example.org",
            "https://example.org\\@elsewhere.example",
            "https://example.org@elsewhere.example/",
            "https://example.org:pass@elsewhere.example/",
            "https://example.org/a b",
            "https://example.org/\r\nSet-Cookie: a=b",
            "http://example.org/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
        ] {
            assert_eq!(origin_of(wrong), None, "{wrong}");
        }
        let long = format!("https://example.org/{}", "a".repeat(MAX_URL));
        assert_eq!(origin_of(&long), None);
    }
}
