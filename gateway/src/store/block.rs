//! One group commit of samples as a compressed column block.
//!
//! ```text
//!   body = 4 × ( length u32 LE ‖ column )      columns: point u32, utc_ms i64, value f64, quality u16
//! ```
//! A bad sample has value 0 in its column and quality 2; the value is not given back. The quality column is quality u2 ‖ detail << 2. In
//! codec 3 the values are pco and the other columns `runs`; in codec 2 all four were pco, in codec 1 the quality stood alone as well.
//! The CRC is over the body.

use super::history::Stored;
use super::runs;
use pco::standalone::{simple_compress, simple_decompress};
use pco::{ChunkConfig, DeltaSpec};

/// The layout above.
pub(super) const CODEC: u8 = 3;
/// Beyond it pco spends four times as long for nothing on a second of process values.
const LEVEL: usize = 4;

/// Packs samples under the file's ids of their points; `None` only when pco refuses, which no column of ours makes it do.
pub(super) fn pack(samples: &[Stored], id: impl Fn(u32) -> u32) -> Option<Vec<u8>> {
    // Neighbours are other points: their differences are no smaller than they are.
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_delta_spec(DeltaSpec::NoOp);
    let values: Vec<f64> = samples.iter().map(|s| s.value.unwrap_or(0.0)).collect();
    let columns = [
        runs::pack(samples.iter().map(|s| id(s.point).into())),
        runs::pack(samples.iter().map(|s| s.utc_ms)),
        simple_compress(&values, &config).ok()?,
        runs::pack(samples.iter().map(|s| (u16::from(s.quality.min(2)) | (s.detail << 2)).into())),
    ];
    let mut body = Vec::with_capacity(16 + columns.iter().map(Vec::len).sum::<usize>());
    for column in &columns {
        body.extend_from_slice(&u32::try_from(column.len()).ok()?.to_le_bytes());
        body.extend_from_slice(column);
    }
    Some(body)
}

/// Columns as they were handed in.
struct Columns {
    points: Vec<u32>,
    times: Vec<i64>,
    values: Vec<f64>,
    qualities: Vec<u16>,
}

/// Unpacks a body; `None` when it is damaged or of another layout.
pub(super) fn unpack(codec: u8, crc: u32, body: &[u8]) -> Option<Vec<Stored>> {
    Some(read(codec, crc, body)?.collect())
}

/// The samples of a body one by one, all of them or none: for who reads many and keeps none.
pub(super) fn read(codec: u8, crc: u32, body: &[u8]) -> Option<impl Iterator<Item = Stored>> {
    if !(1..=CODEC).contains(&codec) || crc32c::crc32c(body) != crc {
        return None;
    }
    let Columns { points, times, values, qualities } = columns(codec, body)?;
    if times.len() != points.len() || values.len() != points.len() || qualities.len() != points.len() {
        return None;
    }
    let samples = points.into_iter().zip(times).zip(values).zip(qualities);
    Some(samples.map(|(((point, utc_ms), value), quality)| Stored {
        point,
        utc_ms,
        value: (quality & 3 < 2).then_some(value),
        quality: u8::try_from(quality & 3).unwrap_or(2),
        detail: quality >> 2,
    }))
}

fn columns(codec: u8, body: &[u8]) -> Option<Columns> {
    let mut rest = body;
    let mut column = || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let column = tail.get(..length)?;
        rest = &tail[length..];
        Some(column)
    };
    let (points, times, values, qualities) = (column()?, column()?, column()?, column()?);
    let values = simple_decompress(values).ok()?;
    if codec < 3 {
        return Some(Columns {
            points: simple_decompress(points).ok()?,
            times: simple_decompress(times).ok()?,
            values,
            qualities: simple_decompress(qualities).ok()?,
        });
    }
    Some(Columns {
        points: whole(runs::unpack(points)?)?,
        times: runs::unpack(times)?,
        values,
        qualities: whole(runs::unpack(qualities)?)?,
    })
}

fn whole<T: TryFrom<i64>>(column: Vec<i64>) -> Option<Vec<T>> {
    column.into_iter().map(|n| n.try_into().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Stored> {
        let sample = |n: u32| Stored {
            point: n % 1_000,
            utc_ms: 1_700_000_000_000 + i64::from(n / 125),
            value: (n % 7 != 3).then_some(f64::from(n) / 10.0),
            quality: if n % 7 == 3 { 2 } else { 0 },
            detail: u16::try_from(n % 5).unwrap(),
        };
        (0..2_000).map(sample).collect()
    }

    #[test]
    fn a_block_comes_back_as_it_was_under_the_files_ids() {
        let body = pack(&samples(), |point| point + 1).unwrap();
        let back = unpack(CODEC, crc32c::crc32c(&body), &body).unwrap();
        let moved: Vec<Stored> = samples().into_iter().map(|s| Stored { point: s.point + 1, ..s }).collect();
        assert!(back == moved);
        assert_eq!(unpack(CODEC, 0, &body), None, "a damaged body");
        assert_eq!(unpack(CODEC + 1, crc32c::crc32c(&body), &body), None, "a later codec");
    }

    #[test]
    fn blocks_of_earlier_versions_are_read() {
        let config = ChunkConfig::default();
        let all = samples();
        let points: Vec<u32> = all.iter().map(|s| s.point).collect();
        let times: Vec<i64> = all.iter().map(|s| s.utc_ms).collect();
        let values: Vec<f64> = all.iter().map(|s| s.value.unwrap_or(0.0)).collect();
        let qualities: Vec<u16> = all.iter().map(|s| u16::from(s.quality) | (s.detail << 2)).collect();
        let mut body = Vec::new();
        for column in [
            simple_compress(&points, &config).unwrap(),
            simple_compress(&times, &config).unwrap(),
            simple_compress(&values, &config).unwrap(),
            simple_compress(&qualities, &config).unwrap(),
        ] {
            body.extend(u32::try_from(column.len()).unwrap().to_le_bytes());
            body.extend(column);
        }
        assert!(unpack(2, crc32c::crc32c(&body), &body).unwrap() == all);
    }
}
