//! Which link a commissioning command talks to, and how long it waits.
//!
//! Owns the arguments shared by `scan`, `read` and `probe`, the bar that shows how far a long look has come, and Ctrl-C. Leaves
//! the questions to `devices::commission`.

use super::{Exit, given, unopened};
use crate::config::{AddressForm, is_no_address};
use clap::ValueEnum;
use devices::commission::Session;
use devices::profile::typed_address;
use devices::{Parity, SerialDriver, Transport};
use std::future::Future;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// A look shorter than this needs no bar.
const BAR_AFTER: Duration = Duration::from_secs(1);
const BAR_CELLS: usize = 30;

/// `--tcp`, `--rtu-over-tcp`, `--serial`, or a link of a configuration.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("way").required(true).args(["tcp", "rtu_over_tcp", "serial", "config"]))]
pub(super) struct LinkArgs {
    /// Modbus TCP 仪表或网关 · an instrument or gateway that speaks Modbus TCP.
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// 串口服务器 · RTU frames through a converter.
    #[arg(long, value_name = "HOST:PORT")]
    rtu_over_tcp: Option<String>,
    /// 串口 · serial port, best by /dev/serial/by-id/….
    #[arg(long, value_name = "PATH")]
    serial: Option<String>,
    /// 配置文件，与 --link 一起用 · take the link from a site file.
    #[arg(long, value_name = "FILE", requires = "link")]
    config: Option<PathBuf>,
    /// 配置中的链路名 · name of the link in the site file.
    #[arg(long, value_name = "KEY", requires = "config")]
    link: Option<String>,
    /// 波特率 · speed of the serial port.
    #[arg(long, default_value_t = 9600)]
    baud: u32,
    /// 数据位 · data bits.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(7..=8))]
    data_bits: u8,
    /// 校验位 · parity.
    #[arg(long, value_enum, default_value_t = ParityArg::None)]
    parity: ParityArg,
    /// 停止位 · stop bits.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    /// 每次等待毫秒数 · longest wait for an answer.
    #[arg(long, value_name = "MS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=30_000))]
    timeout_ms: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ParityArg {
    None,
    Even,
    Odd,
}

impl LinkArgs {
    /// How the link is reached, and what to call it.
    pub(super) fn transport(&self) -> Result<(Transport, String), Exit> {
        if let Some(hint) = self.serial.as_deref().and_then(taken_for_a_port).or_else(|| self.taken_for_an_address()) {
            eprintln!("{hint}");
            return Err(Exit::Usage);
        }
        let named = [("--tcp", &self.tcp), ("--rtu-over-tcp", &self.rtu_over_tcp)];
        let wrong = |(option, written): (&str, &Option<String>)| {
            is_no_address(option, written.as_deref()?, AddressForm::HostPort)
        };
        if let Some(why) = named.into_iter().find_map(wrong) {
            eprintln!("{why}");
            return Err(Exit::Usage);
        }
        let address = |a: &String| (a.clone(), a.clone());
        if let Some((address, name)) = self.tcp.as_ref().map(address) {
            return Ok((Transport::Tcp { address }, name));
        }
        if let Some((address, name)) = self.rtu_over_tcp.as_ref().map(address) {
            return Ok((Transport::RtuOverTcp { address }, name));
        }
        if let Some(path) = &self.serial {
            return Ok((self.serial_port(path), path.clone()));
        }
        let (Some(file), Some(key)) = (&self.config, &self.link) else { return Err(Exit::Usage) };
        let site = given::site(file)?;
        let Some(bus) = site.buses.iter().find(|b| b.key == *key) else {
            let keys: Vec<&str> = site.buses.iter().map(|b| b.key.as_str()).collect();
            eprintln!("没有名为 {key} 的链路；有 {0} · there is no link `{key}`; there are {0}", keys.join(", "));
            return Err(Exit::Usage);
        };
        Ok((bus.transport.clone(), key.clone()))
    }

    /// A device file where an address belongs.
    fn taken_for_an_address(&self) -> Option<String> {
        let path = [&self.tcp, &self.rtu_over_tcp].into_iter().flatten().find(|place| place.starts_with("/dev/"))?;
        Some(format!(
            "{path} 是串口，不是网络地址：写 --serial {path} · that is a serial port and no address: give --serial {path}"
        ))
    }

