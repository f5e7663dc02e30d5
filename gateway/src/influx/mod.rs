//! The InfluxDB 2 writer: samples go there from the history, at their own pace, whatever the outage.
//!
//! Owns encoding (`line`), policy (`writer`) and the HTTP side (`sink`). Leaves storage to `store`; the page never reads from here.

pub mod line;
pub mod sink;
pub mod writer;
