//! `user add|list|disable|enable|password`: the people of a station, from its own machine.
//!
//! Owns the words on the command line. Leaves names, passwords and sessions to [`crate::web::Accounts`], which the running gateway uses
//! on the same database: it takes up a change within a second, and writes it in the journal.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::serve::runtime;
use super::{Exit, given, secret};
use crate::clock::SystemClock;
use crate::config::{DataFolder, Station};
use crate::store::users::UserRow;
use crate::store::{StoreError, office, open_beside};
use crate::web::{Accounts, OwnDb, Refused, Role, UserChange, Weak};
use rules::Clock as _;
use std::path::PathBuf;
use std::sync::Arc;

/// What is done.
#[derive(Debug, clap::Subcommand)]
pub(super) enum UserCommand {
    /// 新增人员 · adds a person
    #[command(
        after_help = "例 example:  hazard-gateway user add zhang --role operator --name 张工 --config site.toml\n\
        角色 roles: viewer 只读 · operator 值班员 · shift 班长 · safety 安全员 · engineer 仪表工 · admin 管理员 · auditor 审计员"
    )]
    Add {
        /// 用户名，2 至 32 个字母、汉字、数字或 -_. · 2–32 letters, digits or `-_.`; Chinese letters too.
        name: String,
        /// 一个或几个角色，如 operator,safety · one role, or several: `operator,safety`.
        #[arg(long, value_parser = roles, value_name = "ROLE")]
        role: Roles,
        /// 显示名 · as people call them.
        #[arg(long = "name", value_name = "显示名", default_value = "")]
        display_name: String,
        #[command(flatten)]
        secret: SecretFrom,
    },
    /// 人员名单 · the people
    #[command(after_help = "例 example:  hazard-gateway user list --config site.toml")]
    List {
        #[command(flatten)]
        place: Place,
        /// 以 JSON 输出 · the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// 停用并立即退出其登录 · shuts a person out and ends their sessions
    #[command(after_help = "例 example:  hazard-gateway user disable zhang --config site.toml")]
    Disable {
        /// 用户名 · user name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// 重新启用 · lets a person in again
    #[command(after_help = "例 example:  hazard-gateway user enable zhang --config site.toml")]
    Enable {
        /// 用户名 · user name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// 设新口令并退出其登录 · a new password; ends their sessions
    #[command(after_help = "例 example:  hazard-gateway user password zhang --config site.toml")]
    Password {
        /// 用户名 · user name.
        name: String,
        #[command(flatten)]
        secret: SecretFrom,
    },
}

/// Whose people.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// 站点或镇办的配置文件 · site or office file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Whose people, and where the password comes from.
#[derive(Debug, clap::Args)]
pub(super) struct SecretFrom {
    #[command(flatten)]
    place: Place,
    /// 口令文件，权限 0600；不给则在终端询问或从标准输入读一行 · file with the password, mode 0600; without it the terminal asks, or one line of standard input is read.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub(super) struct Roles(Vec<Role>);

fn roles(text: &str) -> Result<Roles, String> {
    let of_word = |word: &str| {
        let known = Role::ALL.map(Role::word).join(" ");
        let called = Role::ALL.map(|role| format!("{} {}", role.word(), role.name_zh())).join("、");
        Role::of_word(word).ok_or(format!("没有角色“{word}”，可用：{called} · no role `{word}`; there are: {known}"))
    };
    text.split([',', '+']).map(|word| of_word(word.trim())).collect::<Result<_, _>>().map(Roles)
}

/// One change or the list.
pub(super) fn main(command: UserCommand) -> Exit {
    let done = match command {
        UserCommand::Add { name, role, display_name, secret } => add(&name, &role.0, &display_name, &secret),
        UserCommand::List { place, json } => list(&place, json),
        UserCommand::Disable { name, place } => switch(&name, &place, true),
        UserCommand::Enable { name, place } => switch(&name, &place, false),
        UserCommand::Password { name, secret } => password(&name, &secret),
    };
    done.err().unwrap_or(Exit::Ok)
}

type Done = Result<(), Exit>;

fn add(name: &str, roles: &[Role], display_name: &str, from: &SecretFrom) -> Done {
    let people = People::open(&from.place)?;
    people.must_not_exist(name)?;
    if !roles.contains(&Role::Admin) {
        people.must_have_administrator(&from.place)?;
    }
    let secret = secret::read(from.password_file.as_deref())?;
    people.run(name, people.accounts.add_person(name, display_name, roles, secret))?;
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    people.note("user_added", &format!("{name} {}", words.join("+")));
    let called: Vec<&str> = roles.iter().map(|role| role.name_zh()).collect();
    println!("已新增 {name}（{}） · {name} added ({})", called.join("、"), words.join("+"));
    Ok(())
}

fn switch(name: &str, place: &Place, disabled: bool) -> Done {
    let people = People::open(place)?;
    let change = UserChange { disabled: Some(disabled), ..UserChange::default() };
    people.run(name, people.accounts.change_user(name, change))?;
    if disabled {
        people.note("user_disabled", name);
        println!("已停用 {name}，其登录已结束 · {name} is shut out and signed out");
        people.warn_without_administrator();
    } else {
        people.note("user_enabled", name);
        println!("已启用 {name} · {name} may sign in again");
    }
    Ok(())
}

fn password(name: &str, from: &SecretFrom) -> Done {
    let people = People::open(&from.place)?;
    people.must_exist(name)?;
    let secret = secret::read(from.password_file.as_deref())?;
    let change = UserChange { password: Some(secret), ..UserChange::default() };
    people.run(name, people.accounts.change_user(name, change))?;
    people.note("password_set", name);
    println!("{name} 的口令已更换，其登录已结束 · {name} has a new password and is signed out");
    Ok(())
}

fn list(place: &Place, json: bool) -> Done {
    let people = People::open(place)?;
    let rows = people.rows()?;
    if json {
        let view = |row: &UserRow| {
            let roles: Vec<&str> = row.role.split('+').collect();
            serde_json::json!({ "user": row.name, "display_name": row.display_name, "roles": roles, "disabled": row.disabled })
        };
        println!("{:#}", serde_json::Value::Array(rows.iter().map(view).collect()));
        return Ok(());
    }
    for row in &rows {
        let state = if row.disabled { "已停用 disabled" } else { "可登录 active" };
        println!("{:<20} {:<24} {state}  {}（{}）", row.name, row.role, row.display_name, Role::names_zh(&row.role));
    }
    if rows.is_empty() {
        eprintln!(
            "还没有人员；先新增一名管理员：hazard-gateway user add 名字 --role admin --config {0} · nobody yet: add an \
            administrator",
            place.config.display()
        );
    }
    Ok(())
}

/// The account database of a station, opened beside it.
struct People {
    accounts: Accounts,
    runtime: tokio::runtime::Runtime,
}

impl People {
    fn open(place: &Place) -> Result<Self, Exit> {
        let folder = given::data_folder(&place.config)?;
        let db = database(&folder).map_err(|error| store_exit(&folder, &error))?;
        let runtime = runtime()?;
        let accounts = runtime.block_on(Accounts::open(Arc::new(db), Arc::new(SystemClock::default()), true));
        Ok(Self { accounts, runtime })
    }

    fn rows(&self) -> Result<Vec<UserRow>, Exit> {
        self.runtime.block_on(self.accounts.users()).map_err(|_| refused("", &Refused::Busy))
    }

    fn must_exist(&self, name: &str) -> Done {
        if self.rows()?.iter().any(|row| row.name == name) { Ok(()) } else { Err(refused(name, &Refused::Unknown)) }
    }

    /// Asked before the password is, so that nobody types one in vain.
    fn must_not_exist(&self, name: &str) -> Done {
        if self.rows()?.iter().any(|row| row.name == name) { Err(refused(name, &Refused::Taken)) } else { Ok(()) }
    }

    fn run(&self, name: &str, work: impl Future<Output = Result<(), Refused>>) -> Done {
        self.runtime.block_on(work).map_err(|why| refused(name, &why))
    }

    /// The journal has one writer, the gateway: it finds the note there within a second, or at its next start.
    fn note(&self, action: &'static str, what: &str) {
        let at = crate::moment::site_text(SystemClock::default().now().wall.utc_ms);
        let uid = rustix::process::getuid().as_raw();
        let sudo = std::env::var("SUDO_USER").map(|user| format!(" ({user})")).unwrap_or_default();
        let detail = format!("{what}; uid {uid}{sudo}, {at}");
        if self.runtime.block_on(self.accounts.leave_note(action, detail)).is_err() {
            eprintln!("改动有效，但未能为运行日志留下记录 · done, but no note for the journal could be left");
        }
    }

    fn has_administrator(&self) -> Result<bool, Exit> {
        let administrator = |row: &UserRow| !row.disabled && row.role.split('+').any(|word| word == "admin");
        Ok(self.rows()?.iter().any(administrator))
    }

    fn warn_without_administrator(&self) {
        if self.has_administrator().is_ok_and(|there| !there) {
            eprintln!("提醒：已没有可登录的管理员 · note: no administrator can sign in any more");
        }
    }

    /// The first person ends the page's one-time setup: were it an operator, nobody could make an administrator there any more.
    fn must_have_administrator(&self, place: &Place) -> Done {
        if self.has_administrator()? {
            return Ok(());
        }
        eprintln!(
            "还没有可登录的管理员；先新增一名：hazard-gateway user add 名字 --role admin --config {0}（可同时有其他角色：--role \
             admin,operator）\nthere is no administrator yet: add one first with --role admin (other roles may stand beside it: \
             --role admin,operator)",
            place.config.display()
        );
        Err(Exit::Usage)
    }
}

fn database(folder: &DataFolder) -> Result<OwnDb, StoreError> {
    match folder.station {
        Station::Site => Ok(OwnDb::new(open_beside(&folder.dir)?)?),
        Station::Office => Ok(OwnDb::new(office::open_beside(&folder.dir)?)?),
    }
}

fn store_exit(folder: &DataFolder, error: &StoreError) -> Exit {
    let dir = folder.dir.display();
    match error {
        StoreError::NewerVersion(..) => {
            eprintln!("数据由更新的版本写成，请用那个版本 · {error}");
            Exit::NewerStore
        }
        StoreError::Sqlite(_) | StoreError::Io(..) | StoreError::InUse(..) | StoreError::Closed => {
            eprintln!(
                "无法打开 {dir} 中的人员数据库：请用网关的用户运行（sudo -u hazard-gateway …），并查看磁盘是否已满\n\
                 the accounts in {dir} cannot be opened: run this as the gateway's user, and look whether the disk is full\n{error}"
            );
            Exit::Io
        }
    }
}

fn refused(name: &str, why: &Refused) -> Exit {
    let (zh, en) = match why {
        Refused::Taken => (
            format!("已有 {name}；换口令用 user password，重新启用用 user enable"),
            format!("{name} exists; use `user password` or `user enable`"),
        ),
        Refused::Unknown => (
            format!("没有名为 {name} 的人员；user list 列出全部"),
            format!("there is no {name}; `user list` shows everybody"),
        ),
        Refused::Weak(Weak::Length) => ("口令应为 12–128 个字符".into(), "a password has 12–128 characters".into()),
        Refused::Weak(Weak::Common) => (
            "口令太容易猜：去掉常用词、名字、重复和连续数字，例如用几个不相干的词".into(),
            "the password is too easy: no common words, names, repetition or counting; several unrelated words do well"
                .into(),
        ),
        Refused::Fields(fields) if fields.iter().any(|field| field == "display_name") => (
            "显示名最多 64 个字符，不含控制字符".into(),
            "a display name has at most 64 characters, none of them control characters".into(),
        ),
        Refused::Fields(_) => (
            format!("名字“{name}”不可用：2–32 个字母、数字或 - _ .（可用汉字）"),
            format!("the name `{name}` cannot be used: 2–32 letters, digits or - _ . (Chinese letters too)"),
        ),
        Refused::Busy | Refused::Wrong | Refused::Wait(_) => (
            "人员数据库忙或不可写，未作改动；请重试，并查看磁盘".into(),
            "the account database is busy or cannot be written, nothing was changed; try again and look at the disk"
                .into(),
        ),
    };
    eprintln!("{zh}\n{en}");
    if matches!(why, Refused::Busy | Refused::Wrong | Refused::Wait(_)) { Exit::Io } else { Exit::Usage }
}
