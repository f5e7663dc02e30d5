//! The register: major hazard sources, risks and their control measures (分级管控).
//!
//! Owns the file-independent description; levels follow the scheme's four colours. Leaves grading by people's judgement to people.

use serde::{Deserialize, Serialize};

/// Four levels, four colours (红橙黄蓝). Stored as a word, mapped to a platform's number at the uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskLevel {
    /// 重大风险, red.
    Major,
    /// 较大风险, orange.
    Considerable,
    /// 一般风险, yellow.
    General,
    /// 低风险, blue.
    Low,
}

/// A registered major hazard source (重大危险源), GB 18218.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Key in the configuration, such as `A1`.
    pub key: String,
    /// Name in zh-CN.
    pub name: String,
    /// Name in English.
    pub name_en: String,
    /// Sum of q/Q.
    pub s: f64,
    /// α·Σβq/Q.
    pub r: f64,
    /// 1–4 (一级…四级).
    pub grade: u8,
    /// 主要负责人, 技术负责人, 操作负责人: roles, never names.
    pub responsible_roles: [String; 3],
    /// The same in English; empty where nobody wrote them.
    pub responsible_roles_en: [String; 3],
}

/// A registered risk (风险).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Key, such as `RA-01`.
    pub key: String,
    /// Event in zh-CN.
    pub name: String,
    /// Event in English.
    pub name_en: String,
    /// Area key of the plan.
    pub area: String,
    /// Level and colour.
    pub level: RiskLevel,
    /// Accident type (GB 6441 slug or Chinese word).
    pub accident_type: String,
    /// 挂牌 leader role.
    pub leader_role: String,
    /// The same in English, or empty.
    pub leader_role_en: String,
    /// Source key, where the risk belongs to a major hazard source.
    pub source: Option<String>,
}

/// How a measure is proved (dataSrc 1 or 2 of the exchange format).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Evidence {
    /// Watched automatically by these point keys: an alarm, fault or silence of one is a failure of the measure.
    Watched {
        /// Point keys.
        points: Vec<String>,
    },
    /// Inspected by people.
    Inspected,
}

/// A control measure (管控措施) of a risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Key, such as `RA-01.M1`.
    pub key: String,
    /// Risk key.
    pub risk: String,
    /// Text in zh-CN.
    pub text: String,
    /// Text in English.
    pub text_en: String,
    /// Responsible role.
    pub responsible_role: String,
    /// The same in English, or empty.
    pub responsible_role_en: String,
    /// How it is proved.
    pub evidence: Evidence,
}
