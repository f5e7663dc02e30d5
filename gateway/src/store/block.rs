//! One group commit of samples as a compressed column block.
//!
//! ```text
//!   body = 4 × ( length u32 LE ‖ pco column )      columns: point u32, utc_ms i64, value f64, quality u16
//! ```
//! A bad sample has value 0 in its column and quality 2; the value is not given back. Codec 2 is this layout, its quality column
//! being quality u2 ‖ detail << 2; codec 1 had the quality alone. The CRC is over the body.

use super::history::Stored;
use pco::standalone::{simple_compress, simple_decompress};

/// The layout above.
pub(super) const CODEC: u8 = 2;

/// Packs samples; `None` only when pco refuses, which no column of ours makes it do.
pub(super) fn pack(samples: &[Stored]) -> Option<Vec<u8>> {
    let config = pco::ChunkConfig::default();
    let points: Vec<u32> = samples.iter().map(|s| s.point).collect();
    let times: Vec<i64> = samples.iter().map(|s| s.utc_ms).collect();
    let values: Vec<f64> = samples.iter().map(|s| s.value.unwrap_or(0.0)).collect();
    let qualities: Vec<u16> = samples.iter().map(|s| u16::from(s.quality.min(2)) | (s.detail << 2)).collect();
    let columns = [
        simple_compress(&points, &config).ok()?,
        simple_compress(&times, &config).ok()?,
        simple_compress(&values, &config).ok()?,
        simple_compress(&qualities, &config).ok()?,
    ];
    let mut body = Vec::with_capacity(16 + columns.iter().map(Vec::len).sum::<usize>());
    for column in &columns {
        body.extend_from_slice(&u32::try_from(column.len()).ok()?.to_le_bytes());
        body.extend_from_slice(column);
    }
    Some(body)
}

/// Unpacks a body; `None` when it is damaged or of another layout.
pub(super) fn unpack(codec: u8, crc: u32, body: &[u8]) -> Option<Vec<Stored>> {
    if !(1..=CODEC).contains(&codec) || crc32c::crc32c(body) != crc {
        return None;
    }
    let mut rest = body;
    let mut column = || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let column = tail.get(..length)?;
        rest = &tail[length..];
        Some(column)
    };
    let points: Vec<u32> = simple_decompress(column()?).ok()?;
    let times: Vec<i64> = simple_decompress(column()?).ok()?;
    let values: Vec<f64> = simple_decompress(column()?).ok()?;
    let qualities: Vec<u16> = simple_decompress(column()?).ok()?;
    if times.len() != points.len() || values.len() != points.len() || qualities.len() != points.len() {
        return None;
    }
    let samples = points.into_iter().zip(times).zip(values).zip(qualities);
    Some(
        samples
            .map(|(((point, utc_ms), value), quality)| Stored {
                point,
                utc_ms,
                value: (quality & 3 < 2).then_some(value),
                quality: u8::try_from(quality & 3).unwrap_or(2),
                detail: quality >> 2,
            })
            .collect(),
    )
}
