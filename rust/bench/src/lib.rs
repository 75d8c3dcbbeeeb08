//! Only benchmarks: see `benches/overhead.rs`.
