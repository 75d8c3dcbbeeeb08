//! What a program that uses the crate has: its libpython is found where it was linked from.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pyo3_build_config::add_libpython_rpath_link_args();
}
