//! Errors as RFC 9457 `application/problem+json` with a stable `type`.
//!
//! Owns the list of problems and their statuses. An internal cause is logged with an id and never shown.

use super::fields::{self, Wrong};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rules::Rejected;
use serde_json::json;

/// The media type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What went wrong; the slug after `urn:hazard-gateway:problem:` never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Malformed,
    NotSignedIn,
    WrongCredentials,
    Forbidden,
    CrossSite,
    NotFound,
    NoSuchRoute,
    MethodNotAllowed,
    Changed,
    Refused,
    TooLarge,
    Incomplete,
    Defects,
    TooMany,
    Busy,
    TimedOut,
    Internal,
}

impl Kind {
    /// Status, slug, title in zh-CN and in English.
    fn row(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed", "请求格式不正确", "malformed request"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not-signed-in", "未登录", "not signed in"),
            Self::WrongCredentials => {
                (StatusCode::UNAUTHORIZED, "wrong-credentials", "用户名或口令不正确", "wrong user name or password")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "该角色无此权限", "not allowed for this role"),
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "cross-site", "请求不是由本页面发出", "request not made by this page")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "对象不存在", "no such object"),
            Self::NoSuchRoute => (StatusCode::NOT_FOUND, "no-such-route", "地址不存在", "no such address"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "不支持该方法", "method not allowed")
            }
            Self::Changed => {
                (StatusCode::CONFLICT, "changed", "所见内容已变化，请重新查看", "changed since it was shown")
            }
            Self::Refused => {
                (StatusCode::CONFLICT, "refused", "当前状态下不能执行", "not possible in the present state")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "请求内容过大", "request body too large"),
            Self::Incomplete => {
                (StatusCode::UNPROCESSABLE_ENTITY, "incomplete", "缺少必填内容或内容不合格", "missing or unacceptable")
            }
            Self::Defects => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "config-defects",
                "配置有缺陷，仍用原来的",
                "the configuration has defects, the running one is kept",
            ),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many", "尝试过于频繁，请稍候", "too many attempts"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "服务繁忙或正在停止", "busy or stopping"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed-out", "处理超时", "took too long"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "内部错误", "internal error"),
        }
    }
}

/// Beside the answer, for who writes down that it was refused.
#[derive(Clone, Debug)]
pub(super) struct Reason(pub(super) String);

/// One error answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub kind: Kind,
    pub detail: Option<String>,
    /// Names of the missing or unacceptable fields (422).
    pub fields: Vec<String>,
    /// What was sent for each of them, and what is allowed (422).
    pub errors: Vec<serde_json::Value>,
    /// Defects of a configuration, as `check --json` lists them (422).
    pub defects: Vec<serde_json::Value>,
    pub retry_after_s: Option<u64>,
}

impl Problem {
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, detail: None, fields: Vec::new(), errors: Vec::new(), defects: Vec::new(), retry_after_s: None }
    }

    #[must_use]
    pub fn with_detail(kind: Kind, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(kind) }
    }

    /// 422 naming the fields.
    #[must_use]
    pub fn incomplete(fields: Vec<String>) -> Self {
        Self { fields, ..Self::new(Kind::Incomplete) }
    }

    /// 422 with what was sent and what is allowed.
    #[must_use]
    pub fn unacceptable(wrong: &[Wrong]) -> Self {
        Self {
            detail: Some(fields::sentence(wrong)),
            errors: wrong.iter().map(Wrong::as_json).collect(),
            ..Self::incomplete(wrong.iter().map(|wrong| wrong.field().to_owned()).collect())
        }
    }

    /// 429 or 503 with `Retry-After`.
    #[must_use]
    pub fn retry(kind: Kind, after_s: u64) -> Self {
        Self { retry_after_s: Some(after_s), ..Self::new(kind) }
    }

    /// For an error that came without a problem of its own, from a library's extractor.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        Self::new(match status {
            StatusCode::UNAUTHORIZED => Kind::NotSignedIn,
            StatusCode::FORBIDDEN => Kind::Forbidden,
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
            StatusCode::CONFLICT => Kind::Changed,
            StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
            StatusCode::UNPROCESSABLE_ENTITY => Kind::Incomplete,
            StatusCode::TOO_MANY_REQUESTS => Kind::TooMany,
            StatusCode::SERVICE_UNAVAILABLE => Kind::Busy,
            other if other.is_client_error() => Kind::Malformed,
            _ => Kind::Internal,
        })
    }

    /// 500: the cause goes to the log under an id, the answer carries only the id.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        let id = super::token::hex_token::<6>();
        tracing::error!(error_id = %id, %cause, "request failed inside");
        Self::with_detail(Kind::Internal, format!("error id {id}"))
    }
}

/// `None` for [`Rejected::AlreadySo`], which is a success.
#[must_use]
pub fn of_rejected(rejected: &Rejected) -> Option<Problem> {
    match rejected {
        Rejected::NotFound(name) => Some(Problem::with_detail(Kind::NotFound, name.clone())),
        Rejected::Changed(what) => Some(Problem::with_detail(Kind::Changed, what.clone())),
        Rejected::Incomplete(fields) => Some(Problem::incomplete(fields.clone())),
        Rejected::Refused(why) => Some(Problem::with_detail(Kind::Refused, why.code())),
        Rejected::Forbidden(why) => Some(Problem::with_detail(Kind::Forbidden, why.code())),
        Rejected::AlreadySo => None,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, slug, title, title_en) = self.kind.row();
        let reason =
            Reason(self.detail.as_deref().map_or_else(|| slug.to_owned(), |detail| format!("{slug}: {detail}")));
        let mut body = json!({
            "type": format!("urn:hazard-gateway:problem:{slug}"),
            "title": title, "title_en": title_en, "status": status.as_u16(),
        });
        if let Some(detail) = self.detail {
            body["detail"] = detail.into();
        }
        if !self.fields.is_empty() {
            body["fields"] = self.fields.into();
        }
        if !self.errors.is_empty() {
            body["errors"] = self.errors.into();
        }
        if !self.defects.is_empty() {
            body["defects"] = self.defects.into();
        }
        let mut response = (status, Json(body)).into_response();
        response.extensions_mut().insert(reason);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn already_so_is_no_problem_and_the_others_have_the_statuses_of_the_interface() {
        assert_eq!(of_rejected(&Rejected::AlreadySo), None);
        let status = |r: Rejected| of_rejected(&r).unwrap().into_response().status().as_u16();
        assert_eq!(status(Rejected::NotFound("x".into())), 404);
        assert_eq!(status(Rejected::Changed("x".into())), 409);
        assert_eq!(status(Rejected::Incomplete(vec!["reason".into()])), 422);
    }
}
