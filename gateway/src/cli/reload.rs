//! `reload`: a person asks a running station to take the configuration on the disk, so that the journal has a name and a reason.
//!
//! Owns the words on the command line. Asks as the page does: signs in with name and password, asks, signs out. Leaves who may and
//! what is wrong with the file to the station.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::client::{ANSWER_LIMIT, Trouble, way_to};
use super::link::block_on;
use super::{Exit, check, secret};
use crate::config::{self, Station};
use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// The station checks the whole file before it answers.
const CHECK_LIMIT: Duration = Duration::from_secs(30);

/// Arguments of `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct ReloadArgs {
    /// 正在运行的站点的配置文件 · the file that the running station was started with.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 用户名：仪表工或管理员 · user name, with the role engineer or admin.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// 原因，记入运行日志 · why; goes into the journal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// File with the password, mode 0600; without it the terminal asks, or one line of standard input is read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// 页面地址，新文件改了监听地址时用 · address of the page, where the file now has another one.
    #[arg(long)]
    url: Option<String>,
}

/// 0 in force or about to be, 2 defects or not allowed, 4 no answer.
pub(super) fn main(args: &ReloadArgs) -> Exit {
    try_main(args).unwrap_or_else(|exit| exit)
}

fn try_main(args: &ReloadArgs) -> Result<Exit, Exit> {
    let folder = config::data_folder(&args.config).map_err(|(diagnostics, files)| {
        check::report(&diagnostics, &files);
        Exit::Usage
    })?;
    if folder.station == Station::Office {
        eprintln!("镇办没有报警规则，用 systemctl reload 重新加载 · an office has no rules: use systemctl reload");
        return Err(Exit::Usage);
    }
    let (at, from) = way_to(folder.listen);
    let url = args.url.clone().unwrap_or_else(|| format!("http://{at}"));
    let client = reqwest::Client::builder().timeout(ANSWER_LIMIT).no_proxy();
    let client = if args.url.is_none() { client.local_address(from) } else { client };
    let client = client.build().map_err(|error| Trouble::io(error.to_string()).said())?;
    let page = Page { client, url: url.trim_end_matches('/').to_owned() };
    let password = secret::read(args.password_file.as_deref())?;
    Ok(block_on(async { page.reload(args, &password).await.map_err(Trouble::said) }))
}

/// The station's page, asked as a browser would ask.
struct Page {
    client: reqwest::Client,
    url: String,
}

/// What a signed-in browser sends along.
struct SignedIn {
    cookie: String,
    csrf: String,
}

impl Page {
    async fn reload(&self, args: &ReloadArgs, password: &str) -> Result<Exit, Trouble> {
        let signed_in = self.sign_in(&args.by, password).await?;
        let asked = self.as_person(self.client.post(format!("{}/api/v1/config/reload", self.url)), &signed_in);
        let asked = asked.timeout(CHECK_LIMIT).json(&json!({ "reason": args.reason })).send().await;
        let done = match asked {
            Ok(answer) => said(answer).await,
            Err(error) => Err(self.unreachable(&error)),
        };
        // Not asked for again: after a switch of the wiring the page may be gone already, and the session ends by itself.
        let _ = self.as_person(self.client.delete(format!("{}/api/v1/session", self.url)), &signed_in).send().await;
        done
    }

    async fn sign_in(&self, user: &str, password: &str) -> Result<SignedIn, Trouble> {
        let asked = self.client.post(format!("{}/api/v1/session", self.url)).header(header::ORIGIN, &self.url);
        let asked = asked.json(&json!({ "user": user, "password": password })).send().await;
        let answer = asked.map_err(|error| self.unreachable(&error))?;
        let cookie = answer.headers().get(header::SET_COOKIE).and_then(|line| line.to_str().ok()?.split(';').next());
        let cookie = cookie.unwrap_or_default().to_owned();
        if !answer.status().is_success() {
            return Err(refused(answer).await);
        }
        let session: Value = answer.json().await.map_err(|error| self.unreachable(&error))?;
        Ok(SignedIn { cookie, csrf: session["csrf"].as_str().unwrap_or_default().to_owned() })
    }

    fn as_person(&self, request: RequestBuilder, who: &SignedIn) -> RequestBuilder {
        request.header(header::ORIGIN, &self.url).header(header::COOKIE, &who.cookie).header("x-csrf-token", &who.csrf)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Trouble {
        let url = &self.url;
        Trouble::io(format!("{url}: 连接不上，网关在运行吗？ · no connection, is the gateway running? ({error})"))
    }
}

async fn said(answer: Response) -> Result<Exit, Trouble> {
    if !answer.status().is_success() {
        return Err(refused(answer).await);
    }
    let done: Value = answer.json().await.unwrap_or_default();
    if done["restart"] == true {
        println!(
            "配置无误；接线不同，网关现在停止并以新配置启动，数秒无读数 · good; the wiring is another: the gateway stops and starts with it \
             now, seconds without readings"
        );
    } else {
        println!("新规则已生效，没有停机 · the rules are in force, without a stop");
    }
    Ok(Exit::Ok)
}

/// The station's own words, defects one a line.
async fn refused(answer: Response) -> Trouble {
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap_or_default();
    let word = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let mut text =
        format!("{} · {} ({status}) {}", word("title"), word("title_en"), word("detail")).trim_end().to_owned();
    for field in problem["fields"].as_array().into_iter().flatten() {
        text.push_str(&format!(" {}", field.as_str().unwrap_or_default()));
    }
    for d in problem["defects"].as_array().into_iter().flatten() {
        let of = |key: &str| d[key].as_str().unwrap_or_default();
        text.push_str(&format!("\n{}:{}: {} · {}", of("file"), d["line"], of("message_zh"), of("message_en")));
    }
    Trouble { text, exit: if status.is_client_error() { Exit::Usage } else { Exit::Io } }
}