    pub(super) fn wait(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    fn serial_port(&self, path: &str) -> Transport {
        Transport::Rtu {
            path: path.to_owned(),
            baud: self.baud,
            data_bits: self.data_bits,
            parity: match self.parity {
                ParityArg::None => Parity::None,
                ParityArg::Even => Parity::Even,
                ParityArg::Odd => Parity::Odd,
            },
            stop_bits: self.stop_bits,
            driver: SerialDriver::default(),
        }
    }
}

/// `HOST:PORT` where the path of a serial port belongs.
fn taken_for_a_port(path: &str) -> Option<String> {
    let (host, port) = path.rsplit_once(':')?;
    let address = !path.contains('/') && !host.is_empty() && port.parse::<u16>().is_ok() && !Path::new(path).exists();
    address.then(|| {
        format!(
            "{path} 是网络地址，不是串口：仪表讲 Modbus TCP 写 --tcp {path}，经串口服务器透传 RTU 帧写 --rtu-over-tcp {path} · that is a network \
             address and no serial port: give --tcp {path} for Modbus TCP, or --rtu-over-tcp {path} for RTU frames through a converter"
        )
    })
}

/// An address as a person types it: the function, where the notation tells it, and the address from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address(pub(super) Option<u8>, pub(super) u16);

impl Address {
    /// A reference such as 30001 tells the function itself; another one beside it would read another register than either means.
    pub(super) fn fits(self, function: Option<u8>) -> Result<(), Exit> {
        let (Some(told), Some(given)) = (self.0, function.filter(|given| Some(*given) != self.0)) else {
            return Ok(());
        };
        let address = self.1;
        eprintln!(
            "--address 的写法指功能 {told}，与 --function {given} 不符：去掉 --function，或写从 0 起的地址 --address {address} · this --address \
             is one of function {told}, not --function {given}: leave --function out, or write the address from 0, --address {address}; \
             线上地址就是这个数时写十六进制 · where the number itself is the address on the wire, write it in hexadecimal (30001 = 0x7531)"
        );
        Err(Exit::Usage)
    }
}

/// Reads `--address`.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let wrong =
        || format!("“{text}”不是地址：写 17、0x6001、6001H 或 40018 · is no address: write 17, 0x6001, 6001H or 40018");
    // `plan` and `probe` print 24577 as it is on the wire, and no table of references begins with that digit.
    let printed = || text.parse().ok().filter(|_| text.starts_with(['2', '5', '6'])).map(|address| (None, address));
    typed_address(text).or_else(printed).map(|(function, address)| Address(function, address)).ok_or_else(wrong)
}

/// Runs a command that talks to instruments.
pub(super) fn block_on(work: impl Future<Output = Result<Exit, Exit>>) -> Exit {
    match super::serve::runtime() {
        Ok(runtime) => runtime.block_on(Box::pin(work)).unwrap_or_else(|exit| exit),
        Err(exit) => exit,
    }
}

/// Opens the link; says why not.
pub(super) async fn open(transport: &Transport, name: &str) -> Result<Session, Exit> {
    opened(transport, name).await.map_err(|why| {
        eprintln!("{why}");
        Exit::Io
    })
}

/// Opens the link, or tells why not and what to do.
pub(super) async fn opened(transport: &Transport, name: &str) -> Result<Session, String> {
    Session::open(transport).await.map_err(|error| unopened::said(transport, name, &error))
}

/// Runs to the end or to Ctrl-C: `None` when a person stopped it.
pub(super) async fn until_ctrl_c<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        // first the signal: from the first byte that the work sends a person may stop it
        biased;
        _ = tokio::signal::ctrl_c() => None,
        done = work => Some(done),
    }
}

/// How far a long look has come; on a terminal only.
pub(super) struct Bar {
    total: usize,
    begun: Instant,
    on: bool,
    shown: bool,
}

impl Bar {
    pub(super) fn new(total: usize, quiet: bool) -> Self {
        Self { total, begun: Instant::now(), on: !quiet && std::io::stderr().is_terminal(), shown: false }
    }

    /// `done` of all, and a word on the present one.
    pub(super) fn at(&mut self, done: usize, word: &str) {
        if !self.on || self.begun.elapsed() < BAR_AFTER {
            return;
        }
        self.shown = true;
        let filled = done * BAR_CELLS / self.total.max(1);
        let per_step = self.begun.elapsed().as_secs_f64() / f64::from(u32::try_from(done.max(1)).unwrap_or(u32::MAX));
        let left = per_step * f64::from(u32::try_from(self.total.saturating_sub(done)).unwrap_or(u32::MAX));
        eprint!(
            "\r\x1b[K[{}{}] {done}/{} {word} 剩余 left ≈ {left:.0} s · Ctrl-C 停止 stops ",
            "#".repeat(filled),
            "-".repeat(BAR_CELLS - filled),
            self.total
        );
        let _ = std::io::stderr().flush();
    }

    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }
}

/// A number for people: six digits that mean something, no zeros behind them.
pub(super) fn shown(value: f64) -> String {
    if value.abs() >= 1e9 || (value.abs() > 0.0 && value.abs() < 1e-4) {
        return format!("{value:.4e}");
    }
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::{Exit, address, shown, taken_for_a_port};

    #[test]
    fn a_reference_and_a_function_that_contradict_each_other_are_refused() {
        let fits = |text: &str, function| address(text).unwrap().fits(function);
        assert_eq!(fits("30001", Some(3)), Err(Exit::Usage));
        for (text, function) in [("30001", Some(4)), ("30001", None), ("17", Some(3))] {
            assert_eq!(fits(text, function), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_address_that_plan_and_probe_print_is_taken_and_no_spoilt_reference_for_one() {
        let read = |text: &str| address(text).map(|super::Address(function, address)| (function, address)).ok();
        assert_eq!(
            [read("24577"), read("65535"), read("40018")],
            [Some((None, 24_577)), Some((None, 65_535)), Some((Some(3), 17))]
        );
        assert_eq!(["40000", "30000", "65536", "2457a", "+24577"].map(read), [None; 5]);
    }

    #[test]
    fn an_address_given_as_a_serial_port_is_told_the_two_options_that_take_one() {
        let hint = taken_for_a_port("192.168.10.21:502").unwrap();
        assert!(
            hint.contains("--tcp 192.168.10.21:502") && hint.contains("--rtu-over-tcp 192.168.10.21:502"),
            "{hint}"
        );
        for path in ["/dev/ttyUSB0", "/dev/serial/by-path/pci-0:1:1.0-port0", "COM3", "COM3:"] {
            assert_eq!(taken_for_a_port(path), None, "{path}");
        }
    }

    #[test]
    fn numbers_are_shown_without_noise() {
        for (value, text) in
            [(25.3, "25.3"), (0.0, "0"), (-0.0, "0"), (1e-7, "1.0000e-7"), (100.0, "100"), (-5.1, "-5.1")]
        {
            assert_eq!(shown(value), text);
        }
    }
}
