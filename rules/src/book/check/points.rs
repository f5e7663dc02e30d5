//! Devices and points.

use super::report::Report;
use crate::book::{Device, Point};
use std::collections::HashSet;

pub(super) fn device(r: &mut Report, d: &Device, areas: &[String]) {
    let at = |f: &str| format!("devices[{}].{f}", d.key);
    r.priority(at("priority"), d.priority);
    r.area(at("area"), &d.area, areas);
    if d.comms_timeout.is_zero() {
        r.error(
            at("comms_timeout"),
            "通讯超时为零",
            "the communication time-out is zero",
            ("默认为 5 s 与 5 个轮询周期中较大者", "the default is the greater of 5 s and five polls"),
        );
    }
}

pub(super) fn point(r: &mut Report, p: &Point, devices: &HashSet<&str>, areas: &[String]) {
    let at = |f: &str| format!("points[{}].{f}", p.key);
    r.known(at("device"), ("设备", "device"), &p.device, devices);
    r.area(at("area"), &p.area, areas);
    let (lo, hi) = p.range;
    if !p.has_range() {
        r.error(
            at("range"),
            format!("量程 {lo} … {hi} 无效"),
            format!("the range {lo} … {hi} is not valid"),
            ("下限必须小于上限，且均为有限数", "the lower end must lie below the upper, both finite"),
        );
    }
    if p.position.is_some_and(|(x, y)| !x.is_finite() || !y.is_finite()) {
        r.error(
            at("position"),
            "坐标不是有限数",
            "the position is not finite",
            ("以米为单位填写 x, y", "give x and y in metres"),
        );
    }
    if p.period.is_zero() || p.max_age < p.period {
        r.error(
            at("max_age"),
            "轮询周期为零，或数据有效期短于一个轮询周期",
            "the poll period is zero, or the maximum age is shorter than one poll",
            ("有效期通常取三个轮询周期", "three polls are usual for the maximum age"),
        );
    }
}
