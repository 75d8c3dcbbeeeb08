//! Lets the tests and examples of this package find the libpython that they were linked with.
//!
//! Cargo does not hand a library's link arguments on: a program that uses the crate has a build script of one line of its own,
//! `pyo3_build_config::add_libpython_rpath_link_args()`, or is told by LD_LIBRARY_PATH.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "python")]
    {
        pyo3_build_config::add_libpython_rpath_link_args();
        pyo3_build_config::add_python_framework_link_args();
    }
}
