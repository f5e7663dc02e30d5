//! The command line: names, help and exit codes that scripts rely on.
//!
//! Owns parsing and dispatch. Leaves each command to its own module.

// before the macros: a service outlives the reader of its output
pub(crate) mod serve;

/// Shadows the standard ones, which panic where the reader has seen enough (`| head`).
macro_rules! println {
    () => { crate::cli::client::line(format_args!("\n")) };
    ($($word:tt)*) => { crate::cli::client::line(format_args!("{}\n", format_args!($($word)*))) };
}
macro_rules! print {
    ($($word:tt)*) => { crate::cli::client::line(format_args!($($word)*)) };
}
macro_rules! eprintln {
    () => { crate::cli::client::beside(format_args!("\n")) };
    ($($word:tt)*) => { crate::cli::client::beside(format_args!("{}\n", format_args!($($word)*))) };
}
macro_rules! eprint {
    ($($word:tt)*) => { crate::cli::client::beside(format_args!($($word)*)) };
}

mod alarm_row;
mod asked;
mod bar;
mod calls;
mod check;
mod client;
mod dry_run;
mod effect;
mod exit;
mod explain;
mod given;
mod hidden;
mod import;
mod kpi;
mod link;
mod look;
mod look_hazard;
mod no_such;
mod nothing;
mod operate;
mod operate_hazard;
mod past;
mod person;
mod plan;
mod probe;
mod read;
mod reload;
mod replay;
mod same_station;
mod scan;
mod screen;
mod secret;
mod silence;
mod station;
mod table;
mod unopened;
mod usage;
mod user;
mod verify;

pub use exit::Exit;

