//! What the demo prints.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use crate::cli::Exit;
use sim::{Scenario, SiteName};
use std::net::SocketAddr;

/// A scenario that cannot happen at the site that was asked for.
pub(super) fn not_there(site: SiteName, scenario: Scenario) -> Exit {
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(", ");
    let here = names(&mut Scenario::of(site).map(|s| s.to_string()));
    let there = names(&mut scenario.sites().iter().map(ToString::to_string));
    eprintln!("站点 {site} 没有场景 {scenario}；它有：{here}；{scenario} 属于：{there}");
    eprintln!("{scenario} cannot happen at {site}, which has: {here}; {scenario} belongs to: {there}");
    Exit::Usage
}

/// Once both pages answer: where they are and what to try.
pub(super) fn greet(site: SocketAddr, office: SocketAddr, name: SiteName, scenario: Option<Scenario>) {
    println!(
        "\n控制室页面 control room:      http://{site}\n\
         镇应急办页面 township office: http://{office}\n\n\
         演示值班员已自动登录（仅限本机）· the demo operator is signed in by itself, on this machine only"
    );
    match scenario {
        Some(s) => {
            println!("场景 {} 已开始 · scenario {s} has begun: {}", s.title_zh(name), s.title_en(name));
        }
        None => {
            println!(
                "在“演示”页启动场景，或重新运行 demo --scenario … · start a scenario on the page “Demo”, or run demo --scenario …"
            );
            Scenario::of(name).for_each(|s| println!("  {:<18} {} · {}", s.name(), s.title_zh(name), s.title_en(name)));
        }
    }
    if let Some((zh, en)) = to_watch(name, scenario) {
        println!("{zh}\n{en}");
    }
    println!("Ctrl-C 结束 · Ctrl-C ends it");
}

/// What happens in the scenario that a site is first shown with.
const fn to_watch(site: SiteName, scenario: Option<Scenario>) -> Option<(&'static str, &'static str)> {
    Some(match (site, scenario) {
        (SiteName::Chemical, None | Some(Scenario::Nh3Leak)) => (
            "氨泄漏：约半分钟内 GT-102 越过 25、50 ppm，RA-01 下出现待确认隐患，应急办页面收到事件并可确认。",
            "ammonia leak: within half a minute GT-102 crosses 25 and 50 ppm, a candidate opens on RA-01, the office receives the events.",
        ),
        (SiteName::Mine, None | Some(Scenario::FanStop)) => (
            "主扇停风：10 秒后 KS-C01 报警，半分钟后风速低低限，CO-C03 一分钟左右越过 24 ppm、两分钟越过 50 ppm；RC-02、RC-01 下先后出现待确认隐患。",
            "main fan stopped: KS-C01 alarms after 10 s, the air speed after half a minute, CO-C03 crosses 24 ppm after about a minute and 50 ppm after two; candidates open on RC-02, then on RC-01.",
        ),
        (SiteName::ColdStore, None | Some(Scenario::Nh3Leak)) => (
            "氨泄漏：约半分钟内 GT-B02 越过 25、50 ppm，事故风机启动，RB-01 下出现待确认隐患。",
            "ammonia leak: within half a minute GT-B02 crosses 25 and 50 ppm, the emergency ventilator starts, a candidate opens on RB-01.",
        ),
        _ => return None,
    })
}
