//! `/api/v1/session`, `/api/v1/setup`, `/api/v1/password`, `/api/v1/users`: signing in and the users themselves.

use super::accounts::{NewSession, Refused, Session, roles_of};
use super::auth::Person;
use super::body::Body;
use super::fields::Wrong;
use super::password;
use super::people::{DISPLAY_NAME_MAX, UserChange};
use super::problem::{Kind, Problem};
use super::routes::Role;
use super::shell::Shell;
use super::throttle::{TRIES_PER_WINDOW, Wait};
use crate::moment::utc_text;
use crate::store::users::UserRow;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/v1/openapi.json", get(super::openapi::serve))
        .route("/api/v1/session", get(show).post(sign_in).delete(sign_out))
        .route("/api/v1/setup", post(set_up))
        .route("/api/v1/password", post(change_own))
        .route("/api/v1/users", get(users).post(add_user))
        .route("/api/v1/users/{name}", post(change_user))
        .with_state(shell)
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Setup {
    code: String,
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct OwnPassword {
    old: String,
    new: String,
}

#[derive(Deserialize)]
struct NewUser {
    user: String,
    #[serde(default)]
    display_name: String,
    roles: Vec<String>,
    password: String,
}

#[derive(Deserialize)]
struct Change {
    roles: Option<Vec<String>>,
    password: Option<String>,
    disabled: Option<bool>,
}

fn answer(shell: &Shell, session: Option<&Session>) -> Value {
    let roles = session.map(|session| session.roles.clone()).unwrap_or_default();
    let utc_ms = shell.clock.now().wall.utc_ms;
    json!({
        "kind": shell.kind,
        "user": session.map(|session| &session.user),
        "display_name": session.map(|session| &session.display_name),
        "role": roles.first(),
        "roles": roles,
        "csrf": session.map(|session| &session.csrf),
        "demo": session.is_some_and(|session| session.demo),
        "setup_needed": shell.accounts.setup_needed(),
        "utc_ms": utc_ms,
        "time": utc_text(utc_ms),
    })
}

async fn show(State(shell): State<Arc<Shell>>, session: Option<Extension<Session>>) -> Json<Value> {
    Json(answer(&shell, session.as_deref()))
}

fn problem_of(refused: Refused) -> Problem {
    match refused {
        Refused::Wrong => Problem::new(Kind::WrongCredentials),
        Refused::Wait(wait) => wait_for(wait),
        Refused::Weak(_) => Problem::unacceptable(&[Wrong::new("password", None, allowed("password"))]),
        Refused::Fields(fields) => unacceptable(&fields, &Value::Null),
        Refused::Taken => Problem::with_detail(Kind::Changed, "user exists"),
        Refused::Unknown => Problem::new(Kind::NotFound),
        Refused::Busy => Problem::retry(Kind::Busy, 5),
    }
}

/// For how long, and why.
fn wait_for(wait: Wait) -> Problem {
    let (seconds, detail) = match wait {
        Wait::Address(s) => (
            s,
            format!(
                "此地址登录过于频繁（每分钟最多 {TRIES_PER_WINDOW} 次），请 {s} 秒后再试 · too many sign-ins from this address (at most \
                 {TRIES_PER_WINDOW} a minute), try again in {s} s"
            ),
        ),
        Wait::Account(s) => (
            s,
            format!(
                "该用户口令错误次数过多，请 {s} 秒后再试 · too many wrong passwords for this user, try again in {s} s"
            ),
        ),
    };
    Problem { detail: Some(detail), ..Problem::retry(Kind::TooMany, seconds) }
}

/// Of a person's form.
fn allowed(field: &str) -> (String, String) {
    let (shortest, longest) = (password::LENGTH.start(), password::LENGTH.end());
    let roles = |comma: &str| Role::ALL.map(Role::word).join(comma);
    match field {
        "password" => (
            format!(" {shortest} 至 {longest} 个字，不能只是常见词、单个字或顺序数"),
            format!("{shortest} to {longest} characters, not only a common word, one character or a count"),
        ),
        "roles" => (roles("、"), roles(", ")),
        "display_name" => (
            format!("至多 {DISPLAY_NAME_MAX} 个字，无控制字符"),
            format!("at most {DISPLAY_NAME_MAX} characters, no control character"),
        ),
        _ => (" 2 至 32 个字母（含汉字）、数字或 - _ .".into(), "2 to 32 letters, digits or - _ .".into()),
    }
}

fn unacceptable(fields: &[String], sent: &Value) -> Problem {
    let wrong: Vec<Wrong> = fields.iter().map(|field| Wrong::new(field, sent.get(field), allowed(field))).collect();
    Problem::unacceptable(&wrong)
}

fn signed_in(shell: &Shell, new: &NewSession) -> Response {
    let cookie = shell.set_cookie(&new.token);
    ([(header::SET_COOKIE, cookie)], Json(answer(shell, Some(&new.session)))).into_response()
}

async fn sign_in(
    State(shell): State<Arc<Shell>>,
    Extension(Person(source, door)): Extension<Person>,
    Body(given): Body<Credentials>,
) -> Result<Response, Problem> {
    match shell.accounts.sign_in(&given.user, given.password, door).await {
        Ok(new) => {
            shell.journal.note(&new.session.user, "sign_in", format!("from {source}")).await;
            Ok(signed_in(&shell, &new))
        }
        Err(refused) => {
            if refused == Refused::Wrong {
                shell.journal.note(&given.user, "sign_in_failed", format!("from {source}")).await;
            }
            Err(problem_of(refused))
        }
    }
}

async fn sign_out(State(shell): State<Arc<Shell>>, session: Session) -> Response {
    shell.accounts.sign_out(&session).await;
    shell.journal.note(&session.user, "sign_out", String::new()).await;
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, shell.set_cookie(""))]).into_response()
}

