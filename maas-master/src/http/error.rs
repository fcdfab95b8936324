//! The one place where a refusal becomes an HTTP answer: `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maas_cli::ErrorCode;
use maas_client::api::Problem;

/// A refusal: a code of the fixed list and the particulars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: ErrorCode,
    status: StatusCode,
    detail: String,
}

impl Refusal {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Refusal {
        Refusal { code, status: status_of(code), detail: detail.into() }
    }

    /// The same refusal under another status, where the code alone does not decide it.
    pub(crate) fn with_status(self, status: StatusCode) -> Refusal {
        Refusal { status, ..self }
    }

    fn problem(&self) -> Problem {
        Problem {
            kind: format!("urn:maas:{}", self.code),
            title: self.code.meaning().to_string(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.to_string(),
        }
    }
}

fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NoModel
        | ErrorCode::NoVersion
        | ErrorCode::NoInstance
        | ErrorCode::NoRequest
        | ErrorCode::NoLogs => StatusCode::NOT_FOUND,
        ErrorCode::Usage | ErrorCode::BadName | ErrorCode::BadRequest | ErrorCode::CountMax | ErrorCode::MemoryMax => {
            StatusCode::BAD_REQUEST
        }
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Conflict | ErrorCode::ConflictResources | ErrorCode::ConflictContent => StatusCode::CONFLICT,
        ErrorCode::NotPermitted => StatusCode::UNAUTHORIZED,
        ErrorCode::NoMaster | ErrorCode::AnotherLeads | ErrorCode::ZookeeperUnreachable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = self.problem();
        // A `Problem` is strings and a number: writing it as JSON can't fail.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"maas logs\""));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<maas_client::tree::Error> for Refusal {
    fn from(error: maas_client::tree::Error) -> Self {
        let code = if error.is_retryable() { ErrorCode::ZookeeperUnreachable } else { ErrorCode::Defect };
        Refusal::new(code, error.to_string())
    }
}

/// What handlers answer with.
pub(crate) type Answer<T> = Result<axum::Json<T>, Refusal>;
