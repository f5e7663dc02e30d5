//! The guard before every route: who is it, did our own page ask, may they.
//!
//! Owns cookies, the forgery check and the [`Session`] extractor. Who is signed in is [`super::accounts`]' business, who may do
//! what is [`super::routes`]'.

use super::accounts::{Accounts, Session, role_text};
use super::problem::{Kind, Problem};
use super::refusals::{self, Asked};
use super::routes::{self, Access, Action};
use super::server::Peer;
use super::shell::{Journal, Shell};
use super::throttle::Door;
use super::token;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::{HeaderMap, Method, Uri, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// Runs around every matched route; a change that is refused to somebody who is signed in is written down.
pub(super) async fn guard(State(shell): State<Arc<Shell>>, request: Request, next: Next) -> Response {
    let session = session_of(&shell, &request);
    let asked = session.as_ref().and_then(|session| {
        let asked = Asked::of(request.method(), request.uri().path(), &role_text(&session.roles))?;
        Some((session.user.clone(), asked))
    });
    let person = person_of(&request, shell.behind_tls);
    let answer = admitted(&shell, request, session, next).await.into_response();
    let refused = asked.and_then(|(user, asked)| {
        let now = shell.clock.now().mono;
        let detail = shell.accounts.refusals.sentence(&user, now, &asked, &refusals::reason(&answer)?)?;
        Some((user, detail))
    });
    if let Some((user, detail)) = refused {
        shell.journal.note(&user, "refused", format!("{detail}, from {person}")).await;
    }
    answer
}

/// A route without a row in the table is refused.
async fn admitted(
    shell: &Shell,
    mut request: Request,
    session: Option<Session>,
    next: Next,
) -> Result<Response, Problem> {
    let access = routes::find(request.method().as_str(), request.uri().path()).map(|row| row.access);
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    match access {
        Some(Access::Open) => {}
        Some(Access::OwnPage) => own_page(request.headers())?,
        Some(Access::LoopbackOrSession) if session.is_some() || is_local(&request) => {}
        Some(Access::LoopbackOrSession) => return Err(Problem::new(Kind::NotSignedIn)),
        Some(Access::Needs(action)) => {
            let session = session.as_ref().ok_or(Problem::new(Kind::NotSignedIn))?;
            if changes {
                own_page(request.headers())?;
                right_csrf(request.headers(), session)?;
            }
            may(session, action)?;
        }
        None if method_is_known_for(request.uri()) => {
            return Err(Problem::new(Kind::MethodNotAllowed));
        }
        None => return Err(Problem::new(Kind::Forbidden)),
    }
    let person = person_of(&request, shell.behind_tls);
    if let Some(session) = session {
        request.extensions_mut().insert(Session { terminal: person.to_string(), ..session });
    }
    let door = door_of(shell, &request, person);
    request.extensions_mut().insert(Person(person, door));
    Ok(next.run(request).await)
}

fn method_is_known_for(uri: &Uri) -> bool {
    ["GET", "POST", "DELETE"].iter().any(|method| routes::find(method, uri.path()).is_some())
}

fn may(session: &Session, action: Action) -> Result<(), Problem> {
    if session.role_for(action).is_some() { Ok(()) } else { Err(Problem::new(Kind::Forbidden)) }
}

/// The other end's address; a request that came without one (in tests) counts as foreign.
pub(super) fn source(parts: &axum::http::Extensions) -> IpAddr {
    parts.get::<ConnectInfo<Peer>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.0.ip().to_canonical())
}

/// Where the person sits who asks, behind whatever proxy, and whose tries to sign in theirs are counted with.
#[derive(Clone, Copy)]
pub(super) struct Person(pub(super) IpAddr, pub(super) Door);

/// A proxy names whom it serves, or all of them come from this machine: the token tells the command line from both.
fn door_of(shell: &Shell, request: &Request, person: IpAddr) -> Door {
    let here = source(request.extensions()).is_loopback() && !is_forwarded(request.headers());
    let known = here && shell.accounts.local_session(request.headers()).is_some();
    if known { Door::LocalToken } else { Door::Address(person) }
}

/// A proxy of our own on this machine appends whom it serves: its last word counts, what stands before it came from outside.
fn person_of(request: &Request, behind_tls: bool) -> IpAddr {
    let peer = source(request.extensions());
    if !behind_tls || !peer.is_loopback() {
        return peer;
    }
    let mut lines = request.headers().get_all("x-forwarded-for").iter();
    let last = lines.next_back().and_then(|line| line.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    last.map_or(peer, |ip| ip.to_canonical())
}

/// On this machine, not through a proxy, and under a local name (a foreign name on 127.0.0.1 is DNS rebinding).
fn is_local(request: &Request) -> bool {
    let headers = request.headers();
    source(request.extensions()).is_loopback() && !is_forwarded(headers) && host_of(headers).is_some_and(is_local_name)
}

/// A look from this machine and not through a proxy. The name it was asked under does not matter: a page under a foreign name
/// (DNS rebinding) cannot read the token.
fn may_be_local_operator(request: &Request) -> bool {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    looks && source(request.extensions()).is_loopback() && !is_forwarded(request.headers())
}

fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("forwarded") || headers.contains_key("x-forwarded-for")
}

fn is_local_name(authority: &str) -> bool {
    let host = authority.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn host_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

fn session_of(shell: &Shell, request: &Request) -> Option<Session> {
    let raw = cookie(request.headers(), shell.cookie_name());
    // an open page that only looks does so by its stream; every other request is activity
    let touch = !request.uri().path().ends_with("/stream");
    raw.and_then(|raw| shell.accounts.session_of(&raw, touch))
        .or_else(|| may_be_local_operator(request).then(|| shell.accounts.local_session(request.headers())).flatten())
        .or_else(|| is_local(request).then(|| shell.accounts.demo_session()).flatten())
}

/// The value of a cookie of ours.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && value.len() == 64).then(|| value.to_owned()))
}

