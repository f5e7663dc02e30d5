//! What both stations' pages have in common: sign-in routes, the guard, security headers on every answer, files of the page,
//! limits on size and time, errors as problems.

use super::accounts::Accounts;
use super::problem::{CONTENT_TYPE, Kind, Problem};
use super::{assets, auth, sign_in};
use crate::config::WebSettings;
use crate::core::CoreHandle;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rules::{Clock, EventKind};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;

/// Largest body that is read.
const BODY_MAX: usize = 1024 * 1024;
/// Longest time until an answer begins; a stream may go on afterwards.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for the journal: a stuck core must not keep people from signing in.
const JOURNAL_LIMIT: Duration = Duration::from_secs(2);
/// Letters of a name, and of what was done: what is refused is the longest ([`super::refusals`]), and its count stands at the end.
const NAME_MAX: usize = 200;
pub(super) const DETAIL_MAX: usize = 600;

/// Which page the browser shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageKind {
    Site,
    Office,
}

/// Where sign-ins and user changes are written down.
#[derive(Clone, Debug)]
pub enum Journal {
    Core(CoreHandle),
    /// The log only.
    Log,
}

impl Journal {
    /// A person did something that changed no alarm. False when the core did not take it in time.
    pub async fn note(&self, user: &str, action: &str, detail: String) -> bool {
        // names come from outside: what is not printable would forge lines of a log
        let clean = |text: &str, most| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
        let (user, detail) = (clean(user, NAME_MAX), clean(&detail, DETAIL_MAX));
        tracing::info!(user, action, detail, "operator");
        if let Self::Core(core) = self {
            let kind = EventKind::Operator { user, action: action.to_owned(), detail };
            return matches!(tokio::time::timeout(JOURNAL_LIMIT, core.note(kind)).await, Ok(Some(_)));
        }
        true
    }
}

/// What a station gives its shell.
#[derive(Clone)]
pub struct ShellContext {
    pub kind: PageKind,
    pub accounts: Arc<Accounts>,
    pub settings: WebSettings,
    pub journal: Journal,
    pub clock: Arc<dyn Clock>,
}

/// The shell's own state.
pub(super) struct Shell {
    pub(super) kind: PageKind,
    pub(super) accounts: Arc<Accounts>,
    pub(super) journal: Journal,
    pub(super) clock: Arc<dyn Clock>,
    /// From [`WebSettings::behind_tls`].
    pub(super) behind_tls: bool,
}

impl Shell {
    /// Behind TLS a session travels over TLS only, and the prefix makes the browser hold to it. Over plain HTTP a browser would drop
    /// such a cookie, and nobody could sign in.
    pub(super) fn cookie_name(&self) -> &'static str {
        if self.behind_tls { "__Host-hazard_session" } else { "hazard_session" }
    }

    /// The `Set-Cookie` line of a token; an empty one ends it.
    pub(super) fn set_cookie(&self, token: &str) -> HeaderValue {
        let secure = if self.behind_tls { "; Secure" } else { "" };
        let end = if token.is_empty() { "; Max-Age=0" } else { "" };
        let line = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{end}", self.cookie_name());
        HeaderValue::from_str(&line).expect("names and tokens are ASCII")
    }
}

/// Puts a station's routes into the shell. The routes need a row in [`super::routes::ROUTES`], or they are refused.
pub fn shell(routes: Router, context: ShellContext) -> Router {
    let shell = Arc::new(Shell {
        kind: context.kind,
        accounts: context.accounts,
        journal: context.journal,
        clock: context.clock,
        behind_tls: context.settings.behind_tls,
    });
    routes
        .merge(sign_in::router(shell.clone()))
        .route_layer(middleware::from_fn_with_state(shell, auth::guard))
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { Problem::new(Kind::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(limits))
        .layer(CompressionLayer::new().gzip(true))
        .layer(middleware::from_fn(security_headers))
}

/// Refuses what says it is too large before reading it, and ends what takes too long.
async fn limits(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > BODY_MAX) {
        return Problem::new(Kind::TooLarge).into_response();
    }
    match tokio::time::timeout(ANSWER_LIMIT, next.run(request)).await {
        Ok(response) => as_problem(response),
        Err(_) => Problem::new(Kind::TimedOut).into_response(),
    }
}

/// An error that a library worded becomes one of ours.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if failed && kind.is_none_or(|kind| kind != CONTENT_TYPE) {
        return Problem::of_status(status).into_response();
    }
    response
}

/// No inline script, no foreign host (the site is offline), no framing.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; \
frame-ancestors 'none'";

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), usb=(), serial=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // data of the plant stays out of every cache; the page's files say for themselves
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
