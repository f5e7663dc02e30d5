//! The three companies of the demo township, each a site of its own: one gateway watches one site.
//!
//! Owns their names. What stands there is in `plant`, how it is reached in `link`.

use std::fmt;
use std::str::FromStr;

/// A simulated site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SiteName {
    /// 示范化工: ammonia, methanol and chlorine.
    #[default]
    Chemical,
    /// 示范冷库: an ammonia compressor room.
    ColdStore,
    /// 示范铁矿: a small underground iron mine.
    Mine,
}

/// A name that no site has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("没有此站点 no such site: {0}；可用 allowed: chemical, cold-store, mine")]
pub struct UnknownSite(pub String);

impl SiteName {
    pub const ALL: [Self; 3] = [Self::Chemical, Self::ColdStore, Self::Mine];

    /// The name used on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chemical => "chemical",
            Self::ColdStore => "cold-store",
            Self::Mine => "mine",
        }
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SiteName {
    type Err = UnknownSite;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|site| site.name() == name).ok_or_else(|| UnknownSite(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_reads_back_as_its_site() {
        for site in SiteName::ALL {
            assert_eq!(site.name().parse(), Ok(site));
        }
        assert!("office".parse::<SiteName>().is_err());
    }
}