/// `Sec-Fetch-Site: same-origin`, or an `Origin` that is this very host. One of them must be there.
fn own_page(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site").map(|site| site == "same-origin");
    let origin = text("origin").map(|origin| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some() && authority == host_of(headers)
    });
    let good = match (site, origin) {
        (None, None) => false,
        (site, origin) => site.unwrap_or(true) && origin.unwrap_or(true),
    };
    if good { Ok(()) } else { Err(Problem::new(Kind::CrossSite)) }
}

fn right_csrf(headers: &HeaderMap, session: &Session) -> Result<(), Problem> {
    let given = headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if token::same(given, &session.csrf) { Ok(()) } else { Err(Problem::with_detail(Kind::CrossSite, "X-CSRF-Token")) }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or(Problem::new(Kind::NotSignedIn))
    }
}

impl Session {
    /// The name under which this action is recorded; 403 without the right.
    /// # Errors
    /// [`Kind::Forbidden`].
    pub fn acting(&self, action: Action) -> Result<rules::Actor, Problem> {
        self.actor(action).ok_or(Problem::new(Kind::Forbidden))
    }
}

/// A disabled person's page ends within two seconds: half of that is the stream's own heartbeat.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
/// Of [`FOLLOW_EVERY`]: how often activity is written down, and how long a broken database is left alone.
const SLOW_TURNS: u32 = 30;
/// A commit is stamped before it can be read, for as long as the disk takes to sync it: one more look after so many turns; a disk that takes
/// longer is an alarm of its own.
const VISIBLE_AFTER_TURNS: i32 = 5;

/// Ends sessions' remains, and takes up what the command line changed; runs until the server stops. A database that nobody has written to
/// is not asked: the question would wake the journal's writer every second for nothing.
pub(super) async fn keep_accounts(accounts: &Accounts, journal: &Journal) {
    let mut every = tokio::time::interval(FOLLOW_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut follow_at, mut seen, mut once_more_in) = (0, None, -1);
    for turn in (0..SLOW_TURNS).cycle() {
        every.tick().await;
        if turn == 0 {
            follow_at = 0;
            accounts.write_behind().await;
        }
        let mark = accounts.db.mark();
        let unchanged = mark.is_some() && mark == seen;
        once_more_in = if unchanged { once_more_in - i32::from(once_more_in >= 0) } else { VISIBLE_AFTER_TURNS };
        if turn < follow_at || (unchanged && once_more_in != 0 && turn != 0) {
            continue;
        }
        seen = mark;
        if !follow(accounts, journal).await {
            (follow_at, seen) = (SLOW_TURNS, None);
        }
    }
}

/// Notes go to the journal first and are then removed: after a crash in between one stands there twice rather than never.
async fn follow(accounts: &Accounts, journal: &Journal) -> bool {
    let Ok(notes) = accounts.follow().await else { return false };
    for note in notes {
        if journal.note(crate::text::COMMAND_LINE, &note.action, note.detail).await {
            accounts.noted(note.id).await;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_our_own_origin_is_our_own_page() {
        let own = |pairs: &[(&'static str, &'static str)]| own_page(&headers(pairs)).is_ok();
        assert!(own(&[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]));
        assert!(own(&[("host", "a"), ("sec-fetch-site", "same-origin")]));
        assert!(!own(&[("host", "a")]));
        assert!(!own(&[("host", "a"), ("sec-fetch-site", "same-site")]));
        assert!(!own(&[("host", "a"), ("sec-fetch-site", "same-origin"), ("origin", "http://evil")]));
        assert!(!own(&[("host", "a"), ("origin", "null")]));
    }

    #[test]
    fn whom_a_proxy_serves_is_believed_only_of_our_own_proxy() {
        let asked = |peer: &str, behind_tls: bool, forwarded: &[&str]| {
            let mut request = Request::builder().uri("/");
            for line in forwarded {
                request = request.header("x-forwarded-for", *line);
            }
            let mut request = request.body(axum::body::Body::empty()).unwrap();
            request.extensions_mut().insert(ConnectInfo(Peer(format!("{peer}:9").parse().unwrap())));
            person_of(&request, behind_tls).to_string()
        };
        assert_eq!(
            asked("127.0.0.1", true, &["203.0.113.9, 192.0.2.7"]),
            "192.0.2.7",
            "the proxy's own word is the last"
        );
        assert_eq!(asked("127.0.0.1", true, &["203.0.113.9", "192.0.2.7"]), "192.0.2.7");
        assert_eq!(asked("127.0.0.1", true, &["nonsense"]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", true, &[]), "127.0.0.1");
        assert_eq!(asked("127.0.0.1", false, &["192.0.2.7"]), "127.0.0.1", "without behind_tls nobody is believed");
        assert_eq!(asked("198.51.100.1", true, &["192.0.2.7"]), "198.51.100.1", "a stranger is not a proxy");
    }

    #[test]
    fn a_foreign_name_on_the_loopback_address_is_not_local() {
        assert!(is_local_name("localhost:8080") && is_local_name("127.0.0.1:8080") && is_local_name("[::1]:8080"));
        assert!(!is_local_name("evil.example:8080") && !is_local_name(""));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let value = "a".repeat(64);
        let mut map = HeaderMap::new();
        map.insert("cookie", HeaderValue::from_str(&format!("x=1; hazard_session={value}")).unwrap());
        assert_eq!(cookie(&map, "hazard_session"), Some(value));
        assert_eq!(cookie(&map, "x"), None);
    }
}
