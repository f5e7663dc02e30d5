//! A site and an office as an operator would run them: the built binary, a written configuration file, a data folder.
//!
//! Owns configuration files and processes of the two roles. Leaves to the tests what happens on them.

use crate::http::{Client, get_blocking};
use crate::influx::Influx;
use crate::peer::{Program, free_port, gateway_program, wait_until};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Longest a station may take from start to an answer.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Password of every account that tests make.
pub const PASSWORD: &str = "only-for-tests-and-loopback";

/// Where the simulated instruments answer.
#[derive(Clone, Debug)]
pub struct Field {
    pub tcp_a1: String,
    pub tcp_a2: String,
    pub rtu_a3: PathBuf,
    /// The relay module of the annunciator.
    pub relay_a: String,
}

/// One running role.
#[derive(Debug)]
pub struct Station {
    pub base: String,
    pub config: PathBuf,
    pub dir: PathBuf,
    pub program: Program,
    role: &'static str,
}

impl Station {
    /// The demo site's own example file, with this test's addresses, as a real site (no demo operator).
    pub fn site(dir: &Path, field: &Field, broker_port: u16, influx: Option<&Influx>) -> Self {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/examples/demo-site.toml");
        let mut table: toml::Table = std::fs::read_to_string(example).unwrap().parse().unwrap();
        let port = free_port();
        for link in table["link"].as_array_mut().unwrap() {
            let link = link.as_table_mut().unwrap();
            let key = link["key"].as_str().unwrap().to_owned();
            match key.as_str() {
                "tcp-a1" => link.insert("tcp".into(), field.tcp_a1.clone().into()),
                "tcp-a2" => link.insert("tcp".into(), field.tcp_a2.clone().into()),
                "rtu-a3" => link.insert("serial".into(), field.rtu_a3.display().to_string().into()),
                "relay-a" => link.insert("tcp".into(), field.relay_a.clone().into()),
                other => panic!("unknown link {other}"),
            };
        }
        let data = dir.join("site-data");
        table["site"].as_table_mut().unwrap().insert("data_dir".into(), data.display().to_string().into());
        table.insert("web".into(), table_of(&[("listen", format!("127.0.0.1:{port}").into())]));
        let mqtt = [("host", "127.0.0.1".into()), ("port", i64::from(broker_port).into()), ("keep_alive_s", 5.into())];
        table.insert("mqtt".into(), table_of(&mqtt));
        table.remove("influx");
        if let Some(influx) = influx {
            let token = dir.join("influx-token");
            write_secret(&token, &influx.token);
            let settings = [
                ("url", influx.url.clone().into()),
                ("org", influx.org.clone().into()),
                ("bucket", influx.bucket.clone().into()),
                ("token_file", token.display().to_string().into()),
            ];
            table.insert("influx".into(), table_of(&settings));
        }
        Self::start("run", dir, "site", table, port)
    }

    /// A site that the test describes itself, but for its data folder and address.
    pub fn own(dir: &Path, text: &str) -> Self {
        Self::own_with(dir, text, &[])
    }

    /// The same with these variables in its environment at its first start.
    pub fn own_with(dir: &Path, text: &str, around: &[(&str, PathBuf)]) -> Self {
        let mut table: toml::Table = text.parse().unwrap();
        let (data, port) = (dir.join("site-data"), free_port());
        table["site"].as_table_mut().unwrap().insert("data_dir".into(), data.display().to_string().into());
        table.insert("web".into(), table_of(&[("listen", format!("127.0.0.1:{port}").into())]));
        Self::start_with("run", dir, "site", table, (port, around))
    }