use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// 隐患网关：经 Modbus 采集仪表，判断报警，留存记录，上报镇应急办 · reads instruments over Modbus, decides alarms, keeps records, tells the township office.
#[derive(Debug, Parser)]
#[command(name = "hazard-gateway", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "例 example:  hazard-gateway check --config site.toml\n\
    退出码 exit codes: 0 ok · 1 check found something · 2 bad usage or configuration · 3 store from a newer version · 4 I/O · 5 网关拒绝 refused by the gateway · 70 internal")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// 演示：模拟现场、消息代理和值守站 · a simulated site, a broker and an office in one process
    #[cfg(feature = "demo")]
    #[command(after_help = "例 example:  hazard-gateway demo --scenario nh3-leak")]
    Demo {
        /// 站点 · chemical, cold-store, mine. Default: where the scenario belongs, else chemical.
        #[arg(long)]
        site: Option<sim::SiteName>,
        /// 情景 · nh3-leak, methanol-overfill, detector-fault, bus-dead, scrubber-stop, word-order, fan-stop, blast-fumes, pump-fail, uplink-cut.
        #[arg(long)]
        scenario: Option<sim::Scenario>,
        /// 数据保留在此目录 · keeps the data here instead of in a folder that is removed at the end.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// 控制室页面的地址，同 web.listen，限本机；不写则从 127.0.0.1:8080 起找空闲端口 · of the control room's page, as `web.listen`, on this machine only; the first free port from 127.0.0.1:8080 on when not given.
        #[arg(long, value_name = "IP:PORT")]
        listen: Option<String>,
        /// 应急办页面的地址；不写则从 127.0.0.1:8081 起找 · of the office's page; from 127.0.0.1:8081 on when not given.
        #[arg(long, value_name = "IP:PORT")]
        office_listen: Option<String>,
    },
    /// 运行现场网关 · the site gateway
    #[command(after_help = "例 example:  hazard-gateway run --config /etc/hazard-gateway/site.toml")]
    Run {
        /// 站点配置文件 · site file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// 运行镇街值守站 · the township station
    #[command(after_help = "例 example:  hazard-gateway office --config /etc/hazard-gateway/office.toml")]
    Office {
        /// 镇街值守站的配置文件 · office file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// 检查配置，列出全部缺陷及位置 · all defects of a configuration with file and line
    #[command(after_help = "例 example:  hazard-gateway check --config site.toml --dry-run")]
    Check(check::CheckArgs),
    /// 升级通知名单：无人确认时致电的岗位和号码 · whom to call when nobody acknowledges, with numbers
    #[command(after_help = "例 example:  hazard-gateway calls --config /etc/hazard-gateway/site.toml")]
    Calls(calls::CallsArgs),
    /// 采集计划：每条总线的每个请求、用时和占用 · every request on every bus, and whether the deadlines hold
    #[command(after_help = "例 example:  hazard-gateway plan --config site.toml --dead 2")]
    Plan(plan::PlanArgs),
    /// 查找总线上的站号 · find the unit ids on a bus
    #[command(after_help = "例 example:  hazard-gateway scan --serial /dev/ttyUSB0 --baud 9600 --units 1-32")]
    Scan(scan::ScanArgs),
    /// 读一次寄存器，列出各种类型和字节序 · registers once, in every plausible type and byte order
    #[command(
        after_help = "例 example:  hazard-gateway read --tcp 192.168.10.21:502 --unit 1 --address 40001 --count 2 --expect 20.5"
    )]
    Read(read::ReadArgs),
    /// 读一次已配置的仪表：原始值、工程值、质量 · a configured device once: raw, decoded, quality
    #[command(after_help = "例 example:  hazard-gateway probe --config site.toml --device DET-101")]
    Probe(probe::ProbeArgs),
    /// 导入位号表（CSV、XLSX），生成配置片段 · a tag list becomes a piece of configuration
    #[command(after_help = "例 example:  hazard-gateway import tags.xlsx --out conf.d/tags.toml")]
    Import(import::ImportArgs),
    /// 配置的 JSON Schema · the JSON Schema of the configuration
    #[command(after_help = "例 example:  hazard-gateway schema > site.schema.json")]
    Schema {
        /// 值守站配置的 · of the office file instead of the site file.
        #[arg(long)]
        office: bool,
    },
    /// 命令补全脚本 · shell completions
    #[command(after_help = "例 example:  hazard-gateway completions bash > /etc/bash_completion.d/hazard-gateway")]
    Completions {
        /// 哪种命令行 · for which shell.
        shell: clap_complete::Shell,
    },
    /// 运行中的网关一屏概况 · one screen of a running gateway
    #[command(after_help = "例 example:  hazard-gateway status --watch --config /etc/hazard-gateway/site.toml")]
    Status(client::StatusArgs),
    /// 列出事件 · list events of a running gateway
    #[command(
        after_help = "例 example:  hazard-gateway events --type alarm --point GT-101 --since 2026-11-24 --config /etc/hazard-gateway/site.toml",
        after_long_help = client::events_help()
    )]
    Events(client::EventsArgs),
    /// 换用磁盘上的配置，记名并说明原因 · a person puts the configuration on the disk in force
    #[command(
        after_help = "例 example:  hazard-gateway reload --by zhang --reason 按评审单12放宽高限 --config /etc/hazard-gateway/site.toml"
    )]
    Reload(reload::ReloadArgs),
    /// 值班操作：确认、搁置、复位、旁路、停用、消音等 · acknowledge, shelve, reset, bypass … at a running gateway
    #[command(
        after_help = "例 example:  hazard-gateway operate ack GT-101:H --by zhang --config /etc/hazard-gateway/site.toml"
    )]
    Operate(operate::OperateArgs),
    /// 回放：历史采样再过一遍规则，或试一份改过的配置 · recorded samples through the rules, or through changed ones
    #[command(
        after_help = "例 example:  hazard-gateway replay --config site.toml --with changed.toml --from 2026-11-17"
    )]
    Replay(replay::ReplayArgs),
    /// 报警绩效：报警率、泛滥、滞留、抖动报警、优先级、确认用时 · figures of EEMUA 191 and ISA-18.2 beside their targets
    #[command(after_help = "例 example:  hazard-gateway kpi --config site.toml --from 2026-11-01")]
    Kpi(kpi::KpiArgs),
    /// 人员与口令 · the people of a station
    #[command(subcommand, after_help = "例 example:  hazard-gateway user add zhang --role admin --config site.toml")]
    User(user::UserCommand),
    /// 数据文件 · the files of a site
    #[command(subcommand, after_help = "例 example:  hazard-gateway store verify --config site.toml")]
    Store(verify::StoreCommand),
    /// 运行日志的哈希链 · the hash chain of the journal
    #[command(subcommand, after_help = "例 example:  hazard-gateway audit verify --config site.toml")]
    Audit(verify::AuditCommand),
}

