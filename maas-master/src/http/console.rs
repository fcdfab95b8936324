//! `/`: the console, one page that holds all it needs and asks this master's own interface.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = include_str!("console.html");

/// Only what carries this answer's nonce runs; the page may ask its own origin and nothing else.
pub(super) async fn page() -> Response {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = Html(PAGE.replace("{{nonce}}", &nonce)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::PAGE;

    /// Behind YARN's proxy the page is below `/proxy/APPLICATION/`.
    #[test]
    fn the_page_asks_relative_to_where_it_is() {
        for absolute in ["\"/api", "\"/readyz", "\"/metrics", "\"/openapi", "`/"] {
            assert!(!PAGE.contains(absolute), "{absolute}");
        }
    }
}
