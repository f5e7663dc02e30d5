//! Ammonia as a boiling liquid: its vapour pressure follows its temperature.

/// Constants of the Antoine equation, bar and kelvin, good for −34 … +98 °C: log₁₀ p = A − B / (T + C).
const ANTOINE: [f64; 3] = [4.868_86, 1_113.928, -10.409];
const ZERO_C_IN_K: f64 = 273.15;
const ATMOSPHERE_BAR: f64 = 1.013;
const BAR_PER_MPA: f64 = 10.0;

/// Pressure above the atmosphere's over boiling ammonia.
pub(super) fn ammonia_mpa_gauge(liquid_c: f64) -> f64 {
    let [a, b, c] = ANTOINE;
    (10f64.powf(a - b / (liquid_c + ZERO_C_IN_K + c)) - ATMOSPHERE_BAR) / BAR_PER_MPA
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_in_the_tables() {
        // Saturation pressures of ammonia: 8.57 bar at 20 °C, 15.55 bar at 40 °C; boils at −33.3 °C.
        for (celsius, mpa) in [(20.0, 0.756), (40.0, 1.454), (-33.3, 0.0)] {
            assert!((ammonia_mpa_gauge(celsius) - mpa).abs() < 0.012, "{celsius} °C: {}", ammonia_mpa_gauge(celsius));
        }
    }
}