async fn set_up(
    State(shell): State<Arc<Shell>>,
    Extension(Person(source, door)): Extension<Person>,
    Body(given): Body<Setup>,
) -> Result<Response, Problem> {
    let made = shell.accounts.set_up(&given.code, &given.user, given.password, door).await;
    let new = made.map_err(problem_of)?;
    shell.journal.note(&new.session.user, "setup", format!("first administrator, from {source}")).await;
    Ok(signed_in(&shell, &new))
}

async fn change_own(
    State(shell): State<Arc<Shell>>,
    session: Session,
    Extension(Person(_, door)): Extension<Person>,
    Body(given): Body<OwnPassword>,
) -> Result<StatusCode, Problem> {
    shell.accounts.change_own(&session.user, given.old, given.new, door).await.map_err(problem_of)?;
    shell.journal.note(&session.user, "password_changed", String::new()).await;
    Ok(StatusCode::NO_CONTENT)
}

fn user_view(row: &UserRow) -> Value {
    json!({ "user": row.name, "roles": roles_of(&row.role), "disabled": row.disabled, "display_name": row.display_name })
}

async fn users(State(shell): State<Arc<Shell>>) -> Result<Json<Vec<Value>>, Problem> {
    let rows = shell.accounts.users().await.map_err(|why| problem_of(why.into()))?;
    Ok(Json(rows.iter().map(user_view).collect()))
}

fn roles_from(words: &[String]) -> Result<Vec<Role>, Problem> {
    let roles: Option<Vec<Role>> = words.iter().map(|word| Role::of_word(word)).collect();
    roles.filter(|roles| !roles.is_empty()).ok_or_else(|| unacceptable(&["roles".into()], &json!({ "roles": words })))
}

async fn add_user(
    State(shell): State<Arc<Shell>>,
    session: Session,
    Body(given): Body<NewUser>,
) -> Result<StatusCode, Problem> {
    let roles = roles_from(&given.roles)?;
    let added = shell.accounts.add_person(&given.user, &given.display_name, &roles, given.password).await;
    added.map_err(|refused| match refused {
        Refused::Fields(fields) => {
            unacceptable(&fields, &json!({ "user": given.user, "display_name": given.display_name }))
        }
        other => problem_of(other),
    })?;
    shell.journal.note(&session.user, "user_added", format!("{} {}", given.user, given.roles.join("+"))).await;
    Ok(StatusCode::CREATED)
}

async fn change_user(
    State(shell): State<Arc<Shell>>,
    session: Session,
    Path(name): Path<String>,
    Body(given): Body<Change>,
) -> Result<StatusCode, Problem> {
    if name == session.user && (given.disabled == Some(true) || given.roles.is_some()) {
        return Err(Problem::with_detail(Kind::Changed, "an administrator cannot shut out themselves"));
    }
    let roles = given.roles.as_deref().map(roles_from).transpose()?;
    let with_roles = given.roles.map(|words| format!("{name} {}", words.join("+")));
    let done = [
        with_roles.map(|what| ("user_changed", what)),
        given.password.is_some().then(|| ("password_set", name.clone())),
        given.disabled.map(|off| (if off { "user_disabled" } else { "user_enabled" }, name.clone())),
    ];
    let change = UserChange { roles, password: given.password, disabled: given.disabled };
    shell.accounts.change_user(&name, change).await.map_err(problem_of)?;
    for (action, what) in done.into_iter().flatten() {
        shell.journal.note(&session.user, action, what).await;
    }
    Ok(StatusCode::NO_CONTENT)
}