/// Runs the command line; a panic ends with 70.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            usage::said(&error);
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() };
        }
    };
    std::panic::catch_unwind(|| dispatch(cli.command)).unwrap_or(Exit::Internal).into()
}

fn dispatch(command: Command) -> Exit {
    match command {
        #[cfg(feature = "demo")]
        Command::Demo { site, scenario, data, listen, office_listen } => {
            let page = |option, written: Option<String>| written.map(|at| loopback(option, &at)).transpose();
            match (page("--listen", listen), page("--office-listen", office_listen)) {
                (Ok(listen), Ok(office_listen)) => {
                    serve::demo(crate::demo::Choice { site, scenario, data, listen, office_listen })
                }
                (Err(why), _) | (_, Err(why)) => {
                    eprintln!("{why}");
                    Exit::Usage
                }
            }
        }
        Command::Run { config } => serve::run(&config),
        Command::Office { config } => serve::office(&config),
        Command::Check(args) => check::main(&args),
        Command::Calls(args) => calls::main(&args),
        Command::Plan(args) => plan::main(&args),
        Command::Scan(args) => scan::main(&args),
        Command::Read(args) => read::main(&args),
        Command::Probe(args) => probe::main(&args),
        Command::Import(args) => import::main(&args),
        Command::Schema { office } => check::schema(office),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hazard-gateway", &mut script);
            client::written(&script).map_or_else(|exit| exit, |()| Exit::Ok)
        }
        Command::Status(args) => client::status(&args),
        Command::Events(args) => client::events(&args),
        Command::Reload(args) => reload::main(&args),
        Command::Operate(args) => operate::main(&args),
        Command::Replay(args) => replay::main(&args),
        Command::Kpi(args) => kpi::main(&args),
        Command::User(command) => user::main(command),
        Command::Store(command) => verify::store(command),
        Command::Audit(command) => verify::audit_trail(command),
    }
}

/// Where a page of the demo is to be. Everybody who reaches it is its operator, so that it stays on this machine.
#[cfg(feature = "demo")]
fn loopback(option: &str, written: &str) -> Result<std::net::SocketAddr, String> {
    let wrong = crate::config::is_no_address(option, written, crate::config::AddressForm::Listen);
    let at = written.parse::<std::net::SocketAddr>().ok().filter(|at| at.ip().is_loopback());
    at.filter(|_| wrong.is_none()).ok_or_else(|| {
        wrong.unwrap_or_else(|| {
            format!(
                "{option} {written}：演示页面自动登录值班员，只能在本机：写 127.0.0.1:端口；从别的机器看用 ssh -L · the demo signs everybody in as operator, so it \
                 stays on this machine: write 127.0.0.1:PORT, and look from another one through ssh -L"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "demo")]
    #[test]
    fn a_page_of_the_demo_is_given_as_in_the_configuration_and_never_to_the_network() {
        assert!(loopback("--listen", "127.0.0.1:9080").is_ok() && loopback("--listen", "[::1]:0").is_ok());
        let said = |written: &str| loopback("--listen", written).unwrap_err();
        assert!(said("9080").contains("--listen：没有端口"), "{}", said("9080"));
        assert!(said("127.0.0.1：9080").contains("全角字符"), "{}", said("127.0.0.1：9080"));
        assert!(said("0.0.0.0:9080").contains("只能在本机") && said("0.0.0.0:9080").contains("ssh -L"));
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_is_in_both_languages() {
        fn look(command: &clap::Command) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_ascii(), "{}: {about}", command.get_name());
            for argument in command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str())) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    !help.is_ascii() && help.contains(" · "),
                    "{} {}: {help}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &clap::Command) {
            for command in command.get_subcommands() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("hazard-gateway"), "{} has no example", command.get_name());
                look(command);
            }
        }
        look(&Cli::command());
    }
}
