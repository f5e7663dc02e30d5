//! A person at a running station, from the command line: signs in as a browser would, asks, signs out.
//!
//! Owns the way there, the session and what a refusal looks like on a terminal. Leaves what is asked to `reload` and `operate`, who may
//! to the station.

use super::asked::{Trouble, root, way_to};
use super::same_station::{Expected, is_here};
use super::{Exit, given, screen, secret};
use crate::config;
use crate::text::refusal_words;
use crate::web::Role;
use crate::web::local::LocalToken;
use crate::web::routes::who_may;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use rules::RuleBook;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Who asks which station.
#[derive(Debug, clap::Args)]
pub(super) struct PersonArgs {
    /// 正在运行的站点的配置文件 · the file that the running station was started with.
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// 用户名 · user name.
    #[arg(long, value_name = "NAME")]
    pub(super) by: String,
    /// 口令文件，权限 0600；不给则在终端询问或从标准输入读一行 · file with the password, mode 0600; without it the terminal asks, or one line of standard input is read.
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// 页面地址，与文件中的不同时 · address of the page, where it is not the file's.
    #[arg(long)]
    pub(super) url: Option<String>,
}

/// A signed-in person.
pub(super) struct Person {
    client: Client,
    url: String,
    cookie: String,
    csrf: String,
    /// Of the station's own files, where they may be read: then nobody else's tries keep this one waiting.
    token: Option<String>,
    expected: Expected,
    config: PathBuf,
}

impl Person {
    /// Signs in at a site. The password is asked for when it is known where.
    pub(super) async fn sign_in(args: &PersonArgs) -> Result<Self, Exit> {
        let mut person = Self::at(args)?;
        // before it gets to know the password, where it says by the token or to everybody who it is
        person.must_be_the_one().await.map_err(Trouble::said)?;
        let password = secret::known(args.password_file.as_deref())?;
        person.begin(&args.by, &password).await.map_err(Trouble::said)?;
        if let Err(another) = person.must_be_the_one().await {
            person.sign_out().await;
            return Err(another.said());
        }
        Ok(person)
    }

    /// Another program may have the port of the file. What does not say who it is passes: the sign-in will tell.
    async fn must_be_the_one(&self) -> Result<(), Trouble> {
        let asked = self.request(Method::GET, "/api/v1/status");
        let asked = match &self.token {
            Some(token) if self.cookie.is_empty() => asked.bearer_auth(token),
            _ => asked,
        };
        let answer = asked.send().await.map_err(|error| self.unreachable(&error))?;
        let status = if answer.status().is_success() { answer.json().await.unwrap_or_default() } else { Value::Null };
        self.expected.key(&status, &self.url)
    }

    fn at(args: &PersonArgs) -> Result<Self, Exit> {
        let folder = given::site_folder(
            &args.config,
            "镇办没有报警规则：用 systemctl reload 重新加载，在页面上操作 · an office has no rules: use systemctl reload, and its page",
        )?;
        let (client, url) = way_to(folder.listen, args.url.as_deref())?;
        let token = LocalToken::found_in(&folder.dir).ok().filter(|_| is_here(&url));
        Ok(Self {
            client,
            url,
            cookie: String::new(),
            csrf: String::new(),
            token,
            expected: Expected::of(&folder),
            config: args.config.clone(),
        })
    }