    /// A township office on the same broker.
    pub fn office(dir: &Path, broker_port: u16) -> Self {
        let port = free_port();
        let mut table = toml::Table::new();
        let office = [
            ("name", "示范镇应急办".into()),
            ("name_en", "Demo township office".into()),
            ("data_dir", dir.join("office-data").display().to_string().into()),
        ];
        table.insert("office".into(), table_of(&office));
        table.insert("web".into(), table_of(&[("listen", format!("127.0.0.1:{port}").into())]));
        let mqtt = [("host", "127.0.0.1".into()), ("port", i64::from(broker_port).into()), ("keep_alive_s", 5.into())];
        table.insert("mqtt".into(), table_of(&mqtt));
        Self::start("office", dir, "office", table, port)
    }

    fn start(role: &'static str, dir: &Path, name: &str, table: toml::Table, port: u16) -> Self {
        Self::start_with(role, dir, name, table, (port, &[]))
    }

    fn start_with(
        role: &'static str,
        dir: &Path,
        name: &str,
        table: toml::Table,
        (port, around): (u16, &[(&str, PathBuf)]),
    ) -> Self {
        let config = dir.join(format!("{name}.toml"));
        std::fs::write(&config, toml::to_string(&table).unwrap()).unwrap();
        let program = spawn(role, dir, &config, around);
        let station = Self { base: format!("http://127.0.0.1:{port}"), config, dir: dir.into(), program, role };
        station.wait_until_alive();
        station
    }

    /// Starts it again with the same file and data, after [`Program::kill`] or a clean end.
    pub fn restart(&mut self) {
        self.program = spawn(self.role, &self.dir, &self.config, &[]);
        self.wait_until_alive();
    }

    fn wait_until_alive(&self) {
        let url = format!("{}/healthz", self.base);
        if wait_until(START_LIMIT, || get_blocking(&url).ok()).is_none() {
            panic!("{} does not answer; its log:\n{}", self.role, self.log());
        }
    }

    /// Everything the process has written.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join(format!("{}.log", self.role))).unwrap_or_default()
    }

    /// The first administrator, by the one-time code that the first start writes to the console.
    pub async fn first_admin(&self) -> Client {
        let code = wait_until(START_LIMIT, || {
            let log = self.log();
            let (_, rest) = log.split_once("with the one-time code ")?;
            Some(rest.lines().next()?.trim().to_owned())
        })
        .unwrap_or_else(|| panic!("no one-time code in the log:\n{}", self.log()));
        Client::set_up(&self.base, &code, "chief", PASSWORD).await
    }

    /// An account that `admin` makes, signed in.
    pub async fn person(&self, admin: &Client, user: &str, role: &str) -> Client {
        let body = serde_json::json!({"user": user, "roles": [role], "password": PASSWORD});
        let status = admin.status("POST", "/api/v1/users", Some(body)).await;
        assert!((200..300).contains(&status), "user {user}: {status}");
        Client::sign_in(&self.base, user, PASSWORD).await
    }

    /// Makes an account by the command line and signs in with it.
    pub async fn sign_in_as(&self, user: &str, role: &str) -> Client {
        let password = self.dir.join("password");
        write_secret(&password, PASSWORD);
        let add = |user: &str, role: &str| {
            let mut command = Command::new(gateway_program());
            command.args(["user", "add", user, "--role", role, "--config"]).arg(&self.config);
            command.arg("--password-file").arg(&password).output().unwrap()
        };
        // the first person is an administrator; where there is one already this is refused
        let _ = add("chief", "admin");
        let output = add(user, role);
        assert!(output.status.success(), "user add: {}", String::from_utf8_lossy(&output.stderr));
        Client::sign_in(&self.base, user, PASSWORD).await
    }
}

fn spawn(role: &'static str, dir: &Path, config: &Path, around: &[(&str, PathBuf)]) -> Program {
    let mut command = Command::new(gateway_program());
    command.envs(around.iter().cloned()).arg(role).arg("--config").arg(config);
    Program::start(role, dir, &mut command)
}

fn table_of(pairs: &[(&str, toml::Value)]) -> toml::Value {
    toml::Value::Table(pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
}

fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