    async fn begin(&mut self, user: &str, password: &str) -> Result<(), Trouble> {
        let asked = self.request(Method::POST, "/api/v1/session").json(&json!({ "user": user, "password": password }));
        let asked = match &self.token {
            Some(token) => asked.bearer_auth(token),
            None => asked,
        };
        let answer = asked.send().await.map_err(|error| self.unreachable(&error))?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|line| line.to_str().ok()?.split(';').next());
        self.cookie = cookie.unwrap_or_default().to_owned();
        if !answer.status().is_success() {
            return Err(refused(answer).await);
        }
        let session: Value = answer.json().await.map_err(|error| self.unreachable(&error))?;
        session["csrf"].as_str().unwrap_or_default().clone_into(&mut self.csrf);
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url)).header(header::ORIGIN, &self.url);
        request.header(header::COOKIE, &self.cookie).header("x-csrf-token", &self.csrf)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        let answer = self.request(Method::GET, path).send().await.map_err(|error| self.unreachable(&error))?;
        answered(answer).await
    }

    /// Asks once more under the same key where no answer came: what was done already is not done twice.
    pub(super) async fn post(&self, path: &str, body: &Value, key: &str, limit: Duration) -> Result<Value, Trouble> {
        let ask = || self.request(Method::POST, path).timeout(limit).header("idempotency-key", key).json(body).send();
        let answer = match ask().await {
            Err(error) if error.is_timeout() || error.is_connect() => ask().await,
            first => first,
        };
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        answered(answer).await.map_err(|trouble| with_roles(path, trouble))
    }

    /// The rules of the file, where it has no defects: what there is to act on.
    pub(super) fn book(&self) -> Option<RuleBook> {
        config::check_site(&self.config).value.map(|site| site.book)
    }

    /// Not asked for again: after a switch of the wiring the page may be gone already, and the session ends by itself.
    pub(super) async fn sign_out(self) {
        let _ = self.request(Method::DELETE, "/api/v1/session").send().await;
    }

    fn unreachable(&self, error: &reqwest::Error) -> Trouble {
        let url = &self.url;
        let why = root(error);
        Trouble::io(format!("{url}: 连接不上，网关在运行吗？ · no connection, is the gateway running? ({why})"))
    }
}

/// Where the role alone is in the way: which ones may.
pub(super) fn with_roles(path: &str, mut trouble: Trouble) -> Trouble {
    let roles = who_may("POST", path);
    if trouble.text.ends_with("(403)") && !roles.is_empty() {
        let zh = roles.iter().map(|role| format!("{} {}", role.name_zh(), role.word())).collect::<Vec<_>>().join("、");
        let en = roles.into_iter().map(Role::word).collect::<Vec<_>>().join(", ");
        trouble.text.push_str(&format!("\n可以的角色：{zh} · roles that may: {en}"));
    }
    trouble
}

/// A field by the name of its option, a time in the option's minutes.
fn wrong_field(error: &Value) -> String {
    let of = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    let (field, sent) = (of("field"), &error["sent"]);
    if let (true, Some(max)) = (field == "duration_s", error["max"].as_u64()) {
        let (sent, max) = (sent.as_u64().unwrap_or_default() / 60, max / 60);
        return format!("--minutes：收到 {sent}，应为 1 至 {max} · got {sent}, allowed is 1 to {max}");
    }
    let got = if sent.is_null() { "–".to_owned() } else { sent.to_string() };
    let (option, zh, en) = (field.replace('_', "-"), of("allowed"), of("allowed_en"));
    format!("--{option}（{field}）：收到 {got}，应为{zh} · got {got}, allowed is {en}")
}

async fn answered(answer: Response) -> Result<Value, Trouble> {
    if !answer.status().is_success() {
        return Err(refused(answer).await);
    }
    Ok(answer.json().await.unwrap_or_default())
}

/// The station's own words, defects one a line.
async fn refused(answer: Response) -> Trouble {
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    Trouble { text: words_of(status, &problem), exit: exit_of(status) }
}

/// What was asked wrongly is bad usage: a name that nothing has, a value that is not acceptable, a file with defects.
fn exit_of(status: StatusCode) -> Exit {
    match status.as_u16() {
        401 | 403 | 409 | 429 => Exit::Refused,
        _ if status.is_client_error() => Exit::Usage,
        _ => Exit::Io,
    }
}

fn words_of(status: StatusCode, problem: &Value) -> String {
    let word = |key: &str| problem[key].as_str().unwrap_or_default();
    let (title, detail, code) = (format!("{} · {}", word("title"), word("title_en")), word("detail"), status.as_u16());
    let mut text = match (problem["errors"].as_array(), refusal_words(detail)) {
        (Some(errors), _) => {
            let lines: Vec<String> = errors.iter().map(|error| format!("\n  {}", wrong_field(error))).collect();
            format!("{title} ({code}){}", lines.concat())
        }
        (None, Some((zh, en))) => format!("{zh} · {en} ({code} {detail})"),
        (None, None) => {
            let fields = screen::rows(&problem["fields"]).filter_map(Value::as_str);
            let named: Vec<&str> = Some(detail).filter(|d| !d.is_empty()).into_iter().chain(fields).collect();
            let colon = if named.is_empty() { "" } else { ": " };
            format!("{title}{colon}{} ({code})", named.join(" "))
        }
    };
    for d in screen::rows(&problem["defects"]) {
        let of = |key: &str| d[key].as_str().unwrap_or_default();
        text.push_str(&format!("\n{}:{}: {} · {}", of("file"), d["line"], of("message_zh"), of("message_en")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_in_both_languages_with_its_code_at_the_end() {
        let problem = |detail: &str| json!({ "title": "该角色无此权限", "title_en": "not allowed for this role", "detail": detail });
        assert_eq!(
            words_of(StatusCode::FORBIDDEN, &problem("priority_one")),
            "紧急报警（1 级）不允许搁置 · an alarm of priority 1 is never shelved (403 priority_one)"
        );
        assert_eq!(words_of(StatusCode::FORBIDDEN, &problem("")), "该角色无此权限 · not allowed for this role (403)");
        assert_eq!(
            words_of(StatusCode::CONFLICT, &json!({ "title": "变", "title_en": "changed", "detail": "GT-101" })),
            "变 · changed: GT-101 (409)"
        );
    }

    #[test]
    fn what_the_gateway_refuses_ends_otherwise_than_what_was_asked_wrongly() {
        for (status, exit) in [(403, 5), (409, 5), (401, 5), (429, 5), (404, 2), (422, 2), (400, 2), (500, 4), (503, 4)]
        {
            assert_eq!(exit_of(StatusCode::from_u16(status).unwrap()).code(), exit, "{status}");
        }
        let said = words_of(StatusCode::CONFLICT, &json!({ "detail": "no_configuration_file" }));
        assert!(said.starts_with("演示站点不从配置文件运行") && said.contains("a demo does not run from a"), "{said}");
    }

    #[test]
    fn a_refusal_by_role_names_the_roles_that_may() {
        let refused = |text: &str| Trouble { text: text.into(), exit: Exit::Refused };
        let said = with_roles("/api/v1/alarms/GT-101:H/ack", refused("该角色无此权限 (403)")).text;
        assert!(said.ends_with("可以的角色：值班员 operator、班长 shift · roles that may: operator, shift"), "{said}");
        let own_reason = "紧急报警（1 级）不允许搁置 (403 priority_one)";
        assert_eq!(with_roles("/api/v1/alarms/GT-101:H/shelve", refused(own_reason)).text, own_reason);
    }

    #[test]
    fn a_wrong_field_is_named_as_it_was_typed() {
        let time = json!({ "field": "duration_s", "sent": 90_000, "allowed": "x", "allowed_en": "y", "max": 28_800 });
        assert_eq!(wrong_field(&time), "--minutes：收到 1500，应为 1 至 480 · got 1500, allowed is 1 to 480");
        let order = json!({ "field": "work_order", "sent": "", "allowed": " 1 至 2000 个字", "allowed_en": "1 to 2000 characters", "max": null });
        assert_eq!(
            wrong_field(&order),
            "--work-order（work_order）：收到 \"\"，应为 1 至 2000 个字 · got \"\", allowed is 1 to 2000 characters"
        );
    }
}
